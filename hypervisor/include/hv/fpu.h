/* SPDX-License-Identifier: MIT */
/* Floating point and vector registers: ours never use them, so they belong to the running vCPU. */
#ifndef HV_FPU_H
#define HV_FPU_H

#include <hv/types.h>

struct fpu_state {
	u8 area[512] __attribute__((aligned(16)));
};

/* The state of a vCPU that never used it. */
void fpu_reset(struct fpu_state *f);
void fpu_save(struct fpu_state *f);

/* Loads f; nothing of the state before it is left, whatever processor this is. */
void fpu_load(const struct fpu_state *f);

/* Part of it: replaces the pointers to the last instruction and operand by ones of ours. */
void fpu_forget_pointers(void);

#endif
