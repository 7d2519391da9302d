/* SPDX-License-Identifier: MIT */
/* Privileged instructions that the guest kernel still issues. */
#ifndef HV_EMULATE_H
#define HV_EMULATE_H

#include <hv/traps.h>
#include <hv/types.h>

/*
 * Carries out the privileged instruction at regs->rip; false if it is none that we provide, or not
 * allowed in the mode that the guest is in.
 */
bool emulate_privileged(struct regs *regs);

/* The same for the CPUID that is marked by an invalid opcode. */
bool emulate_invalid_opcode(struct regs *regs);

/* The register that an instruction names by number, with general registers as in the encoding. */
u64 *emulate_register(struct regs *regs, unsigned int number);

#endif
