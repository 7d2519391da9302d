// SPDX-License-Identifier: MIT
/*
 * `int n`: the guest kernel needs a gate of ring 1 or outer, an application one of ring 3; a closed
 * or missing gate is a general protection fault at the instruction, also for vector 0x80, which our
 * own table lets pass.
 */
#include "guest.h"

static u8 user_stack[PAGE_SIZE] __page_aligned;
static unsigned int step;
extern char int21[], int80[];

static void int_21(u64 unused)
{
	(void)unused;
	asm volatile("int21: int $0x21");
}

static void int_80(u64 unused)
{
	(void)unused;
	asm volatile("int80: int $0x80");
}

/* Handlers for the exceptions, and one for vector with this ring. */
static void set_gate(u8 vector, u8 ring)
{
	static struct trap_info table[34];

	for (unsigned int i = 0; i < 32; i++)
		table[i] = (struct trap_info){(u8)i, 4, FLAT_KERNEL_CS, (u64)trap_stubs + i * 16};
	table[32] = (struct trap_info){vector, ring | 4, FLAT_KERNEL_CS, (u64)int80_stub};
	expect(call1(__HYPERVISOR_set_trap_table, 0), 0);
	expect(call1(__HYPERVISOR_set_trap_table, table), 0);
}

static void refused(void (*fn)(u64), u8 vector, const char *at)
{
	expect(catch_trap(fn, 0), 13);
	expect(last_trap.error, vector * 8 + 2);
	expect(last_trap.rip, at);
}

/* The stub of 0x80 serves both: what it reports is that it was reached. */
static void reached(void (*fn)(u64), const char *at)
{
	expect(catch_trap(fn, 0), 0x80);
	expect(last_trap.rip, at + 2);
}

static void user(void)
{
	asm volatile("user_int: int $0x21; int $0x21; int $0x80; int $0x80");
	for (;;)
		;
}
extern char user_int[];

static void hook(struct guest_regs *r)
{
	check((r->cs & 3) == 3);
	switch (step++) {
	case 0: /* ring 2 is not enough for an application */
		expect(r->vector, 13);
		expect(r->error, 0x21 * 8 + 2);
		expect(r->rip, user_int);
		set_gate(0x21, 3);
		break;
	case 1: /* the same again */
	case 2:
		expect(r->vector, 0x80);
		expect(r->rip, user_int + step * 2 - 2);
		break;
	case 3: /* no handler of 0x80 */
		expect(r->vector, 13);
		expect(r->error, 0x80 * 8 + 2);
		expect(r->rip, user_int + 4);
		set_gate(0x80, 3);
		break;
	case 4:
		expect(r->vector, 0x80);
		expect(r->rip, user_int + 6);
		finish();
	}
	r->cs &= 0xffff;
}

void test_main(void)
{
	static struct iret_context frame = {
	    .cs = FLAT_USER_CS, .ss = FLAT_USER_SS, .rflags = 0x202};

	set_gate(0x21, 0);
	refused(int_21, 0x21, int21);
	refused(int_80, 0x80, int80);
	set_gate(0x21, 1);
	reached(int_21, int21);
	refused(int_80, 0x80, int80);
	set_gate(0x21, 3);
	reached(int_21, int21);
	set_gate(0x80, 0);
	reached(int_80,
		int80); /* our own gate of 0x80 is open to all, and the guest's is not asked */
	refused(int_21, 0x21, int21);
	set_gate(0x21, 2);
	trap_hook = hook;
	frame.rip = (u64)user;
	frame.rsp = (u64)user_stack + PAGE_SIZE;
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	expect(call2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, guest_stack_top - 8192), 0);
	guest_iret(&frame);
}
