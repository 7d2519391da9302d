// SPDX-License-Identifier: MIT
/*
 * An application's system call finds a guest kernel stack that is not there: the hypervisor's own
 * push faults on the guest's stack pointer, becomes a double fault, and only the guest dies.
 */
#include "guest.h"

static u8 user_stack[PAGE_SIZE] __page_aligned;

static void user(void)
{
	asm volatile("syscall");
	for (;;)
		;
}

void test_main(void)
{
	struct iret_context frame = {.cs = FLAT_USER_CS,
				     .ss = FLAT_USER_SS,
				     .rflags = 0x202,
				     .rip = (u64)user,
				     .rsp = (u64)user_stack + PAGE_SIZE};

	/* The same tables for both modes will do. */
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	expect(call2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, 0x7000), 0);
	guest_iret(&frame);
}
