/* SPDX-License-Identifier: MIT */
/* The processor for host units: the real constants, instructions that are harmless or noted. */
#ifndef FAKE_PROCESSOR_H
#define FAKE_PROCESSOR_H

#define __ASSEMBLER__ /* of the real header, the constants only */
#include_next <hv/processor.h>
#undef __ASSEMBLER__
#include <hv/types.h>

static inline u64 read_cr3(void)
{
	return 0;
}

/* A test may watch flushes. */
void write_cr3(u64 v);

static inline void invlpg(u64 va)
{
	(void)va;
}

static inline void swapgs(void)
{
}

/* Defined by the unit that wants them. */
struct cpuid_result {
	u32 eax, ebx, ecx, edx;
};
struct cpuid_result cpuid(u32 leaf, u32 subleaf);
void wrmsr(u32 msr, u64 value);
void write_cr4(u64 v);
void write_dr6(u64 v);
void write_dr7(u64 v);
void outb(u16 port, u8 v);
void outsb(u16 port, const char *s, size_t n);
u8 inb(u16 port);
void outl(u16 port, u32 v);
u32 inl(u16 port);
u64 rdtsc(void);

#endif
