// SPDX-License-Identifier: MIT
/*
 * Debug registers: values after reset, what is refused, and breakpoints that really stop this
 * guest, kernel and application, but neither the hypervisor when it touches what is watched nor, as
 * the test of the undisturbed neighbour sees, another domain.
 */
#include "guest.h"
#include <xen/features.h>

#define OURS	  0xffff830000000000ull
#define DR6_RESET 0xffff0ff0ull
#define DR7_RESET 0x400ull
#define EXECUTE	  0ull
#define WRITE	  1ull
#define PORT	  2ull
#define ACCESS	  3ull
#define LENGTH_4  3ull
#define LENGTH_8  2ull
#define RESUME	  0x10000ull
/* Breakpoint n on, with a condition and a length. */
#define DR7(n, condition, length)                                                                  \
	(1ull << (2 * (n)) | (condition) << (16 + 4 * (n)) | (length) << (18 + 4 * (n)))

static u64 watched[8] __page_aligned;
static u8 user_stack[PAGE_SIZE] __page_aligned;
static unsigned int hits, calls;
static u64 hit_at;

static long set(unsigned int reg, u64 value)
{
	return call2(__HYPERVISOR_set_debugreg, reg, value);
}

static u64 get(unsigned int reg)
{
	return (u64)call1(__HYPERVISOR_get_debugreg, reg);
}

static void arm(const void *at, u64 control)
{
	expect(set(7, 0), 0);
	expect(set(0, (u64)at), 0);
	expect(set(6, DR6_RESET), 0);
	expect(set(7, control), 0);
	hits = 0;
}

static void mov_to_dr0(u64 value)
{
	asm volatile("mov %0, %%db0" ::"r"(value));
}

static void mov_to_dr7(u64 value)
{
	asm volatile("mov %0, %%db7" ::"r"(value));
}

static void values(void)
{
	u64 r8, rax;

	for (unsigned int i = 0; i < 4; i++)
		expect(get(i), 0);
	expect(get(6), DR6_RESET);
	expect(get(7), DR7_RESET);
	expect(get(4), DR6_RESET);
	expect(get(5), DR7_RESET);
	for (unsigned int i = 0; i < 4; i++)
		expect(set(i, 0x1000 + i), 0);
	for (unsigned int i = 0; i < 4; i++)
		expect(get(i), 0x1000 + i);
	/* The same registers by instruction. */
	expect(catch_trap(mov_to_dr0, (u64)watched), -1);
	asm volatile("mov %%db0, %%r8; mov %%r8, %0; mov %%db6, %1" : "=r"(r8), "=r"(rax) : : "r8");
	expect(r8, watched);
	expect(rax, DR6_RESET);
	asm volatile("mov %%db7, %0" : "=r"(rax));
	expect(rax, DR7_RESET);
	/* Reserved bits are as the processor has them. */
	expect(set(6, 0), 0);
	expect(get(6), DR6_RESET);
	expect(set(6, 0xffffffff), 0);
	expect(get(6), 0xffffefff);
	expect(set(7, 0), 0);
	expect(get(7), DR7_RESET);
	expect(set(7, 0xd800), 0);
	expect(get(7), DR7_RESET);
}

static void refusals(void)
{
	expect(set(0, (u64)watched), 0);
	expect(set(0, OURS), -EPERM);
	expect(set(3, 0xffff808000100000ull), -EPERM);
	expect(set(1, 0x0000800000000000ull), -EPERM);
	expect(catch_trap(mov_to_dr0, OURS), 13);
	expect(get(0), watched);
	expect(set(6, 1ull << 32), -EINVAL);
	expect(set(7, 1ull << 32), -EINVAL);
	expect(set(7, 0x2400), -EPERM); /* trap on accesses to debug registers */
	expect(set(7, DR7(1, PORT, 0)), -EPERM);
	expect(catch_trap(mov_to_dr7, DR7(1, PORT, 0)), 13);
	expect(set(8, 0), -ENODEV);
	expect((long)get(8), -ENODEV);
	expect(get(7), DR7_RESET);
}

static void store(u64 value)
{
	WRITE_ONCE(watched[1], value);
}

static void store_byte(u64 at)
{
	WRITE_ONCE(*(u8 *)at, 1);
}

static void load(u64 value)
{
	(void)value;
	(void)READ_ONCE(watched[1]);
}

static __attribute__((noinline)) void target(u64 unused)
{
	(void)unused;
	asm volatile("");
	calls++;
}

static void hook(struct guest_regs *r)
{
	hits++;
	hit_at = r->rip;
	expect(get(6), DR6_RESET | 1);
	expect(r->vector, 1);
	expect(set(6, DR6_RESET), 0);
	r->rflags |= RESUME;
	r->cs &= 0xffff;
	if ((r->cs & 3) == 3 && hits == 2)
		finish();
}

static void breakpoints(void)
{
	arm(&watched[1], DR7(0, WRITE, LENGTH_4));
	expect(catch_trap(load, 0), -1);
	expect(catch_trap(store, 5), 1);
	expect(watched[1], 5); /* a trap: the store is done */
	expect(get(6), DR6_RESET | 1);
	expect(catch_trap(target, 0), -1);
	arm(&watched[1], DR7(0, ACCESS, LENGTH_8));
	expect(catch_trap(load, 0), 1);
	/* What is watched is aligned to its size: four bytes around this one. */
	arm((u8 *)watched + 13, DR7(0, WRITE, LENGTH_4));
	expect(catch_trap(store_byte, (u64)watched + 11), -1);
	expect(catch_trap(store_byte, (u64)watched + 12), 1);
	expect(get(0), (u64)watched + 13);
	/* On an instruction it is a fault, and the resume flag of iret lets it pass once. */
	arm(target, DR7(0, EXECUTE, 0));
	calls = 0;
	target(0);
	target(0);
	expect(hits, 2);
	expect(calls, 2);
	expect(hit_at, target);
	/* Off again. */
	arm(target, 0);
	target(0);
	store(6);
	expect(hits, 0);
}

/* We read and write what is watched, and push to it, on the guest's behalf: no exception of ours,
 * no status of ours in its DR6. */
static void served_while_armed(void)
{
	struct xen_feature_info *fi = (void *)watched;

	fi->submap_idx = 0;
	arm(watched, DR7(0, ACCESS, LENGTH_8));
	expect(call2(__HYPERVISOR_xen_version, XENVER_get_features, fi), 0);
	expect(call3(__HYPERVISOR_console_io, CONSOLEIO_write, 0, watched), 0);
	expect(hits, 0);
	expect(get(6), DR6_RESET);
	/* The exception after a load of SS is held back until after the next instruction:
	 * `syscall`. */
	watched[0] = FLAT_KERNEL_SS;
	expect(set(6, DR6_RESET), 0);
	hits = 0;
	asm volatile("mov $17, %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "mov %0, %%ss\n\t"
		     "syscall"
		     :
		     : "m"(watched[0])
		     : "rax", "rdi", "rcx", "r11", "memory");
	expect(set(7, 0), 0);
}

/* For a while something is watched that the neighbour writes all the time. */
static void armed_beside_a_neighbour(void)
{
	for (unsigned int i = 0; i < 4; i++)
		expect(set(i, VIRT_BASE + 0x180000 + i * 0x10008), 0);
	expect(set(7, DR7(0, WRITE, LENGTH_8) | DR7(1, WRITE, LENGTH_8) | DR7(2, ACCESS, LENGTH_8) |
			  DR7(3, EXECUTE, 0)),
	       0);
	for (unsigned int i = 0; i < 50; i++)
		call2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	expect(hits, 0);
	expect(set(7, 0), 0);
}

/* Two stores: one stops the application, the other is the kernel's stack, which we push to. */
static void user(void)
{
	store(7);
	asm volatile("mov $0x3000, %%eax; movb $0, (%%rax)" ::: "rax", "memory");
	store(8);
	for (;;)
		;
}

static void user_hook(struct guest_regs *r)
{
	if (r->vector == 14) {
		r->rip += 3;
		r->cs &= 0xffff;
		return;
	}
	expect(watched[1], 7 + hits);
	hook(r);
}

void test_main(void)
{
	static struct iret_context frame = {
	    .cs = FLAT_USER_CS, .ss = FLAT_USER_SS, .rflags = 0x202};

	trap_hook = hook;
	values();
	refusals();
	breakpoints();
	served_while_armed();
	hits = 0;
	armed_beside_a_neighbour();
	trap_hook = user_hook;
	frame.rip = (u64)user;
	frame.rsp = (u64)user_stack + PAGE_SIZE;
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	expect(call2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, guest_stack_top - 8192), 0);
	expect(set(1, (u64)guest_stack_top - 8192 - 16), 0);
	arm(&watched[1], DR7(0, WRITE, LENGTH_8) | DR7(1, ACCESS, LENGTH_8));
	guest_iret(&frame);
}
