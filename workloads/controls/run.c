// SPDX-License-Identifier: MIT
/*
 * controls: rows whose result is known beforehand, or nearly so.
 *
 * The CPU loop and the memory rows need nothing of the kernel, so a system that slows them is one
 * that touches user code; the bandwidths are lmbench's bw_pipe and bw_tcp, local.
 */
#include "bench.h"

#define CPU_BLOCK_TURNS 2000000ULL /* of four instructions: 8 ms at one per nanosecond */

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

static const struct bench_row rows[] = {
    {.metric = {"cpu_loop"}, .full = 4, .least = 1, .run = cpu_loop},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
