/* SPDX-License-Identifier: MIT */
/* Delivering exceptions and events to the guest kernel. */
#ifndef HV_BOUNCE_H
#define HV_BOUNCE_H

#include <hv/traps.h>
#include <hv/types.h>
#include <hv/vcpu.h>

/* Delivers exception `vector`; error is pushed for those vectors that have one. */
void bounce_trap(struct regs *regs, unsigned int vector, u64 error);

/* Delivers to a callback, without error code. */
void bounce_callback(struct regs *regs, const struct callback *to);

/* Delivers a page fault at address. */
void bounce_page_fault(struct regs *regs, u64 address, u64 error);

#endif
