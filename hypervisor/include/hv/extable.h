/* SPDX-License-Identifier: MIT */
/* Instructions of ours that may fault on a guest's behalf, and where to go on when they do. */
#ifndef HV_EXTABLE_H
#define HV_EXTABLE_H

/* clang-format off */
#define EXTABLE(from, to)                                                                          \
	.pushsection .extable, "a";                                                                \
	.balign 8;                                                                                 \
	.quad from, to;                                                                            \
	.popsection
/* clang-format on */

#ifndef __ASSEMBLER__
#include <hv/types.h>

/* The same for inline assembly. */
#define ASM_EXTABLE(from, to)                                                                      \
	".pushsection .extable, \"a\"\n\t.balign 8\n\t.quad " #from ", " #to "\n\t.popsection\n"

/* Returns where to go on after a fault at rip, or 0 if a fault there is a bug. */
u64 extable_find(u64 rip);
#endif

#endif
