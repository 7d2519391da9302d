// SPDX-License-Identifier: MIT
/*
 * A system call of an application where the guest has neither a callback for it nor a handler for
 * invalid opcodes: the domain ends. It must not run its kernel at address 0.
 */
#include "guest.h"
#include <xen/callback.h>

static u8 user_stack[PAGE_SIZE] __page_aligned;

static void user(void)
{
	asm volatile("syscall");
	for (;;)
		;
}

/* Page faults have a handler: one at address 0 would be reported, as RESULT ERROR. */
static void all_handlers_but_invalid_opcode(void)
{
	static struct trap_info table[32];
	unsigned int n = 0;

	for (unsigned int i = 0; i < 32; i++)
		if (i != 6)
			table[n++] =
			    (struct trap_info){(u8)i, 4, FLAT_KERNEL_CS, (u64)trap_stubs + i * 16};
	call1(__HYPERVISOR_set_trap_table, 0);
	call1(__HYPERVISOR_set_trap_table, table);
}

void test_main(void)
{
	static struct iret_context frame = {
	    .cs = FLAT_USER_CS, .ss = FLAT_USER_SS, .rflags = 0x202};
	struct callback_unregister op = {.type = CALLBACKTYPE_syscall};

	frame.rip = (u64)user;
	frame.rsp = (u64)user_stack + PAGE_SIZE;
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	expect(call2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, guest_stack_top - 8192), 0);
	expect(call2(__HYPERVISOR_callback_op, CALLBACKOP_unregister, &op), 0);
	all_handlers_but_invalid_opcode();
	guest_iret(&frame);
}
