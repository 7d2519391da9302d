/* SPDX-License-Identifier: MIT */
/* The guest's descriptor tables. */
#ifndef HV_DESCRIPTOR_H
#define HV_DESCRIPTOR_H

#include <hv/types.h>
#include <hv/vcpu.h>

/*
 * Makes *desc safe in a live table: present code and data become ring 3.
 * -EINVAL for system descriptors and gates.
 */
__must_check int descriptor_check(u64 *desc);

/* MMUEXT_SET_LDT: nr entries at va in the guest's tables; 0 takes the table away. */
__must_check int descriptor_set_ldt(vaddr_t va, u64 nr);

/* Gives back every frame that v's tables hold. */
void descriptor_release(struct vcpu *v);

#endif
