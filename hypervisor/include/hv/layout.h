/* SPDX-License-Identifier: MIT */
/* Where everything lies in a guest's memory at its first instruction. */
#ifndef HV_LAYOUT_H
#define HV_LAYOUT_H

#include <hv/elf.h>
#include <hv/types.h>

#define LAYOUT_MAX_P2M_PAGES 8192 /* of 512 entries: 16 GB */

/* Guest frames. What lies below `mapped` is mapped linearly from virt_base. */
struct layout {
	u64 entry, virt_base;
	u64 kernel, kernel_end;
	u64 ramdisk, nr_ramdisk;
	u64 p2m, nr_p2m, p2m_va;
	u64 p2m_tables, nr_p2m_l1; /* of a list that is mapped elsewhere, else 0 */
	u64 start_info, store, console;
	u64 tables, nr_l1; /* L4, L3, L2, L1s */
	u64 stack;
	u64 mapped;
	u64 used; /* all of the above; the rest is free RAM */
};

/*
 * Plans the memory of a guest with nr_pages of it. Returns NULL, or a sentence that names what of
 * the image or its notes is wrong.
 */
__must_check const char *layout_plan(struct layout *l, const struct elf_image *elf, u64 nr_pages,
				     u64 ramdisk_size);

/* The address of guest frame n in the linear mapping. */
static inline u64 layout_va(const struct layout *l, u64 n)
{
	return l->virt_base + (n << PAGE_SHIFT);
}

#endif
