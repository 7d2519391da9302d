// SPDX-License-Identifier: MIT
/*
 * controls: rows whose result is known beforehand, or nearly so.
 *
 * The CPU loop and the memory rows need nothing of the kernel, so a system that slows them is one
 * that touches user code. The bandwidths are lmbench's bw_mem (frd, fwr, fcp: every word of a
 * buffer is read, written, copied, by plain loads and stores, since the copy loop of the C library
 * depends on the CPU's features), bw_pipe and bw_tcp on loopback, both in 64 KiB messages.
 */
#include "bench.h"
#include "child.h"
#include "tcp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPU_BLOCK_TURNS 2000000ULL /* of four instructions: 8 ms at one per nanosecond */
#define MEMORY_SIZE	(4 * 1024 * 1024)
#define MEMORY_WORDS	(MEMORY_SIZE / sizeof(uint64_t))
#define MESSAGE_SIZE	65536
#define SOCKET_BUFFER	(1024 * 1024)

/* Assembly, so that no compiler changes how many instructions a turn has. */
static void cpu_loop(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	uint64_t value = 1;

	(void)row;
	bench_start(t);
	for (uint64_t block = 0; block < n; block++) {
		uint64_t turns = CPU_BLOCK_TURNS;

		__asm__ volatile("1: imul $1103515245, %0, %0\n"
				 "   add $12345, %0\n"
				 "   dec %1\n"
				 "   jnz 1b\n"
				 : "+r"(value), "+r"(turns)
				 :
				 : "cc");
	}
	bench_stop(t, n);
	bench_use(value);
}

static uint64_t *from, *to;

static void memory_begin(const struct bench_row *row)
{
	(void)row;
	from = aligned_alloc(4096, MEMORY_SIZE);
	to = aligned_alloc(4096, MEMORY_SIZE);
	if (!from || !to)
		bench_fail("memory");
	memset(from, 1, MEMORY_SIZE);
	memset(to, 2, MEMORY_SIZE);
}

static void memory_finish(const struct bench_row *row)
{
	(void)row;
	free(from);
	free(to);
}

static void memory_read(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	uint64_t sum = 0;

	(void)row;
	bench_start(t);
	for (uint64_t pass = 0; pass < n; pass++) {
#pragma GCC unroll 16
		for (size_t i = 0; i < MEMORY_WORDS; i++)
			sum += from[i];
		bench_use(sum);
	}
	bench_stop(t, n * MEMORY_SIZE);
}

static void memory_write(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	bench_start(t);
	for (uint64_t pass = 0; pass < n; pass++) {
#pragma GCC unroll 16
		for (size_t i = 0; i < MEMORY_WORDS; i++)
			to[i] = pass;
		bench_use(to[0]);
	}
	bench_stop(t, n * MEMORY_SIZE);
}

static void memory_copy(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	bench_start(t);
	for (uint64_t pass = 0; pass < n; pass++) {
#pragma GCC unroll 16
		for (size_t i = 0; i < MEMORY_WORDS; i++)
			to[i] = from[i];
		bench_use(to[0]);
	}
	bench_stop(t, n * MEMORY_SIZE);
}

static char message[MESSAGE_SIZE];
static pid_t sender;
static int receiver_fd;

/* The child: sends until nobody takes any more, or until it is killed. */
static void send_for_ever(int fd)
{
	memset(message, 1, sizeof(message));
	while (write(fd, message, sizeof(message)) > 0)
		;
	_exit(0);
}

static void pipe_begin(const struct bench_row *row)
{
	int ends[2];

	(void)row;
	if (pipe(ends) != 0)
		bench_fail("pipe");
	sender = child_start();
	if (sender == 0) {
		close(ends[0]);
		send_for_ever(ends[1]);
	}
	close(ends[1]);
	receiver_fd = ends[0];
}

static void tcp_begin(const struct bench_row *row)
{
	uint16_t port;
	int listener = tcp_listen(&port, SOCKET_BUFFER);

	(void)row;
	sender = child_start();
	if (sender == 0)
		send_for_ever(tcp_accept(listener));
	receiver_fd = tcp_connect(port, SOCKET_BUFFER);
	close(listener);
}

/* n messages' worth of bytes, in whatever portions they come. */
static void receive(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	uint64_t want = n * MESSAGE_SIZE, got = 0;

	(void)row;
	bench_start(t);
	while (got < want) {
		uint64_t left = want - got;
		ssize_t part =
		    read(receiver_fd, message, left < sizeof(message) ? left : sizeof(message));

		if (part <= 0)
			bench_fail("read from the sender");
		got += (uint64_t)part;
	}
	bench_stop(t, got);
}

static void receive_finish(const struct bench_row *row)
{
	(void)row;
	close(receiver_fd);
	child_stop(sender);
}

static const struct bench_row rows[] = {
    {{"cpu_loop"}, 4, 1, cpu_loop, NULL, NULL, {0}},
    {{"mem_read"}, 50, 1, memory_read, memory_begin, memory_finish, {0}},
    {{"mem_write"}, 50, 1, memory_write, memory_begin, memory_finish, {0}},
    {{"mem_copy"}, 25, 1, memory_copy, memory_begin, memory_finish, {0}},
    {{"pipe_bandwidth"}, 1600, 32, receive, pipe_begin, receive_finish, {0}},
    {{"tcp_bandwidth"}, 1600, 32, receive, tcp_begin, receive_finish, {0}},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
