// SPDX-License-Identifier: MIT
/*
 * The hypervisor is built without vector instructions, so the registers are switched only between
 * domains, at once and not lazily: a domain switch costs thousands of instructions anyway, and
 * CR0.TS is never set, which spares the guest a trap and us a path. (The guest kernel switches the
 * registers between its own tasks by itself.)
 */
#include <hv/fpu.h>
#include <hv/string.h>

#define FCW_DEFAULT   0x37f
#define MXCSR_DEFAULT 0x1f80

void fpu_reset(struct fpu_state *f)
{
	u16 fcw = FCW_DEFAULT;
	u32 mxcsr = MXCSR_DEFAULT;

	memset(f, 0, sizeof(*f));
	memcpy(f->area, &fcw, sizeof(fcw));
	memcpy(f->area + 24, &mxcsr, sizeof(mxcsr));
}

void fpu_save(struct fpu_state *f)
{
	asm volatile("fxsaveq %0" : "=m"(*f));
}

/*
 * AMD's FXRSTOR leaves the pointers to the last instruction, its operand and opcode as they are
 * unless the new state has an exception pending (manual volume 5, FXRSTOR), so they would show one
 * domain's addresses to the next. A load of ours gives them values of ours; FNCLEX and EMMS before
 * it make sure that it cannot fault.
 */
void fpu_forget_pointers(void)
{
	static const u32 zero;

	asm volatile("fnclex; emms; fildl %0" ::"m"(zero));
}

void fpu_load(const struct fpu_state *f)
{
	fpu_forget_pointers();
	asm volatile("fxrstorq %0" ::"m"(*f));
}
