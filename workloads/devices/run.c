// SPDX-License-Identifier: MIT
/*
 * devices: every device of the guest's view in use: blocks read past the page cache, a write with
 * its flush, a ping from net0 to net1. What is read is checked: the data disk holds the pattern
 * that workloads/prepare filled it with, the root image an erofs.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BLOCK	     4096
#define EROFS_OFFSET 1024 /* of the superblock, which begins with the magic number */
#define SPACING	     (64 * BLOCK)
#define BLOCKS	     64 /* all of them in the first 16 MiB of any disk */

static unsigned char block[BLOCK] __attribute__((aligned(BLOCK)));
static int device, link_socket;

static void open_root(const struct bench_row *row)
{
	uint32_t magic;
	struct statfs info;

	(void)row;
	device = open("/dev/rexen/root", O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (device < 0 || pread(device, block, BLOCK, 0) != BLOCK)
		bench_fail("read of /dev/rexen/root");
	memcpy(&magic, block + EROFS_OFFSET, sizeof(magic));
	errno = EINVAL;
	if (magic != EROFS_SUPER_MAGIC_V1)
		bench_fail("the root image is no erofs");
	if (statfs("/mnt/root", &info) != 0 || info.f_type != EROFS_SUPER_MAGIC_V1)
		bench_fail("/mnt/root is not the root image");
}

static void open_data(const struct bench_row *row)
{
	(void)row;
	device = open("/dev/rexen/data", O_RDWR | O_DIRECT | O_CLOEXEC);
	if (device < 0)
		bench_fail("open of /dev/rexen/data");
}

static void close_device(const struct bench_row *row)
{
	(void)row;
	close(device);
}

static off_t place(uint64_t i)
{
	return (off_t)(i % BLOCKS * SPACING);
}

/* The pattern is the same in every block, as long as 256 divides a block. */
static void check_pattern(void)
{
	for (unsigned int i = 0; i < BLOCK; i++) {
		if (block[i] != (unsigned char)(i * 37 + 11)) {
			errno = EILSEQ;
			bench_fail("content of the data disk");
		}
	}
}

static void read_blocks(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	for (uint64_t i = 0; i < n; i++) {
		bench_start(t);
		if (pread(device, block, BLOCK, place(i)) != BLOCK)
			bench_fail("read of a block");
		bench_stop(t, 1);
		if (row->arg[0])
			check_pattern();
	}
}

static void write_blocks(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	for (unsigned int i = 0; i < BLOCK; i++)
		block[i] = (unsigned char)(i * 37 + 11);
	for (uint64_t i = 0; i < n; i++) {
		bench_start(t);
		if (pwrite(device, block, BLOCK, place(i)) != BLOCK || fdatasync(device) != 0)
			bench_fail("write of a block");
		bench_stop(t, 1);
	}
}

static void open_link(const struct bench_row *row)
{
	struct timeval limit = {.tv_sec = 2};
	int fd = open("/run/netns/left", O_RDONLY | O_CLOEXEC);

	(void)row;
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		bench_fail("namespace /run/netns/left");
	close(fd);
	link_socket = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (link_socket < 0 ||
	    setsockopt(link_socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
		bench_fail("socket for a ping");
}

static void close_link(const struct bench_row *row)
{
	(void)row;
	close(link_socket);
}

/* An echo request of eight bytes: its checksum is what is left to all ones. */
static void ping(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	unsigned char answer[256];

	(void)row;
	inet_pton(AF_INET, "10.0.0.2", &to.sin_addr);
	for (uint64_t i = 0; i < n; i++) {
		struct icmphdr echo = {.type = ICMP_ECHO};
		ssize_t got;

		echo.un.echo.sequence = (uint16_t)i;
		echo.checksum = (uint16_t)~(ICMP_ECHO + (uint16_t)i);
		bench_start(t);
		if (sendto(link_socket, &echo, sizeof(echo), 0, (struct sockaddr *)&to,
			   sizeof(to)) != sizeof(echo))
			bench_fail("ping to 10.0.0.2");
		do {
			got = recv(link_socket, answer, sizeof(answer), 0);
			if (got < 0)
				bench_fail("answer of 10.0.0.2");
		} while (answer[(answer[0] & 15) * 4] != ICMP_ECHOREPLY);
		bench_stop(t, 1);
	}
}

static const struct bench_row rows[] = {
    {{"root_read"}, 200, 1, read_blocks, open_root, close_device, {0}},
    {{"data_read"}, 50, 1, read_blocks, open_data, close_device, {1}},
    {{"data_write"}, 50, 1, write_blocks, open_data, close_device, {0}},
    {{"ping"}, 50, 1, ping, open_link, close_link, {0}},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
