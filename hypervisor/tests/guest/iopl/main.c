// SPDX-License-Identifier: MIT
/*
 * Virtual IOPL: set_iopl, the port bitmap and the architectural assist decide whether cli, sti, in
 * and out fault or are emulated, for the guest kernel and for applications. Frames show IOPL, and
 * iret sets it, only under the assist.
 */
#include "guest.h"
#include <xen/physdev.h>

#define IOPL(n) ((u64)(n) << 12)

static u8 user_stack[PAGE_SIZE] __page_aligned;
static u8 bitmap[2 * PAGE_SIZE + 1] __page_aligned;
static unsigned int step;

static void cli(u64 unused)
{
	(void)unused;
	asm volatile("cli; sti");
}

static void in(u64 port)
{
	asm volatile("inb %%dx" : : "d"(port) : "rax");
}

static void out(u64 port)
{
	asm volatile("outl %%eax, %%dx" : : "d"(port), "a"(0));
}

static void in_imm(u64 unused)
{
	u64 rax = 0x1234;

	(void)unused;
	asm volatile("inb $0x80" : "+a"(rax));
	expect(rax, 0x12ff);
}

static void invalid(u64 unused)
{
	(void)unused;
	asm volatile("ud2");
}

static long set_iopl(u32 iopl)
{
	struct physdev_set_iopl op = {.iopl = iopl};

	return call2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &op);
}

static long set_bitmap(void *at, u32 ports)
{
	struct physdev_set_iobitmap op = {.nr_ports = ports};

	op.bitmap.p = at;
	return call2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, &op);
}

static void assist(bool on)
{
	expect(call2(__HYPERVISOR_vm_assist, on ? VMASST_CMD_enable : VMASST_CMD_disable,
		     VMASST_TYPE_architectural_iopl),
	       0);
}

/* What the frame of an exception shows. */
static u64 shown(void)
{
	expect(catch_trap(invalid, 0), 6);
	return last_trap.rflags & IOPL(3);
}

static void all_work(int want)
{
	u8 mask = shared->vcpu_info[0].evtchn_upcall_mask;

	expect(catch_trap(cli, 0), want);
	expect(catch_trap(in, 0x80), want);
	expect(catch_trap(out, 0xffff), want);
	expect(catch_trap(in_imm, 0), want);
	expect(shared->vcpu_info[0].evtchn_upcall_mask, mask);
}

static void kernel(void)
{
	all_work(13); /* IOPL starts at 0, and the kernel counts as ring 1 */
	expect(set_iopl(4), -EINVAL);
	expect(call2(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, 16), -EFAULT);
	all_work(13);
	expect(set_iopl(1), 0);
	all_work(-1);
	expect(shown(), 0);
	expect(set_iopl(0), 0);
	all_work(13);
	assist(true);
	all_work(-1); /* now it counts as ring 0 */
	expect(shown(), 0);
	expect(set_iopl(2), 0);
	expect(shown(), IOPL(2));
	assist(false);
	expect(shown(), 0);
	all_work(-1);
	expect(set_iopl(0), 0);
}

static void single_ports(void)
{
	memset(bitmap, 0xff, sizeof(bitmap));
	bitmap[0x80 / 8] = 0xfe;
	bitmap[0xfffc / 8] = 0x0f;
	expect(set_bitmap(bitmap, 0x10001), -EINVAL);
	expect(set_bitmap((void *)0xffff830000000000ull, 0x10000), -EINVAL);
	expect(set_bitmap(bitmap, 0x10000), 0);
	expect(catch_trap(in, 0x80), -1);
	expect(catch_trap(in, 0x81), 13);
	expect(catch_trap(out, 0x80), 13); /* four ports */
	expect(catch_trap(out, 0xfffc), -1);
	expect(catch_trap(out, 0xfffd), 13); /* the last would be beyond */
	expect(catch_trap(cli, 0), 13);
	expect(set_bitmap((void *)0x1000, 0x10000), 0);
	expect(catch_trap(in, 0x80), 13); /* unreadable */
	expect(set_bitmap(bitmap, 0x80), 0);
	expect(catch_trap(in, 0x80), 13);
	expect(set_bitmap(NULL, 0), 0);
	expect(catch_trap(in, 0x80), 13);
}

/* Each stop is a system call or a fault; the hook below says which, and what changes then. */
static void user(void)
{
	asm volatile("syscall\n\t"   /* 0: IOPL is 0 */
		     "inb $0x80\n\t" /* 1: faults; then the bitmap allows it */
		     "inb $0x81\n\t" /* 2: faults; then IOPL is 3 */
		     "cli\n\t"
		     "sti\n\t"
		     "mov %%cr0, %%rax\n\t" /* 3: IOPL does not help */
		     "syscall\n\t"	    /* 4: no trace of IOPL; then the assist is on */
		     "syscall\n\t"	    /* 5: IOPL shows; then iret sets 1 */
		     "cli\n\t"		    /* 6: faults, with 1 in its frame; iret sets 3 */
		     "movb $1, 0x3000\n\t"  /* 7: page fault */
		     "syscall\n\t" /* 8: the end */ ::
			 : "rax", "rcx", "r11", "memory");
	for (;;)
		;
}

static void hook(struct guest_regs *r)
{
	static const u16 vector[] = {
	    VECTOR_SYSCALL, 13, 13, 13, VECTOR_SYSCALL, VECTOR_SYSCALL, 13, 14, VECTOR_SYSCALL};
	static const u8 shows[] = {0, 0, 0, 0, 0, 3, 1, 3, 3};

	check((r->cs & 3) == 3);
	expect(r->vector, vector[step]);
	expect(r->rflags & IOPL(3), IOPL(shows[step]));
	switch (step++) {
	case 1:
		expect(set_bitmap(bitmap, 0x10000), 0);
		break;
	case 2:
		expect(set_iopl(3), 0);
		break;
	case 3:
		r->rip += 3;
		break;
	case 4:
		assist(true);
		r->rflags |= IOPL(3);
		break;
	case 5:
		r->rflags = (r->rflags & ~IOPL(3)) | IOPL(1);
		break;
	case 6:
		r->rflags |= IOPL(3);
		break;
	case 7:
		r->rip += 8;
		break;
	case 8:
		finish();
	}
	r->cs &= 0xffff;
}

void test_main(void)
{
	static struct iret_context frame = {
	    .cs = FLAT_USER_CS, .ss = FLAT_USER_SS, .rflags = 0x202};

	trap_hook = hook;
	kernel();
	single_ports();
	frame.rip = (u64)user;
	frame.rsp = (u64)user_stack + PAGE_SIZE;
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	expect(call2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, guest_stack_top - 8192), 0);
	guest_iret(&frame);
}
