/* SPDX-License-Identifier: MIT */
/* Function brackets for assembly files. */
#ifndef HV_ASM_H
#define HV_ASM_H

#define FUNC(name)                                                                                 \
	.globl name;                                                                               \
	.balign 16;                                                                                \
	.type name, @function;                                                                     \
	name:

#define END(name) .size name, .- name

#endif
