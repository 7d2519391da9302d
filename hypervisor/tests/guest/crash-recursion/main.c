// SPDX-License-Identifier: MIT
/*
 * The handler of an exception raises the same exception: frame upon frame until the stack leaves
 * the guest's memory. The hypervisor must neither recurse with it nor loop.
 */
#include "guest.h"

static void handler(void)
{
	asm volatile("ud2");
}

void test_main(void)
{
	static struct trap_info t[2];

	t[0] = (struct trap_info){6, 4, FLAT_KERNEL_CS, (u64)handler};
	expect(call1(__HYPERVISOR_set_trap_table, t), 0);
	/* Below the code, so that the frames do not overwrite the handler. */
	asm volatile("mov %0, %%rsp; ud2" ::"r"(VIRT_BASE + 0x80000) : "memory");
}
