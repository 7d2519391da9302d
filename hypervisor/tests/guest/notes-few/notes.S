/* SPDX-License-Identifier: MIT */
/* No ENTRY, VIRT_BASE, INIT_P2M or MOD_START_PFN; only what says that this is a PV kernel. */
#include "note_macro.S"

NOTE XEN_ELFNOTE_GUEST_OS, .asciz "test"
NOTE XEN_ELFNOTE_LOADER, .asciz "generic"
NOTE XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
NOTE XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
