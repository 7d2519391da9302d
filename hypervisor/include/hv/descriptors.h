/* SPDX-License-Identifier: MIT */
/* Our segment descriptors, interrupt table, task state and system-call registers. */
#ifndef HV_DESCRIPTORS_H
#define HV_DESCRIPTORS_H

/*
 * Byte offsets in every descriptor table. The three FLAT_RING3 selectors of the ABI lie at
 * 0xe020..0xe037; ours are their neighbours in the same page.
 */
#define HV_GDT_PAGE 14
#define SEL_HV_CS   0xe008
#define SEL_HV_DS   0xe010
#define SEL_TSS	    0xe040
#define SEL_LDT	    0xe050
#define GDT_LIMIT   0xe05f

#ifndef __ASSEMBLER__
#include <hv/types.h>

/* Puts the boot table, interrupt table, task state and system-call registers into the processor. */
void descriptors_init(void);

/*
 * Whether `syscall` takes the short paths of entry.S. They hold for a guest with a callback for
 * system calls that masks events, and without architectural IOPL.
 */
void descriptors_set_short_syscalls(bool hold);

/* From now on system calls and page faults are counted; see struct cpu. */
void descriptors_count_entries(void);

/* The page that holds our descriptors: mapped as page HV_GDT_PAGE of every vCPU's table. */
void *descriptors_page(void);

/* Switches to the descriptor table that starts at va. */
void descriptors_load_gdt(u64 va);

/* Loads a local descriptor table of nr entries at va; 0 entries: none. */
void descriptors_load_ldt(u64 va, u64 nr);

/* Sets the stack used by traps from the guest. */
void descriptors_set_stack(u64 top);
#endif

#endif
