// SPDX-License-Identifier: MIT
/*
 * System calls of an application where the shortest path does not apply: without a callback they
 * are invalid opcodes, with the instruction pointer at the instruction; a callback registered
 * without mask_events leaves events as they were.
 */
#include "guest.h"
#include <xen/callback.h>

static u8 user_stack[PAGE_SIZE] __page_aligned;
static unsigned int step;
extern char user_syscall[];

static void user(void)
{
	asm volatile("mov $0xabcd, %%ebx\n\t"
		     "std\n"
		     "user_syscall:\n\t"
		     "syscall\n\t"
		     "cld\n\t"
		     "syscall\n\t"
		     "syscall\n\t" ::
			 : "rbx", "rcx", "r11", "memory");
	for (;;)
		;
}

static void register_callback(u16 flags)
{
	struct callback_register op = {
	    .type = CALLBACKTYPE_syscall, .flags = flags, .address = (xen_callback_t)syscall_stub};

	expect(call2(__HYPERVISOR_callback_op, CALLBACKOP_register, &op), 0);
}

static void hook(struct guest_regs *r)
{
	u8 masked = shared->vcpu_info[0].evtchn_upcall_mask;

	check((r->cs & 3) == 3);
	expect(r->rbx, 0xabcd);
	switch (step++) {
	case 0:
		expect(r->vector, 6);
		expect(r->rip, user_syscall);
		expect(masked, 1);
		register_callback(0);
		break;
	case 1: /* the same instruction again */
		expect(r->vector, VECTOR_SYSCALL);
		expect(r->rip, user_syscall + 2);
		expect(masked, 0);
		check(r->r11 & 0x400);
		check(r->rflags & 0x400);
		register_callback(CALLBACKF_mask_events);
		break;
	case 2:
		expect(r->vector, VECTOR_SYSCALL);
		expect(masked, 1);
		break;
	default:
		expect(r->vector, VECTOR_SYSCALL);
		finish();
	}
	r->cs &= 0xffff;
}

/* The handler sees flags without the direction flag, whichever way it was entered. */
static void check_direction(struct guest_regs *r)
{
	u64 flags;

	asm volatile("pushfq; popq %0" : "=r"(flags));
	expect(flags & 0x400, 0);
	hook(r);
}

void test_main(void)
{
	static struct iret_context frame = {
	    .cs = FLAT_USER_CS, .ss = FLAT_USER_SS, .rflags = 0x202};
	struct callback_unregister op = {.type = CALLBACKTYPE_syscall};

	frame.rip = (u64)user;
	frame.rsp = (u64)user_stack + PAGE_SIZE;
	trap_hook = check_direction;
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	expect(call2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, guest_stack_top - 8192), 0);
	expect(call2(__HYPERVISOR_callback_op, CALLBACKOP_unregister, &op), 0);
	guest_iret(&frame);
}
