// SPDX-License-Identifier: MIT
/*
 * network: what crosses the two network cards: streams, single bytes, small packets.
 *
 * Packets go in bursts that are each answered by one, so that none is lost for want of a buffer;
 * one that is lost all the same ends the workload.
 */
#include "bench.h"
#include "child.h"
#include "net.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#define MB	   1000000
#define BURST	   32
#define PACKET	   64
#define OUT_OF_ROW UINT32_MAX

static const struct net_stream stream = {.chunk = NET_CHUNK_MAX};
static pid_t right;
static int left_fd;

static void stream_right(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	net_send(&stream, n, t);
}

static void stream_left(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	net_receive(&stream, n, t);
}

static void echo_for_ever(int fd)
{
	unsigned char byte;

	while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
		;
	_exit(0);
}

/* Answers each burst with the number of the packet that ended it, or says that one was missing. */
static void answer_bursts(int fd)
{
	uint32_t expected = 0, packet[PACKET / sizeof(uint32_t)];

	for (;;) {
		uint32_t answer = expected;

		if (recv(fd, packet, sizeof(packet), 0) != PACKET)
			continue; /* a second without one: the row is over, or the left end says so */
		if (packet[0] != expected)
			answer = OUT_OF_ROW;
		expected++;
		if (expected % BURST == 0 || answer == OUT_OF_ROW)
			send(fd, &answer, sizeof(answer), 0);
	}
}

static void start_right(int ends[2], void (*serve)(int fd))
{
	right = child_start();
	if (right == 0) {
		close(ends[NET_LEFT]);
		serve(ends[NET_RIGHT]);
	}
	close(ends[NET_RIGHT]);
	left_fd = ends[NET_LEFT];
}

static void round_trip_begin(const struct bench_row *row)
{
	int ends[2];

	(void)row;
	net_connect(ends, 0);
	for (int side = NET_LEFT; side <= NET_RIGHT; side++)
		setsockopt(ends[side], IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	start_right(ends, echo_for_ever);
}

static void round_trip(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	bench_start(t);
	for (uint64_t i = 0; i < n; i++) {
		unsigned char sent = (unsigned char)i, got = (unsigned char)~sent;

		if (write(left_fd, &sent, 1) != 1 || read(left_fd, &got, 1) != 1)
			bench_fail("a byte to the right end and back");
		if (got != sent) {
			errno = EBADMSG;
			bench_fail("another byte came back");
		}
	}
	bench_stop(t, n);
}

static void packets_begin(const struct bench_row *row)
{
	int ends[2];

	(void)row;
	net_datagrams(ends);
	start_right(ends, answer_bursts);
}

/* An operation of the loop is a burst, one of the metric a packet. */
static void packets(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	static uint32_t number, packet[PACKET / sizeof(uint32_t)];

	(void)row;
	bench_start(t);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t answer;

		for (int at = 0; at < BURST; at++) {
			packet[0] = number++;
			if (send(left_fd, packet, PACKET, 0) != PACKET)
				bench_fail("sending a packet");
		}
		if (recv(left_fd, &answer, sizeof(answer), 0) != sizeof(answer))
			bench_fail("a burst was not answered");
		if (answer != number - 1) {
			errno = EBADMSG;
			bench_fail("a packet was lost, or overtaken by another");
		}
	}
	bench_stop(t, n * BURST);
}

static void finish(const struct bench_row *row)
{
	(void)row;
	close(left_fd);
	child_stop(right);
}

static const struct bench_row rows[] = {
    {{"stream_right"}, 8 * MB, MB / 10, stream_right, NULL, NULL, {0}},
    {{"stream_left"}, 8 * MB, MB / 10, stream_left, NULL, NULL, {0}},
    {{"round_trip"}, 200, 4, round_trip, round_trip_begin, finish, {0}},
    {{"packets"}, 64, 1, packets, packets_begin, finish, {0}},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
