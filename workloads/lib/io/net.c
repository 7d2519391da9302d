// SPDX-License-Identifier: MIT
/*
 * net.c: sockets at both ends of the wire, and streams between them. See net.h.
 *
 * A socket stays in the namespace it was made in, so one process makes both ends and then forks.
 */
#include "net.h"

#include "child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define NAMESPACES "/run/netns"
#define PERIOD	   251	/* of the stream's content; no power of two, no packet's length */
#define STRIDE	   4096 /* how far apart content is checked */

static const char *const names[] = {"left", "right"};
static const char *const interfaces[] = {"net0", "net1"};

static bool is_loopback(void)
{
	const char *folder = getenv("REXEN_NETNS");

	return folder && !*folder;
}

int net_open(enum net_side side)
{
	const char *folder = getenv("REXEN_NETNS");
	char path[256];
	int fd;

	if (is_loopback())
		return -1;
	snprintf(path, sizeof(path), "%s/%s", folder ? folder : NAMESPACES, names[side]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		bench_fail(path);
	return fd;
}

void net_enter(int space)
{
	if (space >= 0 && setns(space, CLONE_NEWNET) != 0)
		bench_fail("entering a network namespace");
}

static void enter(enum net_side side)
{
	int fd = net_open(side);

	net_enter(fd);
	if (fd >= 0)
		close(fd);
}

struct sockaddr_in net_address(enum net_side side)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	address.sin_addr.s_addr =
	    htonl((is_loopback() ? INADDR_LOOPBACK : 0x0a000001) + (uint32_t)side);
	return address;
}

void net_set_mtu(int mtu)
{
	for (enum net_side side = NET_LEFT; side <= NET_RIGHT && !is_loopback(); side++) {
		struct ifreq request = {.ifr_mtu = mtu};
		int fd;

		enter(side);
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		strcpy(request.ifr_name, interfaces[side]);
		if (fd < 0 || ioctl(fd, SIOCSIFMTU, &request) != 0)
			bench_fail("setting the MTU");
		close(fd);
	}
}

/* A socket of one side, bound to its address at a port the kernel chooses, which *bound tells. */
static int make_socket(enum net_side side, int type, int buffer_size, struct sockaddr_in *bound)
{
	socklen_t size = sizeof(*bound);
	int fd;

	enter(side);
	fd = socket(AF_INET, type, 0);
	if (fd < 0)
		bench_fail("socket");
	if (buffer_size > 0) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof(buffer_size));
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof(buffer_size));
	}
	*bound = net_address(side);
	if (bind(fd, (struct sockaddr *)bound, size) != 0)
		bench_fail("bind");
	if (getsockname(fd, (struct sockaddr *)bound, &size) != 0)
		bench_fail("getsockname");
	return fd;
}

void net_connect(int ends[2], int buffer_size)
{
	struct sockaddr_in left, right;
	int listener = make_socket(NET_RIGHT, SOCK_STREAM, buffer_size, &right);

	if (listen(listener, 1) != 0)
		bench_fail("listen");
	ends[NET_LEFT] = make_socket(NET_LEFT, SOCK_STREAM, buffer_size, &left);
	if (connect(ends[NET_LEFT], (struct sockaddr *)&right, sizeof(right)) != 0)
		bench_fail("connect to the right end");
	ends[NET_RIGHT] = accept(listener, NULL, NULL);
	if (ends[NET_RIGHT] < 0)
		bench_fail("accept");
	close(listener);
}

void net_datagrams(int ends[2])
{
	struct timeval second = {.tv_sec = 1};
	struct sockaddr_in bound[2];

	for (enum net_side side = NET_LEFT; side <= NET_RIGHT; side++)
		ends[side] = make_socket(side, SOCK_DGRAM, 0, &bound[side]);
	for (enum net_side side = NET_LEFT; side <= NET_RIGHT; side++) {
		struct sockaddr *other = (struct sockaddr *)&bound[!side];

		if (connect(ends[side], other, sizeof(bound[!side])) != 0)
			bench_fail("connect of datagrams");
		setsockopt(ends[side], SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	}
}

/* The byte at a place of the stream is its place modulo PERIOD. */
static unsigned char content[PERIOD + NET_CHUNK_MAX];

static void make_content(void)
{
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (unsigned char)(i % PERIOD);
}

static bool is_content(const unsigned char *data, size_t size, uint64_t place)
{
	if (data[size - 1] != (place + size - 1) % PERIOD)
		return false;
	for (size_t i = 0; i < size; i += STRIDE)
		if (data[i] != (place + i) % PERIOD)
			return false;
	return true;
}

static bool send_bytes(int fd, uint64_t n, size_t chunk)
{
	for (uint64_t sent = 0; sent < n;) {
		size_t part = n - sent < chunk ? (size_t)(n - sent) : chunk;
		ssize_t done = write(fd, content + sent % PERIOD, part);

		if (done <= 0)
			return false;
		sent += (uint64_t)done;
	}
	return true;
}

static bool receive_bytes(int fd, uint64_t n, size_t chunk)
{
	static unsigned char data[NET_CHUNK_MAX];

	for (uint64_t got = 0; got < n;) {
		size_t part = n - got < chunk ? (size_t)(n - got) : chunk;
		ssize_t done = read(fd, data, part);

		if (done <= 0)
			return false;
		if (!is_content(data, (size_t)done, got)) {
			errno = EBADMSG;
			return false;
		}
		got += (uint64_t)done;
	}
	return true;
}

static bool send_word(int fd)
{
	return write(fd, "", 1) == 1;
}

static bool await_word(int fd)
{
	char word;

	errno = EPIPE; /* what an end without a word means */
	return read(fd, &word, 1) == 1;
}

/* The child is there and waiting when the clock starts: it says so, or is told so. */
void net_send(const struct net_stream *stream, uint64_t n, struct bench_time *t)
{
	int ends[2];
	pid_t right;

	make_content();
	net_connect(ends, stream->buffer_size);
	right = child_start();
	if (right == 0) {
		close(ends[NET_LEFT]);
		_exit(!(send_word(ends[NET_RIGHT]) &&
			receive_bytes(ends[NET_RIGHT], n, stream->chunk) &&
			send_word(ends[NET_RIGHT])));
	}
	close(ends[NET_RIGHT]);
	if (!await_word(ends[NET_LEFT]))
		bench_fail("the right end was not ready");
	bench_start(t);
	if (!send_bytes(ends[NET_LEFT], n, stream->chunk))
		bench_fail("sending");
	if (!await_word(ends[NET_LEFT]))
		bench_fail("the right end got less, or something else");
	bench_stop(t, n);
	close(ends[NET_LEFT]);
	child_stop(right);
}

void net_receive(const struct net_stream *stream, uint64_t n, struct bench_time *t)
{
	int ends[2];
	pid_t right;

	make_content();
	net_connect(ends, stream->buffer_size);
	right = child_start();
	if (right == 0) {
		close(ends[NET_LEFT]);
		_exit(!(await_word(ends[NET_RIGHT]) &&
			send_bytes(ends[NET_RIGHT], n, stream->chunk)));
	}
	close(ends[NET_RIGHT]);
	bench_start(t);
	if (!send_word(ends[NET_LEFT]) || !receive_bytes(ends[NET_LEFT], n, stream->chunk))
		bench_fail("receiving");
	bench_stop(t, n);
	close(ends[NET_LEFT]);
	child_stop(right);
}
