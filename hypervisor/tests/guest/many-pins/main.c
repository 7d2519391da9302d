// SPDX-License-Identifier: MIT
/*
 * Pins every free frame it has as a full page table, and ends. Giving all that back is work for a
 * large part of a second, which must not keep the neighbour from its turns: the runner looks at
 * the neighbour's longest gap, and at the balance of frames.
 */
#include "guest.h"

static u64 window[512] __page_aligned;
static u8 page[PAGE_SIZE] __page_aligned;

void test_main(void)
{
	u64 first = si->first_p2m_pfn + si->nr_p2m_frames;

	for (u64 n = first; n < si->nr_pages; n++) {
		u64 m = pfn_to_mfn(n);

		expect(remap(window, RW(m)), 0);
		for (unsigned int i = 0; i < 512; i++)
			window[i] = RO(va_to_mfn(page));
		expect(remap(window, 0), 0);
		expect(mmuext(MMUEXT_PIN_L1_TABLE, m, 0), 0);
	}
	check(si->nr_pages - first > 1000);
}
