// SPDX-License-Identifier: MIT
/*
 * A kernel of the time before notes: a __xen_guest section says the same, with the page number of
 * the hypercall page instead of its address. This one lies at guest frame 0 and address 0.
 * Could break: a kernel at 0 taken for none, the page filled elsewhere, text read past its end.
 */
#include "guest.h"

extern char image_end[], page0[], page2[];

void test_main(void)
{
	u64 list = ((u64)image_end + PAGE_SIZE - 1) & PAGE_MASK;
	const u8 *p = (const u8 *)si->mod_start;
	u64 sum = 0;

	expect((u64)page2, 2 * PAGE_SIZE);
	expect(*(volatile u64 *)page0, 0x1234567);
	expect(pte_value((u64)page0, 1) >> PAGE_SHIFT, pfn_to_mfn(0));
	expect((u8)page2[0], 0x51);
	expect(*(u32 *)(page2 + 17 * 32 + 4), 17);
	if (si->mod_len) {
		expect(si->mod_start, list);
		list = (list + si->mod_len + PAGE_SIZE - 1) & PAGE_MASK;
	}
	expect(si->mfn_list, list);
	expect(si->flags & SIF_MOD_START_PFN, 0);
	for (u64 n = 0; n < si->nr_pages; n++)
		check(machine_to_phys_mapping[pfn_to_mfn(n)] == n);
	for (u64 i = 0; i < si->mod_len; i++)
		sum = sum * 31 + p[i];
	if (si->mod_len)
		say("ramdisk of %lu bytes, sum %lx\n", si->mod_len, sum);
}
