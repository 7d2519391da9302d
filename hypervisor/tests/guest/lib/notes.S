/* SPDX-License-Identifier: MIT */
/* The notes of a test guest, as Linux has them. */
#include "note_macro.S"

NOTE XEN_ELFNOTE_ENTRY, .quad guest_entry
NOTE XEN_ELFNOTE_VIRT_BASE, .quad 0xffffffff80000000
NOTE XEN_ELFNOTE_INIT_P2M, .quad 0x8000000000
NOTE XEN_ELFNOTE_LOADER, .asciz "generic"
NOTE XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
