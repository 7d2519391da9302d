// SPDX-License-Identifier: MIT
/*
 * The guest tries to get a mapping of memory that is not its own, a writable one of a page table,
 * or a table that was not checked. Every attempt must be refused and change nothing. Could break: a
 * missing owner or type check on one of the many ways to write an entry.
 */
#include "guest.h"

static u8 page[PAGE_SIZE] __page_aligned;
static u64 table[512] __page_aligned;
static u64 upper[512] __page_aligned;

#define MMU_REFUSED(ptr, val) check(mmu_update(ptr, val) < 0)
#define MAP_REFUSED(pte)      check(remap(page, pte) < 0)
#define EXT_REFUSED(cmd, m)   check(mmuext(cmd, m, 0) < 0)

static void write_at(u64 va)
{
	WRITE_ONCE(*(u64 *)va, 0);
}

static void foreign_frames(void)
{
	u64 before = pte_value((u64)page, 1);
	u64 max = call2(__HYPERVISOR_memory_op, XENMEM_maximum_ram_page, 0) + 1;

	/* Every frame there is: ours or refused. Nobody else's may be mapped, read-only either. */
	for (u64 m = 0; m < max; m++) {
		bool ours = machine_to_phys_mapping[m] < si->nr_pages &&
			    pfn_to_mfn(machine_to_phys_mapping[m]) == m;
		bool shared_frame = m == si->shared_info >> PAGE_SHIFT;

		if (!ours && !shared_frame)
			MAP_REFUSED(RO(m));
	}
	check(pte_value((u64)page, 1) == before);
	MAP_REFUSED(RW(max));
	MAP_REFUSED(RW(max + 5));
	MAP_REFUSED(RW(0xffffffffffull));
	MAP_REFUSED(RW(1ull << 38));
	/* The local APIC's and the video memory's addresses. */
	MAP_REFUSED(RW(0xfee00));
	MAP_REFUSED(RW(0xb8));
	MMU_REFUSED(max << PAGE_SHIFT, 1);
	MMU_REFUSED(~7ull, 1);
	MMU_REFUSED(0, RW(0));
	MMU_REFUSED(0x100000, 0);
}

static void own_tables(void)
{
	u64 l1 = pte_address((u64)page, 1) >> PAGE_SHIFT;
	u64 l2 = pte_address((u64)page, 2) >> PAGE_SHIFT;
	u64 l3 = pte_address((u64)page, 3) >> PAGE_SHIFT;
	u64 l4 = pte_address((u64)page, 4) >> PAGE_SHIFT;

	/* Readable is fine, writable is not. */
	expect(remap(page, RO(l1)), 0);
	MAP_REFUSED(RW(l1));
	MAP_REFUSED(RW(l2));
	MAP_REFUSED(RW(l3));
	MAP_REFUSED(RW(l4));
	MMU_REFUSED(pte_address((u64)page, 1), RW(l1));
	expect(remap(page, RW(va_to_mfn(page))), 0);
	expect(catch_trap(write_at, si->pt_base), 14);
	expect(last_trap.error, 3);
	/* Entries of upper levels: wrong level, large page, itself, nothing at all. */
	MMU_REFUSED(pte_address((u64)page, 2), RW(l2));
	MMU_REFUSED(pte_address((u64)page, 2), RW(l1) | 0x80);
	MMU_REFUSED(pte_address((u64)page, 3), RW(l3));
	MMU_REFUSED(pte_address((u64)page, 4), RW(l4));
	MMU_REFUSED((l4 << PAGE_SHIFT) + 8 * 3, RW(l4));
	MMU_REFUSED((l4 << PAGE_SHIFT) + 8 * 3, RW(l1));
	MMU_REFUSED((l4 << PAGE_SHIFT) + 8 * 3, RW(va_to_mfn(page)));
	/* Our slots of an L4. */
	for (unsigned int slot = 256; slot < 272; slot++) {
		MMU_REFUSED((l4 << PAGE_SHIFT) + 8 * slot, 0);
		MMU_REFUSED((l4 << PAGE_SHIFT) + 8 * slot, RW(l3));
	}
	/* mmuext on frames in the wrong role. */
	EXT_REFUSED(MMUEXT_PIN_L1_TABLE, l2);
	EXT_REFUSED(MMUEXT_PIN_L4_TABLE, l3);
	EXT_REFUSED(MMUEXT_PIN_L4_TABLE, l4);
	EXT_REFUSED(MMUEXT_PIN_L1_TABLE, va_to_mfn(page + 0));
	EXT_REFUSED(MMUEXT_UNPIN_TABLE, l1);
	EXT_REFUSED(MMUEXT_NEW_BASEPTR, l3);
	EXT_REFUSED(MMUEXT_NEW_BASEPTR, ~0ull);
	EXT_REFUSED(MMUEXT_NEW_USER_BASEPTR, va_to_mfn(page));
	EXT_REFUSED(MMUEXT_CLEAR_PAGE, l1);
	check(mmuext(MMUEXT_COPY_PAGE, l1, va_to_mfn(page)) < 0);
	check(mmuext(MMUEXT_COPY_PAGE, va_to_mfn(table), 0) < 0);
}

/* A frame that is still mapped writable does not become a table; garbage never does. */
static void garbage(void)
{
	u64 m = va_to_mfn(table);

	memset(table, 0, sizeof(table));
	EXT_REFUSED(MMUEXT_PIN_L1_TABLE, m);
	for (unsigned int i = 0; i < 512; i++)
		table[i] = 0x123456789abcdef0ull * (i + 1) | 1;
	expect(remap(table, RO(m)), 0);
	EXT_REFUSED(MMUEXT_PIN_L1_TABLE, m);
	EXT_REFUSED(MMUEXT_PIN_L2_TABLE, m);
	EXT_REFUSED(MMUEXT_PIN_L3_TABLE, m);
	EXT_REFUSED(MMUEXT_PIN_L4_TABLE, m);
	/* Refused half way: the good entries before the bad one must have been given back. */
	expect(remap(table, RW(m)), 0);
	memset(table, 0, sizeof(table));
	for (unsigned int i = 0; i < 100; i++)
		table[i] = RW(va_to_mfn(page));
	table[100] = RW(m);
	expect(remap(table, RO(m)), 0);
	EXT_REFUSED(MMUEXT_PIN_L1_TABLE, m);
	expect(remap(table, RW(m)), 0);
	table[100] = 0;
	expect(remap(table, RO(m)), 0);
	expect(mmuext(MMUEXT_PIN_L1_TABLE, m, 0), 0);
	EXT_REFUSED(MMUEXT_PIN_L1_TABLE, m);
	/* Now it is a table: no writable mapping, no other role, no direct write but an emulated
	 * one. */
	check(remap(table, RW(m)) < 0);
	EXT_REFUSED(MMUEXT_PIN_L2_TABLE, m);
	EXT_REFUSED(MMUEXT_CLEAR_PAGE, m);
	expect(mmu_update((m << PAGE_SHIFT) + 8, RO(va_to_mfn(page))), 0);
	expect(table[1] & 0x7, 0x5);
	expect(mmuext(MMUEXT_UNPIN_TABLE, m, 0), 0);
	EXT_REFUSED(MMUEXT_UNPIN_TABLE, m);
	expect(remap(table, RW(m)), 0);
	memset(table, 0, sizeof(table));
}

/* Plain stores to a live table are carried out under the same checks. */
static void emulated_writes(void)
{
	u64 m = va_to_mfn(table);
	u64 old;

	expect(remap(table, RO(m)), 0);
	expect(mmuext(MMUEXT_PIN_L1_TABLE, m, 0), 0);
	WRITE_ONCE(table[8], 6); /* not present: anything goes */
	expect(table[8], 6);
	old = RO(va_to_mfn(page));
	asm volatile("xchgq %0, %1" : "+r"(old), "+m"(table[9]));
	expect(table[9], RO(va_to_mfn(page)));
	asm volatile("lock btrq $5, %0" : "+m"(table[9])::"cc");
	expect(table[9], RO(va_to_mfn(page)) & ~0x20ull);
	expect(__sync_val_compare_and_swap(&table[9], RO(va_to_mfn(page)) & ~0x20ull, 0),
	       RO(va_to_mfn(page)) & ~0x20ull);
	expect(table[9], 0);
	expect(catch_trap(write_at, (u64)&table[10] + 4), 14); /* unaligned */
	expect(mmuext(MMUEXT_UNPIN_TABLE, m, 0), 0);
	expect(remap(table, RW(m)), 0);
}

static void store_foreign(u64 va)
{
	WRITE_ONCE(*(u64 *)va, RW(0x100));
}

static void store_writable_self(u64 va)
{
	WRITE_ONCE(*(u64 *)va, RW(va_to_mfn(table)));
}

static void emulated_refusals(void)
{
	u64 m = va_to_mfn(table);

	memset(table, 0, sizeof(table));
	expect(remap(table, RO(m)), 0);
	expect(mmuext(MMUEXT_PIN_L1_TABLE, m, 0), 0);
	expect(catch_trap(store_foreign, (u64)&table[1]), 14);
	expect(catch_trap(store_writable_self, (u64)&table[1]), 14);
	expect(table[1], 0);
	/* Upper tables are never written directly. */
	expect(catch_trap(write_at, si->pt_base + 8 * 256), 14);
	expect(mmuext(MMUEXT_UNPIN_TABLE, m, 0), 0);
	expect(remap(table, RW(m)), 0);
}

/* An L2 that names one L1 a hundred times, hung below itself, and taken down again. */
static void many_references(void)
{
	u64 l1 = va_to_mfn(table), l2 = va_to_mfn(upper);

	memset(table, 0, sizeof(table));
	memset(upper, 0, sizeof(upper));
	for (unsigned int i = 0; i < 512; i++)
		table[i] = RO(l1);
	for (unsigned int i = 0; i < 100; i++)
		upper[i] = RW(l1);
	expect(remap(table, RO(l1)), 0);
	expect(remap(upper, RO(l2)), 0);
	expect(mmuext(MMUEXT_PIN_L2_TABLE, l2, 0), 0);
	check(remap(table, RW(l1)) < 0);
	expect(mmu_update((l2 << PAGE_SHIFT) + 8, 0), 0);
	check(remap(table, RW(l1)) < 0);
	check(mmu_update((l2 << PAGE_SHIFT) + 8, RW(l2)) < 0);
	expect(mmuext(MMUEXT_UNPIN_TABLE, l2, 0), 0);
	expect(remap(table, RW(l1)), 0);
	expect(remap(upper, RW(l2)), 0);
}

static void m2p_updates(void)
{
	u64 m = va_to_mfn(page);

	expect(mmu_update((m << PAGE_SHIFT) | MMU_MACHPHYS_UPDATE, 0x1234), 0);
	expect(machine_to_phys_mapping[m], 0x1234);
	expect(mmu_update((m << PAGE_SHIFT) | MMU_MACHPHYS_UPDATE, va_to_pfn(page)), 0);
	check(mmu_update(si->shared_info | MMU_MACHPHYS_UPDATE, 1) < 0);
	check(mmu_update((1ull << 40) | MMU_MACHPHYS_UPDATE, 1) < 0);
	check(mmu_update(0x100000 | MMU_MACHPHYS_UPDATE, 1) < 0);
}

/* The shared page stays what it is: no table, not given back. */
static void shared_page(void)
{
	u64 m = si->shared_info >> PAGE_SHIFT;
	struct xen_memory_reservation r;

	EXT_REFUSED(MMUEXT_PIN_L1_TABLE, m);
	memset(&r, 0, sizeof(r));
	r.extent_start.p = &m;
	r.nr_extents = 1;
	r.domid = DOMID_SELF;
	expect(call2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r), 0);
	/* The console ring: unmapped by us, but the hypervisor still writes to it. */
	m = si->console.domU.mfn;
	expect(remap((void *)(VIRT_BASE + (machine_to_phys_mapping[m] << PAGE_SHIFT)), 0), 0);
	expect(call2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r), 0);
	m = va_to_mfn(page); /* mapped: refused */
	expect(call2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r), 0);
	m = pte_address((u64)page, 1) >> PAGE_SHIFT;
	expect(call2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r), 0);
}

void test_main(void)
{
	foreign_frames();
	own_tables();
	garbage();
	emulated_writes();
	emulated_refusals();
	many_references();
	m2p_updates();
	shared_page();
}
