// SPDX-License-Identifier: MIT
/*
 * The other domain: works quietly, checks its memory all the time and prints the same lines however
 * its neighbour behaves. The runner compares its output with and without an attacker, but for the
 * last line, which tells how long it was kept waiting. Option rounds=N.
 */
#include "guest.h"

#define PAGES 256

static u64 memory[PAGES][512] __page_aligned;

static u64 pattern(u64 round, u64 i)
{
	return (round * 0x9e3779b97f4a7c15ull) ^ (i * 0xc2b2ae3d27d4eb4full);
}

void test_main(void)
{
	u64 rounds = number_option("rounds", 40);

	for (u64 round = 0; round < rounds; round++) {
		u64 sum = 0, bad = 0;

		for (u64 i = 0; i < PAGES * 512; i++) {
			if (i % 512 == 0)
				look_at_clock();
			memory[i / 512][i % 512] = pattern(round, i);
		}
		for (u64 y = 0; y < 4; y++) {
			call2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
			look_at_clock();
		}
		for (u64 i = 0; i < PAGES * 512; i++) {
			if (i % 512 == 0)
				look_at_clock();
			bad += memory[i / 512][i % 512] != pattern(round, i);
			sum += memory[i / 512][i % 512];
		}
		check(bad == 0);
		say("round %lu sum %016lx\n", round, sum);
	}
	say("longest gap %lu ns\n", longest_gap);
}
