// SPDX-License-Identifier: MIT
/*
 * A 32-bit application: `syscall` goes to the callback of its own, or is an invalid opcode, never
 * to the one of 64-bit code; `int 0x80` and faults carry its code segment, and iret returns to it.
 */
#include "guest.h"
#include <hv/pagetable.h>
#include <xen/callback.h>

#define CODE  0x400000ull
#define STACK 0x401000ull /* never used */

static u64 l3[512] __page_aligned, l2[512] __page_aligned, l1[512] __page_aligned;
static u8 code[PAGE_SIZE] __page_aligned;
static unsigned int step;

static const u8 program[] = {
    0xb8, 0x34, 0x12, 0x00, 0x00, /* 0: mov $0x1234, %eax */
    0xfd,			  /* 5: std */
    0x0f, 0x05,			  /* 6: syscall, twice */
    0xcd, 0x80,			  /* 8: int $0x80 */
    0xe4, 0x80,			  /* a: in $0x80, %al */
    0x40,			  /* c: inc %eax, which is a prefix in 64-bit code */
    0xcd, 0x80,			  /* d: int $0x80 */
};

static void hook(struct guest_regs *r)
{
	struct callback_register op = {.type = CALLBACKTYPE_syscall32,
				       .flags = CALLBACKF_mask_events,
				       .address = (xen_callback_t)syscall_stub};
	static const u16 vector[] = {6, VECTOR_SYSCALL, 0x80, 13, 0x80};
	static const u8 at[] = {0x6, 0x8, 0xa, 0xa, 0xf};

	expect(r->vector, vector[step]);
	expect(r->rip, CODE + at[step]);
	expect(r->cs & 0xffff, FLAT_USER_CS32);
	expect(r->ss, FLAT_USER_SS32);
	expect(r->rsp, STACK);
	check(r->rflags & 0x400);
	switch (step++) {
	case 0:
		expect(r->rax, 0x1234);
		expect(call2(__HYPERVISOR_callback_op, CALLBACKOP_register, &op), 0);
		break;
	case 3: /* no right to ports */
		r->rip += 2;
		break;
	case 4:
		expect(r->rax, 0x1235);
		finish();
	}
	r->cs &= 0xffff;
}

/* The program below four gigabytes, where 32-bit code can be. */
static void map_low(void)
{
	l1[pt_index(CODE, 1)] = RO(va_to_mfn(code));
	l2[pt_index(CODE, 2)] = RW(va_to_mfn(l1));
	l3[pt_index(CODE, 3)] = RW(va_to_mfn(l2));
	expect(remap(l1, RO(va_to_mfn(l1))), 0);
	expect(remap(l2, RO(va_to_mfn(l2))), 0);
	expect(remap(l3, RO(va_to_mfn(l3))), 0);
	expect(mmu_update(pte_address(CODE, 4), RW(va_to_mfn(l3))), 0);
}

void test_main(void)
{
	static struct iret_context frame = {
	    .cs = FLAT_USER_CS32, .ss = FLAT_USER_SS32, .rflags = 0x202, .rip = CODE, .rsp = STACK};

	memcpy(code, program, sizeof(program));
	map_low();
	trap_hook = hook;
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	expect(call2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, guest_stack_top - 8192), 0);
	guest_iret(&frame);
}
