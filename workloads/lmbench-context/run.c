// SPDX-License-Identifier: MIT
/*
 * lmbench-context: context switches, the rows of the paper's Table 4, and pipe latency.
 *
 * Written to the published definition of lmbench 3's lat_ctx: processes in a ring of pipes pass a
 * token; each, when it has the token, sums its own array. One process that does the same pipe
 * calls and sums alone, without a switch, gives the overhead. An operation is one hop.
 * pipe_latency is lat_pipe: one byte to a peer and back, nothing subtracted.
 */
#include "bench.h"
#include "child.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCS_MAX 16

struct ring {
	int procs;
	size_t size; /* of each process's array, in bytes */
	int pipes[PROCS_MAX][2];
	pid_t members[PROCS_MAX]; /* [0] is this process and stays 0 */
	uint64_t *array;
};

static struct ring ring;

static void sum_array(const uint64_t *array, size_t size)
{
	uint64_t sum = 0;

#pragma GCC unroll 16
	for (size_t i = 0; i < size / sizeof(*array); i++)
		sum += array[i];
	bench_use(sum);
}

static uint64_t *make_array(size_t size)
{
	uint64_t *array = malloc(size ? size : 1);

	if (!array)
		bench_fail("memory for an array");
	memset(array, 0, size);
	return array;
}

static int put_token(int fd, int *token)
{
	return write(fd, token, sizeof(*token)) == sizeof(*token);
}

static int get_token(int fd, int *token)
{
	return read(fd, token, sizeof(*token)) == sizeof(*token);
}

/* Member i takes the token from pipe i - 1 and hands it on by pipe i; EOF ends it. */
static void ring_member(int i)
{
	uint64_t *array = make_array(ring.size);
	int in = ring.pipes[i - 1][0], out = ring.pipes[i][1], token;

	for (int j = 0; j < ring.procs; j++) {
		if (j != i - 1)
			close(ring.pipes[j][0]);
		if (j != i)
			close(ring.pipes[j][1]);
	}
	while (get_token(in, &token)) {
		sum_array(array, ring.size);
		if (!put_token(out, &token))
			break;
	}
	_exit(0);
}

static void pass_round(void)
{
	int token = 0;

	if (!put_token(ring.pipes[0][1], &token) ||
	    !get_token(ring.pipes[ring.procs - 1][0], &token))
		bench_fail("token in the ring");
}

static void ring_begin(const struct bench_row *row)
{
	ring.procs = (int)row->arg[0];
	ring.size = (size_t)row->arg[1] * 1024;
	ring.array = make_array(ring.size);
	for (int i = 0; i < ring.procs; i++)
		if (pipe(ring.pipes[i]) != 0)
			bench_fail("pipe");
}

static void start_members(void)
{
	for (int i = 1; i < ring.procs; i++) {
		ring.members[i] = child_start();
		if (ring.members[i] == 0)
			ring_member(i);
	}
	pass_round();
}

static void stop_members(void)
{
	for (int i = 1; i < ring.procs; i++)
		child_stop(ring.members[i]);
}

/* The same work in one process: each pipe of the ring in turn, written and read back. */
static void time_alone(uint64_t hops, struct bench_time *t)
{
	int token = 0, i = 0;

	bench_start(t);
	for (uint64_t hop = 0; hop < hops; hop++) {
		if (!put_token(ring.pipes[i][1], &token) || !get_token(ring.pipes[i][0], &token))
			bench_fail("token in a pipe");
		if (++i == ring.procs)
			i = 0;
		sum_array(ring.array, ring.size);
	}
	bench_stop(t, hops);
}

static void context_switch(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	uint64_t rounds = (n + (uint64_t)ring.procs - 1) / (uint64_t)ring.procs;
	uint64_t hops = rounds * (uint64_t)ring.procs;
	struct bench_time alone = {0};

	(void)row;
	time_alone(hops, &alone);
	start_members();
	bench_start(t);
	for (uint64_t round = 0; round < rounds; round++) {
		pass_round();
		sum_array(ring.array, ring.size);
	}
	bench_stop(t, hops);
	stop_members();
	bench_subtract(t, &alone, hops);
}

static void ring_finish(const struct bench_row *row)
{
	(void)row;
	for (int i = 0; i < ring.procs; i++) {
		close(ring.pipes[i][0]);
		close(ring.pipes[i][1]);
	}
	free(ring.array);
}

static int there[2], back[2];
static pid_t pipe_peer;

static void round_trip(void)
{
	char byte = 0;

	if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
		bench_fail("byte through the pipes");
}

static void pipe_begin(const struct bench_row *row)
{
	(void)row;
	if (pipe(there) != 0 || pipe(back) != 0)
		bench_fail("pipe");
	pipe_peer = child_start();
	if (pipe_peer == 0) {
		char byte;

		close(there[1]);
		close(back[0]);
		while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1)
			;
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
	round_trip();
}

static void pipe_latency(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	bench_start(t);
	for (uint64_t i = 0; i < n; i++)
		round_trip();
	bench_stop(t, n);
}

static void pipe_finish(const struct bench_row *row)
{
	(void)row;
	child_stop(pipe_peer);
	close(there[1]);
	close(back[0]);
}

/* arg: processes, KiB of each one's array */
static const struct bench_row rows[] = {
    {{"ctx_2p_0k"}, 6000, 4, context_switch, ring_begin, ring_finish, {2, 0}},
    {{"ctx_2p_16k"}, 3200, 4, context_switch, ring_begin, ring_finish, {2, 16}},
    {{"ctx_2p_64k"}, 2400, 4, context_switch, ring_begin, ring_finish, {2, 64}},
    {{"ctx_8p_16k"}, 3200, 16, context_switch, ring_begin, ring_finish, {8, 16}},
    {{"ctx_8p_64k"}, 2400, 16, context_switch, ring_begin, ring_finish, {8, 64}},
    {{"ctx_16p_16k"}, 3200, 32, context_switch, ring_begin, ring_finish, {16, 16}},
    {{"ctx_16p_64k"}, 2400, 32, context_switch, ring_begin, ring_finish, {16, 64}},
    {{"pipe_latency"}, 2400, 10, pipe_latency, pipe_begin, pipe_finish, {0}},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
