/* SPDX-License-Identifier: MIT */
/* Registers of the processor that hold whatever the firmware left. */
#ifndef HV_CONTROL_H
#define HV_CONTROL_H

/* The memory types that a guest of this ABI expects behind the bits of an entry: Xen's order. */
#define PAT_VALUE 0x0000050100070406ull

/* Gives each of them a value. Precondition: descriptors are loaded, no guest has run. */
void control_init(void);

#endif
