// SPDX-License-Identifier: MIT
/*
 * A new domain's memory is clear but for what the builder put there: kernel, start info, tables,
 * P2M. Could break: frames that were never handed out before are taken as they were at power-on.
 * Proves something only on RAM that was not clear then: see test_ram_is_garbage_at_power_on.
 */
#include "guest.h"

#define KERNEL_AT 0x100 /* guest frame of guest.lds's load address */

static u8 window[PAGE_SIZE] __page_aligned;

static u64 dirty_words(const volatile u64 *page)
{
	u64 n = 0;

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		n += page[i] != 0;
	return n;
}

void test_main(void)
{
	u64 first_free = si->first_p2m_pfn + si->nr_p2m_frames;
	u64 dirty = 0;

	check(first_free < si->nr_pages);
	for (u64 n = 0; n < KERNEL_AT; n++)
		dirty += dirty_words((const u64 *)(VIRT_BASE + (n << PAGE_SHIFT)));
	expect(dirty, 0);
	for (u64 n = first_free; n < si->nr_pages; n++) {
		expect(remap(window, RO(pfn_to_mfn(n))), 0);
		dirty += dirty_words((const u64 *)window);
	}
	expect(dirty, 0);
}
