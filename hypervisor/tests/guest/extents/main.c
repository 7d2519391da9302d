// SPDX-License-Identifier: MIT
/*
 * Gives back and takes memory in the longest lists it can, up to 65536 frames in one call. Such a
 * call stops when a timer is due and goes on later, without the guest's knowing: the count it
 * returns is that of the whole list, and every frame is there, clear, once.
 */
#include "guest.h"

#define EXTENTS 65536
#define ROUNDS	3

static u64 list[EXTENTS];
static u64 window[512] __page_aligned;

static long reservation(unsigned int cmd, u64 n)
{
	struct xen_memory_reservation r;

	memset(&r, 0, sizeof(r));
	r.extent_start.p = list;
	r.nr_extents = n;
	r.domid = DOMID_SELF;
	return call2(__HYPERVISOR_memory_op, cmd, &r);
}

void test_main(void)
{
	u64 first = si->first_p2m_pfn + si->nr_p2m_frames;
	u64 n = MIN(si->nr_pages - first, (u64)EXTENTS);
	u64 dirty = 0;

	check(n > 1000);
	for (u64 i = 0; i < n; i++)
		list[i] = pfn_to_mfn(first + i);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		expect(reservation(XENMEM_decrease_reservation, n), n);
		for (u64 i = 0; i < n; i++)
			list[i] = first + i;
		expect(reservation(XENMEM_populate_physmap, n), n);
		for (u64 i = 0; i < n; i++)
			check(machine_to_phys_mapping[list[i]] == first + i);
		for (u64 i = 0; i < n; i += 64) {
			expect(remap(window, RW(list[i])), 0);
			for (unsigned int k = 0; k < 512; k++)
				dirty += window[k] != 0;
			window[7] = ~0ull;
		}
		expect(remap(window, 0), 0);
	}
	expect(dirty, 0);
}
