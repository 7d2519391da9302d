// SPDX-License-Identifier: MIT
/*
 * ttcp: TCP bandwidth from end to end, the rows of the paper's Table 6.
 *
 * As there: socket buffers of 128 kB at both ends, 400 MB a transfer (at percent=5000), packets of
 * 1500 or 500 bytes. Writes are of 8 KiB, the program's default. Otherwise than there both ends run
 * in one machine, on one processor, on the same system: see README.md.
 */
#include "bench.h"
#include "net.h"

#include <stdio.h>
#include <stdlib.h>

#define MB	 1000000
#define MTU_LEAST 68 /* of IPv4; the kernel takes no less */
#define MTU_MOST  1500

static const struct net_stream stream = {.chunk = 8192, .buffer_size = 128 * 1024};
static uint64_t mtu = MTU_MOST;

static void begin(const struct bench_row *row)
{
	(void)row;
	if (mtu < MTU_LEAST) {
		printf("@rexen fail - bad parameter \"mtu=%llu\": want mtu=%d..%d\n",
		       (unsigned long long)mtu, MTU_LEAST, MTU_MOST);
		exit(2);
	}
	net_set_mtu((int)mtu);
}

static void transmit(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	net_send(&stream, n, t);
}

static void receive(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	net_receive(&stream, n, t);
}

static const struct bench_row rows[] = {
    {{"transmit"}, 8 * MB, MB / 10, transmit, begin, NULL, {0}},
    {{"receive"}, 8 * MB, MB / 10, receive, begin, NULL, {0}},
};

int main(int argc, char **argv)
{
	bench_axis("mtu", &mtu, MTU_MOST);
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
