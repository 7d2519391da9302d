// SPDX-License-Identifier: MIT
/*
 * The pointers that the floating-point unit keeps to its last instruction are gone after another
 * state was loaded: read back with FNSTENV, which shows them on every processor. (That FXRSTOR
 * alone would not do shows only on AMD's; that our own step does, everywhere.)
 */
#include "unit.h"
#include <hv/fpu.h>

/* Addresses of this unit fit 32 bits: it is linked without -pie. */
static u32 last_instruction(void)
{
	u32 env[7];

	asm volatile("fnstenv %0; fldenv %0" : "+m"(env));
	return env[3];
}

static u32 use(void)
{
	u64 at;

	asm volatile("fninit\n\t"
		     "lea 1f(%%rip), %0\n\t"
		     "fldpi\n"
		     "1: fsqrt\n"
		     : "=r"(at));
	return (u32)at;
}

int main(void)
{
	static struct fpu_state clean, saved;
	u32 at = use();

	EXPECT(last_instruction() == at); /* else nothing below means anything */
	fpu_forget_pointers();
	EXPECT(last_instruction() != at);
	fpu_reset(&clean);
	at = use();
	fpu_load(&clean);
	EXPECT(last_instruction() != at);
	/* The state itself is what was asked for. */
	fpu_save(&saved);
	EXPECT(saved.area[0] == 0x7f && saved.area[1] == 3); /* control word */
	EXPECT(saved.area[4] == 0);			     /* no register in use */
	return unit_failures != 0;
}
