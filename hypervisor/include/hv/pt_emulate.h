/* SPDX-License-Identifier: MIT */
/* Page-table writes that the guest kernel makes with plain instructions. */
#ifndef HV_PT_EMULATE_H
#define HV_PT_EMULATE_H

#include <hv/traps.h>
#include <hv/types.h>

/*
 * After a write fault of the guest kernel on a present page: if address lies in one of its L1
 * tables and the instruction is one of those we know, carries it out as a checked update.
 * Returns false, with nothing changed, if the fault is the guest's own business.
 */
bool pt_emulate_write(struct regs *regs, u64 address);

#endif
