// SPDX-License-Identifier: MIT
/*
 * Exceptions of the guest kernel reach its handlers with vector, error code, address and the frame
 * of the ABI: code segment without its ring, events masked.
 * Could break: wrong error code or instruction pointer, user bit in page faults, missing mask.
 */
#include "guest.h"

static void divide(u64 zero)
{
	asm volatile("xor %%edx, %%edx; mov $1, %%eax; divq %0" ::"r"(zero) : "rax", "rdx");
}

static void breakpoint(u64 unused)
{
	(void)unused;
	asm volatile("int3");
}

static void invalid(u64 unused)
{
	(void)unused;
	asm volatile("ud2");
}

static void halt(u64 unused)
{
	(void)unused;
	asm volatile("hlt");
}

static void read_at(u64 va)
{
	(void)READ_ONCE(*(u64 *)va);
}

static void write_at(u64 va)
{
	WRITE_ONCE(*(u64 *)va, 1);
}

static void jump_to(u64 va)
{
	((void (*)(void))va)();
}

static void int_n(u64 unused)
{
	(void)unused;
	asm volatile("int $0x21");
}

static void int_80(u64 unused)
{
	(void)unused;
	asm volatile("int $0x80");
}

static void bad_selector(u64 sel)
{
	asm volatile("mov %0, %%fs" ::"r"((u32)sel));
}

static void cli(u64 unused)
{
	(void)unused;
	asm volatile("cli; sti");
}

static void wrmsr_unknown(u64 msr)
{
	asm volatile("wrmsr" ::"c"((u32)msr), "a"(0), "d"(0));
}

static void sysenter(u64 unused)
{
	(void)unused;
	asm volatile("sysenter");
}

static u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static void single_step(u64 unused)
{
	(void)unused;
	asm volatile("pushf; orq $0x100, (%rsp); popf; nop; nop");
}

void test_main(void)
{
	static u8 page[PAGE_SIZE] __page_aligned;

	expect(catch_trap(divide, 0), 0);
	check((last_trap.cs & 3) == 0);
	check(last_trap.ss == FLAT_KERNEL_SS);
	expect(catch_trap(breakpoint, 0), 3);
	expect(catch_trap(invalid, 0), 6);
	expect(*(u8 *)last_trap.rip, 0x0f);
	expect(catch_trap(halt, 0), 13);
	expect(last_trap.error, 0);
	expect(catch_trap(read_at, 0x1000), 14);
	expect(last_cr2, 0x1000);
	expect(last_trap.error, 0);
	expect(catch_trap(write_at, 0x2000), 14);
	expect(last_trap.error, 2);
	expect(remap(page, RO(va_to_mfn(page))), 0);
	expect(catch_trap(write_at, (u64)page), 14);
	expect(last_trap.error, 3);
	expect(last_cr2, page);
	expect(remap(page, RW(va_to_mfn(page)) | 1ull << 63), 0);
	expect(catch_trap(jump_to, (u64)page), 14);
	expect(last_trap.error, 0x11);
	expect(catch_trap(read_at, 0x0000900000000000ull), 13);
	expect(catch_trap(int_n, 0), 13);
	expect(last_trap.error, 0x21 * 8 + 2);
	expect(catch_trap(int_80, 0), 0x80);
	expect(catch_trap(bad_selector, 0xe008), 13);
	expect(last_trap.error, 0xe008);
	expect(catch_trap(cli, 0), 13); /* with an IOPL it is nothing: guest iopl */
	expect(catch_trap(wrmsr_unknown, 0x12345), 13);
	expect(rdmsr(0x277), 0x0000050100070406ull);
	expect(catch_trap(sysenter, 0), 6); /* as on AMD's processors; Intel's raise 13 */
	expect(catch_trap(single_step, 0), 1);
	/* Our memory: not there for ring 3, whatever is mapped. */
	expect(catch_trap(read_at, 0xffff808000100000ull), 14);
	expect(catch_trap(read_at, 0xffff830000000000ull), 14);
	expect(catch_trap(write_at, 0xffff830000000000ull), 14);
	expect(catch_trap(jump_to, 0xffff808000100000ull), 14);
	/* The M2P is readable and nothing more. */
	expect(catch_trap(read_at, MACH2PHYS_VIRT_START), -1);
	expect(catch_trap(write_at, MACH2PHYS_VIRT_START), 14);
}
