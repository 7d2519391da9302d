// SPDX-License-Identifier: MIT
/*
 * A kernel whose program headers hold virtual addresses: PADDR_OFFSET is taken from them. It has
 * no INIT_P2M, so its list is in the high mapping, but MOD_START_PFN, so a ramdisk is not.
 * Could break: frames at the wrong place, a list at address 0, flags of the other kind.
 */
#include "guest.h"

extern char image_end[];

static u8 page[PAGE_SIZE] __page_aligned;

void test_main(void)
{
	u64 list = ((u64)image_end + PAGE_SIZE - 1) & PAGE_MASK;
	const u8 *p = page;
	u64 sum = 0;

	expect(va_to_pfn(page), ((u64)page - VIRT_BASE) >> PAGE_SHIFT);
	check(pte_value((u64)page, 1) >> PAGE_SHIFT == va_to_mfn(page));
	expect(si->mfn_list, list);
	expect(si->first_p2m_pfn, 0);
	expect(si->nr_p2m_frames, 0);
	for (u64 n = 0; n < si->nr_pages; n++)
		check(machine_to_phys_mapping[pfn_to_mfn(n)] == n);
	expect(!!(si->flags & SIF_MOD_START_PFN), !!si->mod_len);
	if (!si->mod_len)
		return;
	/* Behind the mapping, which ends at 4 MB. */
	expect(si->mod_start, (si->nr_pt_frames - 3) * 512);
	for (u64 i = 0; i < si->mod_len; i++) {
		if (i % PAGE_SIZE == 0)
			expect(remap(page, RO(pfn_to_mfn(si->mod_start + i / PAGE_SIZE))), 0);
		sum = sum * 31 + p[i % PAGE_SIZE];
	}
	say("ramdisk of %lu bytes, sum %lx\n", si->mod_len, sum);
}
