// SPDX-License-Identifier: MIT
/*
 * Giving frames back and getting them again; the map of memory; sizes.
 * Could break: a frame freed while mapped, frames beyond the maximum, contents of another's.
 */
#include "guest.h"

#define N 64

static u8 pages[N][PAGE_SIZE] __page_aligned;

static long reservation(unsigned int cmd, u64 *list, u64 n)
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
	u64 frames[N], extra = 5, first;
	domid_t self = DOMID_SELF;
	u32 entry[5];
	struct xen_memory_map map = {.nr_entries = 1};
	struct xen_machphys_mapping m2p;

	expect(call2(__HYPERVISOR_memory_op, XENMEM_current_reservation, &self), si->nr_pages);
	expect(call2(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, &self), si->nr_pages);
	self = 9;
	expect(call2(__HYPERVISOR_memory_op, XENMEM_current_reservation, &self), -EPERM);
	for (unsigned int i = 0; i < N; i++) {
		frames[i] = va_to_mfn(pages[i]);
		memset(pages[i], 0xa5, PAGE_SIZE);
	}
	first = frames[0];
	expect(reservation(XENMEM_decrease_reservation, frames, N), 0); /* still mapped */
	for (unsigned int i = 0; i < N; i++)
		expect(remap(pages[i], 0), 0);
	expect(reservation(XENMEM_decrease_reservation, frames, N), N);
	expect(reservation(XENMEM_decrease_reservation, frames, N), 0); /* no longer ours */
	check(remap(pages[0], RW(first)) < 0);
	self = DOMID_SELF;
	expect(call2(__HYPERVISOR_memory_op, XENMEM_current_reservation, &self), si->nr_pages - N);
	for (unsigned int i = 0; i < N; i++)
		frames[i] = va_to_pfn(pages[i]);
	expect(reservation(XENMEM_populate_physmap, frames, N), N);
	expect(reservation(XENMEM_populate_physmap, &extra, 1), 0); /* beyond the maximum */
	for (unsigned int i = 0; i < N; i++) {
		expect(machine_to_phys_mapping[frames[i]], va_to_pfn(pages[i]));
		expect(remap(pages[i], RW(frames[i])), 0);
		for (unsigned int k = 0; k < PAGE_SIZE; k += 64)
			expect(pages[i][k], 0);
	}
	map.buffer.p = entry;
	expect(call2(__HYPERVISOR_memory_op, XENMEM_memory_map, &map), 0);
	expect(map.nr_entries, 1);
	expect(entry[4], 1);
	expect(call2(__HYPERVISOR_memory_op, XENMEM_machphys_mapping, &m2p), 0);
	expect(m2p.v_start, MACH2PHYS_VIRT_START);
	expect(call2(__HYPERVISOR_memory_op, 999, &map), -ENOSYS);
}
