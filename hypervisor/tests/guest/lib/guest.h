/* SPDX-License-Identifier: MIT */
/* A tiny PV kernel for tests: hypercalls, output, page tables, traps that a test can expect. */
#ifndef GUEST_H
#define GUEST_H

#include <hv/printk.h>
#include <hv/public.h>
#include <hv/string.h>
#include <hv/types.h>
#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

struct guest_regs {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

#define VECTOR_EVENT   0x100
#define VECTOR_SYSCALL 0x101

/* Every test defines this; it calls check() and returns. */
void test_main(void);

extern struct start_info *si;
extern struct shared_info *shared;
extern u8 hypercall_page[];
extern char trap_stubs[], int80_stub[], event_stub[], syscall_stub[], guest_stack_top[];

long hypercall(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e);
#define call0(n)	     hypercall(n, 0, 0, 0, 0, 0)
#define call1(n, a)	     hypercall(n, (u64)(a), 0, 0, 0, 0)
#define call2(n, a, b)	     hypercall(n, (u64)(a), (u64)(b), 0, 0, 0)
#define call3(n, a, b, c)    hypercall(n, (u64)(a), (u64)(b), (u64)(c), 0, 0)
#define call4(n, a, b, c, d) hypercall(n, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0)

void say(const char *fmt, ...) __printf(1, 2);

/* Records a failed expectation; the test goes on. */
#define check(cond) check_at(cond, #cond, __FILE__, __LINE__)
void check_at(bool ok, const char *what, const char *file, int line);
/* An expected result of a call. */
#define expect(call, want) expect_at((long)(call), (long)(want), #call, __FILE__, __LINE__)
void expect_at(long got, long want, const char *what, const char *file, int line);

void __noreturn finish(void);
void __noreturn poweroff(unsigned int reason);

/* Runs fn(arg); returns -1, or the vector of the trap that ended it, described in last_trap. */
int catch_trap(void (*fn)(u64), u64 arg);
extern struct guest_regs last_trap;
extern u64 last_cr2;

/* Called for traps, events and system calls that catch_trap() does not wait for; may be NULL. */
extern void (*trap_hook)(struct guest_regs *regs);

/* The counter, which runs at 1 GHz on the emulated machine. */
static inline u64 clock_ns(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

/* Looks at the clock; longest_gap is the longest time between two such looks. */
void look_at_clock(void);
extern u64 longest_gap;

/* The number after "NAME=" on the command line, or what is given. */
u64 number_option(const char *name, u64 otherwise);

/* Leaves by the iret hypercall with this struct iret_context. */
void __noreturn guest_iret(struct iret_context *frame);

/* Guest frames and page tables; everything in the first mapping is linear from VIRT_BASE. */
extern char virt_base[]; /* guest.lds */
#define VIRT_BASE ((u64)virt_base)
u64 pfn_to_mfn(u64 pfn);
static inline u64 va_to_pfn(const void *va)
{
	return ((u64)va - VIRT_BASE) >> PAGE_SHIFT;
}
static inline u64 va_to_mfn(const void *va)
{
	return pfn_to_mfn(va_to_pfn(va));
}
/* Machine address of the entry that maps va at level 1..4, and its value. */
u64 pte_address(u64 va, unsigned int level);
u64 pte_value(u64 va, unsigned int level);
/* update_va_mapping with a flush of that page. */
long remap(void *va, u64 pte);
long mmu_update(u64 ptr, u64 val);
long mmuext(unsigned int cmd, u64 arg1, u64 arg2);
#define RO(mfn) (((mfn) << PAGE_SHIFT) | 0x25)
#define RW(mfn) (((mfn) << PAGE_SHIFT) | 0x67)

#endif
