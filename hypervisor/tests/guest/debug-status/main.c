// SPDX-License-Identifier: MIT
/*
 * DR6 says what happened in this domain, not in the one before: after a while, in which a neighbour
 * may have stepped and stopped, an exception without a cause in DR6 finds it as after reset.
 */
#include "guest.h"

#define DR6_RESET 0xffff0ff0ull

static void int1(u64 unused)
{
	(void)unused;
	asm volatile(".byte 0xf1");
}

static void single_step(u64 unused)
{
	(void)unused;
	asm volatile("pushf; orq $0x100, (%rsp); popf; nop; nop");
}

void test_main(void)
{
	for (unsigned int i = 0; i < 200; i++)
		call2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	expect(catch_trap(int1, 0), 1);
	expect(call1(__HYPERVISOR_get_debugreg, 6), DR6_RESET);
	expect(catch_trap(single_step, 0), 1);
	expect(call1(__HYPERVISOR_get_debugreg, 6), DR6_RESET | 0x4000);
	expect(call2(__HYPERVISOR_set_debugreg, 6, 0), 0);
	expect(catch_trap(int1, 0), 1);
	expect(call1(__HYPERVISOR_get_debugreg, 6), DR6_RESET);
}
