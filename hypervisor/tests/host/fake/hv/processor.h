/* SPDX-License-Identifier: MIT */
/* The processor for host units: the real constants, harmless instructions. */
#ifndef HV_PROCESSOR_H
#define HV_PROCESSOR_H

#include <hv/types.h>

#define X86_CR0_TS 8
#define PF_WRITE   2

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

#endif
