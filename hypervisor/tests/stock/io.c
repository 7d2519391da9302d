// SPDX-License-Identifier: MIT
/*
 * A stock guest at work, as /init: writes blocks to its disk and reads them again, sends packets
 * from one card to the other, and computes, in turn. All must come back as it was; a packet that is
 * lost is sent again. Prints how long the slowest of each took, and the longest time in which the
 * computation did not go on. Beside it in the archive: /xen-blkfront.ko, /xen-netfront.ko.
 */
#define _GNU_SOURCE
#include "stock.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define BLOCK	 4096
#define ROUNDS	 60
#define PACKET	 1000
#define PROTOCOL 0x88b6
#define RESENDS	 20
#define WAIT_US	 50000

static unsigned int resent;
static uint64_t longest_gap, longest_disk, longest_packet, computed;
static uint8_t mac[2][6];

static void longer(uint64_t *longest, uint64_t start)
{
	uint64_t took = now() - start;

	*longest = took > *longest ? took : *longest;
}

static int open_card(unsigned int i)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(PROTOCOL));
	struct timeval wait = {.tv_usec = WAIT_US};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(PROTOCOL)};
	struct ifreq r = {0};
	int found = -1;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "eth%u", i);
	for (int tries = 0; tries < 2000 && found < 0; tries++, usleep(1000))
		found = ioctl(fd, SIOCGIFHWADDR, &r);
	expect(found == 0, r.ifr_name);
	memcpy(mac[i], r.ifr_hwaddr.sa_data, 6);
	expect(ioctl(fd, SIOCGIFINDEX, &r) == 0, "index");
	to.sll_ifindex = r.ifr_ifindex;
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	expect(ioctl(fd, SIOCSIFFLAGS, &r) == 0, "up");
	expect(bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "bind");
	expect(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0, "timeout");
	return fd;
}

static void fill(uint8_t *at, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(seed * 31 + i * 13 + i / 511);
}

static void use_disk(int fd, unsigned int round, uint8_t *out, uint8_t *in)
{
	off_t at = (off_t)(round * 37 % 211) * BLOCK;
	uint64_t start;

	fill(out, BLOCK, round);
	start = now();
	expect(pwrite(fd, out, BLOCK, at) == BLOCK && fdatasync(fd) == 0, "write");
	longer(&longest_disk, start);
	start = now();
	expect(pread(fd, in, BLOCK, at) == BLOCK, "read");
	longer(&longest_disk, start);
	expect(memcmp(in, out, BLOCK) == 0, "what was written is read");
}

/* Whether the packet arrives; others with our protocol there are none. */
static int arrives(int fd, const uint8_t *packet)
{
	uint8_t in[2048];
	ssize_t n = recv(fd, in, sizeof(in), 0);

	if (n < 0)
		return 0;
	expect(n == PACKET && memcmp(in, packet, PACKET) == 0, "what was sent arrives");
	return 1;
}

static void use_network(const int *card, unsigned int round)
{
	uint8_t packet[PACKET];
	unsigned int tries = 0, from = round % 2;
	uint64_t start = now();

	fill(packet, PACKET, round);
	memcpy(packet, mac[!from], 6);
	memcpy(packet + 6, mac[from], 6);
	packet[12] = PROTOCOL >> 8;
	packet[13] = PROTOCOL & 0xff;
	do {
		expect(send(card[from], packet, PACKET, 0) == PACKET, "send");
	} while (!arrives(card[!from], packet) && ++tries < RESENDS);
	expect(tries < RESENDS, "a packet arrives");
	resent += tries;
	if (!tries)
		longer(&longest_packet, start);
}

/* A fixed amount of work, and the longest pause in it. */
static void compute(void)
{
	uint64_t start = now(), before = start;

	for (unsigned int i = 0; i < 150000; i++) {
		uint64_t t = now();

		if (t - before > longest_gap)
			longest_gap = t - before;
		before = t;
	}
	computed += before - start;
}

int main(void)
{
	uint8_t *out = aligned_alloc(BLOCK, BLOCK), *in = aligned_alloc(BLOCK, BLOCK);
	int disk, card[2];
	uint64_t start;

	begin();
	load_module("/xen-blkfront.ko");
	load_module("/xen-netfront.ko");
	disk = open_device("/dev/xvdb", O_RDWR | O_DIRECT);
	expect(disk >= 0, "/dev/xvdb");
	card[0] = open_card(0);
	card[1] = open_card(1);
	usleep(100000); /* the link comes up */
	start = now();
	for (unsigned int round = 0; round < ROUNDS && !failures; round++) {
		use_disk(disk, round, out, in);
		use_network(card, round);
		compute();
	}
	printf("all %lu computing %lu us\n", (now() - start) / 1000, computed / 1000);
	printf("longest disk %lu packet %lu gap %lu us, sent again %u\n", longest_disk / 1000,
	       longest_packet / 1000, longest_gap / 1000, resent);
	return finish();
}
