/* SPDX-License-Identifier: MIT */
/* Constants of the processor, and one inline function per instruction that C cannot express. */
#ifndef HV_PROCESSOR_H
#define HV_PROCESSOR_H

#define X86_CR0_TS 0x8

#define X86_CR4_PAE	   0x20
#define X86_CR4_OSFXSR	   0x200
#define X86_CR4_OSXMMEXCPT 0x400
#define X86_CR4_SMEP	   0x100000

#define X86_EFLAGS_TF	 0x100
#define X86_EFLAGS_IF	 0x200
#define X86_EFLAGS_DF	 0x400
#define X86_EFLAGS_IOPL	 0x3000
#define X86_EFLAGS_NT	 0x4000
#define X86_EFLAGS_RF	 0x10000
#define X86_EFLAGS_VM	 0x20000
#define X86_EFLAGS_AC	 0x40000
#define X86_EFLAGS_FIXED 0x2

#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_CSTAR	   0xc0000083
#define MSR_SFMASK	   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_APIC_BASE	   0x1b
#define MSR_SYSENTER_CS	   0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_DEBUGCTL	   0x1d9
#define MSR_PAT		   0x277
#define EFER_SCE	   0x001
#define EFER_LME	   0x100
#define EFER_LMA	   0x400
#define EFER_NXE	   0x800

/* Debug registers: what they hold after reset, and the bits that enable a breakpoint. */
#define DR6_RESET  0xffff0ff0
#define DR7_RESET  0x400
#define DR7_ENABLE 0xff
/* Places of what breakpoint n watches for, and of how many bytes. */
#define DR7_CONDITION(n) (16 + 4 * (n))
#define DR7_LENGTH(n)	 (18 + 4 * (n))

#define TRAP_DB	 1
#define TRAP_NMI 2
#define TRAP_BP	 3
#define TRAP_OF	 4
#define TRAP_UD	 6
#define TRAP_NM	 7
#define TRAP_DF	 8
#define TRAP_TS	 10
#define TRAP_NP	 11
#define TRAP_SS	 12
#define TRAP_GP	 13
#define TRAP_PF	 14
#define TRAP_AC	 17
#define TRAP_MC	 18
#define TRAP_CP	 21

#define PF_PRESENT 1
#define PF_WRITE   2
#define PF_USER	   4

#ifndef __ASSEMBLER__
#include <hv/types.h>

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return ((u64)hi << 32) | lo;
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 read_cr0(void)
{
	u64 v;

	asm volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline void write_cr0(u64 v)
{
	asm volatile("mov %0, %%cr0" ::"r"(v) : "memory");
}

static inline u64 read_cr2(void)
{
	u64 v;

	asm volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline u64 read_cr3(void)
{
	u64 v;

	asm volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline void write_cr4(u64 v)
{
	asm volatile("mov %0, %%cr4" ::"r"(v) : "memory");
}

static inline u64 read_dr6(void)
{
	u64 v;

	asm volatile("mov %%dr6, %0" : "=r"(v));
	return v;
}

static inline void write_dr6(u64 v)
{
	asm volatile("mov %0, %%dr6" ::"r"(v));
}

static inline void write_dr7(u64 v)
{
	asm volatile("mov %0, %%dr7" ::"r"(v));
}

/* DR0..3; the number is part of the instruction. */
#define write_breakpoint(number, va) asm volatile("mov %0, %%dr" #number::"r"(va))

/* Loads CR3 without counting a flush: use tlb_load_cr3() of mm/pagetable.h outside mode switches.
 */
static inline void write_cr3(u64 v)
{
	asm volatile("mov %0, %%cr3" ::"r"(v) : "memory");
}

static inline void invlpg(u64 va)
{
	asm volatile("invlpg (%0)" ::"r"(va) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((u64)hi << 32) | lo;
}

static inline void outb(u16 port, u8 v)
{
	asm volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}

static inline void outw(u16 port, u16 v)
{
	asm volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}

static inline void outl(u16 port, u32 v)
{
	asm volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}

/* n bytes, one after the other. */
static inline void outsb(u16 port, const char *s, size_t n)
{
	asm volatile("rep outsb" : "+S"(s), "+c"(n) : "d"(port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 v;

	asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void swapgs(void)
{
	asm volatile("swapgs" ::: "memory");
}

struct cpuid_result {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_result cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_result r;

	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}
#endif

#endif
