/* SPDX-License-Identifier: MIT */
/* As BSD kernels have it: program headers give virtual addresses, PADDR_OFFSET says so. */
#include "note_macro.S"

NOTE XEN_ELFNOTE_VIRT_BASE, .quad 0xffffffff80000000
NOTE XEN_ELFNOTE_PADDR_OFFSET, .quad 0xffffffff80000000
NOTE XEN_ELFNOTE_LOADER, .asciz "generic"
NOTE XEN_ELFNOTE_MOD_START_PFN, .quad 1
