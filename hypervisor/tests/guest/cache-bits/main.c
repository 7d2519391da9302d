// SPDX-License-Identifier: MIT
/*
 * All memory of a guest is mapped write-back, whatever its entries ask for: we check tables through
 * our own write-back mapping, so a page that was written past the caches could show us something
 * else than it shows the processor.
 */
#include "guest.h"

#define PWT   0x08ull
#define PCD   0x10ull
#define PAT   0x80ull
#define CACHE (PWT | PCD | PAT)

static u64 page[512] __page_aligned;
static u64 table[512] __page_aligned;

/* The rest of the entry is as asked for. */
static void entries_of_a_page(void)
{
	u64 pte = RW(va_to_mfn(page)) | 0x200;

	expect(remap(page, pte | CACHE), 0);
	expect(pte_value((u64)page, 1) & (CACHE | 0xa03), 0x203);
	page[0] = 1;
	expect(mmu_update(pte_address((u64)page, 1), pte | PCD), 0);
	expect(pte_value((u64)page, 1) & CACHE, 0);
	expect(mmu_update(pte_address((u64)page, 1) | MMU_PT_UPDATE_PRESERVE_AD, pte | PAT), 0);
	expect(pte_value((u64)page, 1) & CACHE, 0);
}

/* A table checked as a whole, and the entry that leads to it. */
static void tables(void)
{
	u64 l2 = pte_address((u64)page, 2);
	u64 old = pte_value((u64)page, 2);

	table[0] = RW(va_to_mfn(page)) | CACHE;
	table[1] = RO(va_to_mfn(page)) | PWT;
	expect(remap(table, RO(va_to_mfn(table))), 0);
	expect(mmuext(MMUEXT_PIN_L1_TABLE, va_to_mfn(table), 0), 0);
	expect(table[0] & CACHE, 0);
	expect(table[1] & CACHE, 0);
	expect(mmu_update(l2, old | PCD | PWT), 0);
	expect(pte_value((u64)page, 2) & CACHE, 0);
	expect(mmu_update(pte_address((u64)page, 3), pte_value((u64)page, 3) | PCD), 0);
	expect(pte_value((u64)page, 3) & CACHE, 0);
	expect(mmu_update(pte_address((u64)page, 4), pte_value((u64)page, 4) | PWT), 0);
	expect(pte_value((u64)page, 4) & CACHE, 0);
	expect(mmuext(MMUEXT_UNPIN_TABLE, va_to_mfn(table), 0), 0);
}

/* A store that we emulate for the guest. */
static void emulated_stores(void)
{
	u64 *at;

	table[0] = 0;
	expect(remap(table, RO(va_to_mfn(table))), 0);
	expect(mmuext(MMUEXT_PIN_L1_TABLE, va_to_mfn(table), 0), 0);
	at = table;
	asm volatile("xchg %0, (%1)" : : "r"(RW(va_to_mfn(page)) | CACHE), "r"(at) : "memory");
	expect(table[0] & (CACHE | 3), 3);
	expect(mmuext(MMUEXT_UNPIN_TABLE, va_to_mfn(table), 0), 0);
}

void test_main(void)
{
	entries_of_a_page();
	tables();
	expect(remap(table, RW(va_to_mfn(table))), 0);
	emulated_stores();
}
