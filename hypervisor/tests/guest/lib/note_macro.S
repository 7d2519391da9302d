/* SPDX-License-Identifier: MIT */
/* NOTE type, directive: a note of owner "Xen". Included by each notes.S. */
#define __ASSEMBLY__
#include <xen/elfnote.h>

.macro NOTE type, value:vararg
	.pushsection .note.Xen, "a", @note
	.balign 4
	.long 4, 2f - 1f, \type
	.asciz "Xen"
1:	\value
2:	.balign 4
	.popsection
.endm

	.section .note.GNU-stack, "", @progbits
