// SPDX-License-Identifier: MIT
/*
 * Applications: entered by iret, left by system call, page fault and exception, with the frames
 * that the ABI promises; GS bases swapped once each way; the registers of the application intact.
 */
#include "guest.h"

static u8 user_stack[PAGE_SIZE] __page_aligned;
static unsigned int step;

#define KERNEL_GS 0x1111000
#define USER_GS	  0x2222000

static u64 gs_base(void)
{
	u64 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(0xc0000101));
	return lo | hi << 32;
}

/* Three system calls with known registers, a page fault, an invalid opcode, a breakpoint. */
static void user(void)
{
	asm volatile("mov $0xabcd, %%rbx\n\t"
		     "mov $7, %%eax\n\t"
		     "std\n\t"
		     "syscall\n\t"
		     "cld\n\t"
		     "mov $8, %%eax\n\t"
		     "syscall\n\t"
		     "mov $0x3000, %%ecx\n\t"
		     "movb $1, (%%rcx)\n\t"
		     "ud2\n\t"
		     "int3\n\t"
		     "hlt\n\t"
		     "mov $9, %%eax\n\t"
		     "syscall\n\t" ::
			 : "rax", "rbx", "rcx", "r11", "memory");
	for (;;)
		;
}

static void hook(struct guest_regs *r)
{
	check((r->cs & 3) == 3);
	check(gs_base() == KERNEL_GS);
	check(shared->vcpu_info[0].evtchn_upcall_mask == 1);
	check(r->rsp > (u64)user_stack && r->rsp <= (u64)user_stack + PAGE_SIZE);
	switch (step++) {
	case 0:
		expect(r->vector, VECTOR_SYSCALL);
		expect(r->rax, 7);
		expect(r->rbx, 0xabcd);
		check(r->r11 & 0x400); /* the direction flag was set there and is clear here */
		check(r->rip == r->rcx);
		break;
	case 1:
		expect(r->vector, VECTOR_SYSCALL);
		expect(r->rax, 8);
		break;
	case 2:
		expect(r->vector, 14);
		expect(r->error, 6);
		expect(shared->vcpu_info[0].arch.cr2, 0x3000);
		expect(r->rcx, 0x3000);
		expect(r->rbx, 0xabcd);
		r->rip += 3;
		break;
	case 3:
		expect(r->vector, 6);
		r->rip += 2;
		break;
	case 4:
		expect(r->vector, 3);
		break;
	case 5:
		expect(r->vector, 13);
		r->rip += 1;
		break;
	case 6:
		expect(r->vector, VECTOR_SYSCALL);
		expect(r->rax, 9);
		finish();
	}
	r->cs |= 3;
	r->cs &= 0xffff;
}

void test_main(void)
{
	static struct iret_context frame = {
	    .cs = FLAT_USER_CS, .ss = FLAT_USER_SS, .rflags = 0x202};

	frame.rip = (u64)user;
	frame.rsp = (u64)user_stack + PAGE_SIZE;
	trap_hook = hook;
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	expect(call2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, guest_stack_top - 8192), 0);
	expect(call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_KERNEL, KERNEL_GS), 0);
	expect(call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER, USER_GS), 0);
	expect(call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER_SEL, 0), 0);
	expect(gs_base(), KERNEL_GS);
	expect(call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER_SEL, 0xe008), 0);
	expect(gs_base(), KERNEL_GS);
	guest_iret(&frame);
}
