/* SPDX-License-Identifier: MIT */
/* A section in place of notes, as Mini-OS has it; its pages 0 and 2. */
	.section __xen_guest, "", @progbits
	.ascii "GUEST_OS=test,XEN_VER=xen-3.0,VIRT_BASE=0x0,ELF_PADDR_OFFSET=0x0"
	.asciz ",HYPERCALL_PAGE=0x2,LOADER=generic"
	.asciz ",VIRT_BASE=0x40000000 (behind the zero byte that ends it)"

	.section .page0, "a", @progbits
	.globl page0
page0:
	.quad 0x1234567

	.section .page2, "aw", @progbits
	.globl page2
page2:
	.skip 4096

	.section .note.GNU-stack, "", @progbits
