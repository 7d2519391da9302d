// SPDX-License-Identifier: MIT
/*
 * net.c: two interfaces, each in a network namespace of its own, so that what one sends the other
 * really crosses both cards: in one namespace the kernel would hand it over inside.
 *
 * No IPv6: its solicitations would go out seconds later, in the middle of a measurement.
 */
#include "prepare.h"
#include "../init/init.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct end {
	const char *was, *name, *space, *address;
};

static struct end ends[] = {
    {NULL, "net0", "left", "10.0.0.1"},
    {NULL, "net1", "right", "10.0.0.2"},
};

static int control_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("no socket: %s", strerror(errno));
	return fd;
}

static void rename_interface(const struct end *end)
{
	uint64_t deadline = guest_boottime_ns() + DEADLINE_NS;
	struct ifreq request = {0};
	struct if_nameindex *all;
	char names[256] = "";
	int fd = control_socket();

	while (if_nametoindex(end->was) == 0) {
		if (wait_more(deadline))
			continue;
		all = if_nameindex();
		for (struct if_nameindex *it = all; it && it->if_name; it++) {
			strncat(names, " ", sizeof(names) - strlen(names) - 1);
			strncat(names, it->if_name, sizeof(names) - strlen(names) - 1);
		}
		fail("no interface %s (%s) came; interfaces:%s", end->name, end->was, names);
	}
	snprintf(request.ifr_name, IFNAMSIZ, "%s", end->was);
	snprintf(request.ifr_newname, IFNAMSIZ, "%s", end->name);
	if (ioctl(fd, SIOCSIFNAME, &request) != 0)
		fail("%s cannot be named %s: %s", end->was, end->name, strerror(errno));
	close(fd);
}

/* Hands an interface to the namespace of an open file. */
static void move_interface(const char *name, int space)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
		struct rtattr attribute;
		int space;
	} order = {
	    .head = {.nlmsg_len = sizeof(order),
		     .nlmsg_type = RTM_NEWLINK,
		     .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
	    .info = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name)},
	    .attribute = {.rta_len = RTA_LENGTH(sizeof(int)), .rta_type = IFLA_NET_NS_FD},
	    .space = space,
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char more[256];
	} answer = {0};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || send(fd, &order, sizeof(order), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0 || answer.error.error != 0)
		fail("%s cannot be moved to its namespace: %s", name,
		     strerror(answer.error.error ? -answer.error.error : errno));
	close(fd);
}

/* Brings an interface of this namespace up, with an address. */
static void bring_up(const char *name, const char *address)
{
	struct ifreq request = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
	int fd = control_socket();

	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	in->sin_family = AF_INET;
	inet_pton(AF_INET, address, &in->sin_addr);
	if (ioctl(fd, SIOCSIFADDR, &request) != 0)
		fail("%s takes no address %s: %s", name, address, strerror(errno));
	inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
	if (ioctl(fd, SIOCSIFNETMASK, &request) != 0)
		fail("%s takes no netmask: %s", name, strerror(errno));
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		fail("%s: %s", name, strerror(errno));
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		fail("%s does not come up: %s", name, strerror(errno));
	close(fd);
}

/* Makes the namespace, keeps it as /run/netns/<space>, and moves the interface there. */
static void settle(const struct end *end, int home)
{
	char place[64];
	int fd;

	snprintf(place, sizeof(place), "/run/netns/%s", end->space);
	fd = open(place, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	if (unshare(CLONE_NEWNET) != 0 ||
	    mount("/proc/self/ns/net", place, NULL, MS_BIND, NULL) != 0)
		fail("no network namespace %s: %s", end->space, strerror(errno));
	write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	guest_loopback_up();
	fd = open(place, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(home, CLONE_NEWNET) != 0)
		fail("no way back from namespace %s: %s", end->space, strerror(errno));
	move_interface(end->name, fd);
	if (setns(fd, CLONE_NEWNET) != 0)
		fail("no way into namespace %s: %s", end->space, strerror(errno));
	close(fd);
	bring_up(end->name, end->address);
	if (setns(home, CLONE_NEWNET) != 0)
		fail("no way back from namespace %s: %s", end->space, strerror(errno));
}

static void enter(const char *space)
{
	char place[64];
	int fd;

	snprintf(place, sizeof(place), "/run/netns/%s", space);
	fd = open(place, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		fail("no way into namespace %s: %s", space, strerror(errno));
	close(fd);
}

/* Up, and with a carrier? For a message; leaves us in the namespace. */
static const char *state_of(const struct end *end)
{
	struct ifreq request = {0};
	int fd;

	enter(end->space);
	fd = control_socket();
	snprintf(request.ifr_name, IFNAMSIZ, "%s", end->name);
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		request.ifr_flags = 0;
	close(fd);
	if (!(request.ifr_flags & IFF_UP))
		return "down";
	return request.ifr_flags & IFF_RUNNING ? "up" : "up without carrier";
}

static uint16_t checksum(const void *data, size_t size)
{
	const uint16_t *words = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size / 2; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* One echo request to the other end, every 20 ms until an answer comes. */
static bool ping(const char *address)
{
	uint64_t deadline = guest_boottime_ns() + DEADLINE_NS;
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct icmphdr echo = {.type = ICMP_ECHO};
	struct pollfd want;
	unsigned char answer[256];

	inet_pton(AF_INET, address, &to.sin_addr);
	echo.checksum = checksum(&echo, sizeof(echo));
	want.fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	want.events = POLLIN;
	if (want.fd < 0)
		fail("no socket for a ping: %s", strerror(errno));
	while (guest_boottime_ns() < deadline) {
		sendto(want.fd, &echo, sizeof(echo), 0, (struct sockaddr *)&to, sizeof(to));
		while (poll(&want, 1, 20) > 0) {
			ssize_t got = recv(want.fd, answer, sizeof(answer), 0);
			size_t head = (size_t)(answer[0] & 15) * 4;

			if (got >= (ssize_t)(head + sizeof(echo)) &&
			    answer[head] == ICMP_ECHOREPLY) {
				close(want.fd);
				return true;
			}
		}
	}
	close(want.fd);
	return false;
}

/* Names both interfaces; the names they had are kept for messages. */
void net_name(const char *left, const char *right)
{
	ends[0].was = left;
	ends[1].was = right;
	for (int i = 0; i < 2; i++)
		rename_interface(&ends[i]);
}

/* Gives each its namespace and address, and waits until one reaches the other. */
void net_settle(void)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0)
		fail("this kernel has no network namespaces");
	mkdir("/run", 0755);
	mkdir("/run/netns", 0755);
	for (int i = 0; i < 2; i++)
		settle(&ends[i], home);
	enter(ends[0].space);
	if (!ping(ends[1].address)) {
		const char *state = state_of(&ends[0]);

		fail("no ping from net0 (%s, %s) to net1 (%s, %s)", ends[0].was, state,
		     ends[1].was, state_of(&ends[1]));
	}
	if (setns(home, CLONE_NEWNET) != 0)
		fail("no way back from namespace left: %s", strerror(errno));
	close(home);
}
