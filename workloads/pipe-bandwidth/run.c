// SPDX-License-Identifier: MIT
/*
 * pipe-bandwidth: bytes a second through a pipe, by the size of the writes and reads.
 *
 * lmbench's bw_pipe, whose -m is the axis `block`: a sender writes whole blocks, the receiver reads
 * as much of one as it gets. Every pass begins and ends with an empty pipe, for what a pipe holds
 * is more than a pass of small blocks moves. The kernel keeps 64 KiB in a pipe: larger blocks go
 * through in portions.
 */
#include "bench.h"
#include "child.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_MAX (1024 * 1024)

static uint64_t block = 65536;
static char *message;
static pid_t sender;
static int order_fd, receiver_fd;

/* The child: for each order, that many blocks; until there are no more orders. */
static void serve_orders(int orders, int out)
{
	uint64_t n;

	while (read(orders, &n, sizeof(n)) == sizeof(n))
		for (; n > 0; n--)
			if (write(out, message, block) != (ssize_t)block)
				_exit(1);
	_exit(0);
}

static void begin(const struct bench_row *row)
{
	int orders[2], data[2];

	(void)row;
	message = malloc(block);
	if (!message || pipe(orders) != 0 || pipe(data) != 0)
		bench_fail("memory and pipes");
	memset(message, 1, block);
	sender = child_start();
	if (sender == 0) {
		close(orders[1]);
		close(data[0]);
		serve_orders(orders[0], data[1]);
	}
	close(orders[0]);
	close(data[1]);
	order_fd = orders[1];
	receiver_fd = data[0];
}

static void finish(const struct bench_row *row)
{
	(void)row;
	close(order_fd);
	close(receiver_fd);
	child_stop(sender);
	free(message);
}

/* The loop count's unit: a native millisecond, whatever the block. A byte takes about 0.8 ns. */
static uint64_t blocks_per_unit(void)
{
	return 1000000 / (2100 + block * 4 / 5);
}

/* The order is timed too: 8 bytes more beside what is counted. */
static void move_blocks(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	uint64_t blocks = n * blocks_per_unit(), want = blocks * block, got = 0;

	(void)row;
	bench_start(t);
	if (write(order_fd, &blocks, sizeof(blocks)) != sizeof(blocks))
		bench_fail("write to the sender");
	while (got < want) {
		ssize_t part = read(receiver_fd, message, block);

		if (part <= 0)
			bench_fail("read from the sender");
		got += (uint64_t)part;
	}
	bench_stop(t, got);
}

static const struct bench_row rows[] = {
    {{"bandwidth"}, 20, 1, move_blocks, begin, finish, {0}},
};

int main(int argc, char **argv)
{
	bench_axis("block", &block, BLOCK_MAX);
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
