// SPDX-License-Identifier: MIT
/*
 * The iret hypercall with the stack pointer in the hypervisor's half, aimed at where its direct map
 * shows a page of ours that holds a perfect frame. Read without a check, the frame would work; it
 * must be refused and the guest crashed. Reaching the application is a failure.
 */
#include "guest.h"

static u8 user_stack[PAGE_SIZE] __page_aligned;
static struct iret_context frame __page_aligned;

static void user(void)
{
	asm volatile("syscall");
	for (;;)
		;
}

static void hook(struct guest_regs *r)
{
	(void)r;
	check(!"the frame was read through the hypervisor's own mapping");
	finish();
}

void test_main(void)
{
	trap_hook = hook;
	frame = (struct iret_context){.cs = FLAT_USER_CS,
				      .ss = FLAT_USER_SS,
				      .rflags = 0x202,
				      .rip = (u64)user,
				      .rsp = (u64)user_stack + PAGE_SIZE};
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	guest_iret((void *)(0xffff830000000000ull + (va_to_mfn(&frame) << PAGE_SHIFT)));
}
