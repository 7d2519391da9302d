/* SPDX-License-Identifier: MIT */
/* Page-table entries, our own half of every address space, and the TLB. */
#ifndef HV_PAGETABLE_H
#define HV_PAGETABLE_H

#include <hv/processor.h>
#include <hv/types.h>

#define PTE_P	0x001ull
#define PTE_RW	0x002ull
#define PTE_US	0x004ull
#define PTE_PWT 0x008ull
#define PTE_PCD 0x010ull
#define PTE_A	0x020ull
#define PTE_D	0x040ull
#define PTE_PS	0x080ull
#define PTE_PAT 0x080ull /* of an L1 entry */
#define PTE_G	0x100ull
#define PTE_NX	(1ull << 63)

#define PTE_ADDR_MASK 0x000ffffffffff000ull
#define PTES_PER_PAGE 512

/* Slots of an L4 that are ours; the ABI calls this range HYPERVISOR_VIRT_START..END. */
#define L4_HV_FIRST 256
#define L4_HV_LAST  271
#define HV_VA_START 0xffff800000000000ull
#define HV_VA_END   0xffff880000000000ull

/* Our image is linked here: slot 257, at its physical address. */
#define IMAGE_BASE 0xffff808000000000ull
/* Per-domain areas (stack, descriptor table): slot 258. */
#define DOMAIN_AREA_BASE 0xffff810000000000ull
/* Device registers: slot 259. (Host units: elsewhere.) */
#ifndef DEVICE_BASE
#define DEVICE_BASE 0xffff818000000000ull
#endif
/* Disks, which are in no frame table, a window for each: slot 260. (Host units: elsewhere.) */
#ifndef DISK_BASE
#define DISK_BASE 0xffff820000000000ull
#endif
#define DISK_WINDOW (1ull << 36)

static inline mfn_t pte_mfn(u64 pte)
{
	return mfn((pte & PTE_ADDR_MASK) >> PAGE_SHIFT);
}

static inline unsigned int pt_index(u64 va, unsigned int level)
{
	return (va >> (PAGE_SHIFT + 9 * (level - 1))) & (PTES_PER_PAGE - 1);
}

/* True if [va, va + len) is canonical and has nothing to do with our half. */
static inline bool guest_range_ok(vaddr_t va, u64 len)
{
	u64 last = va.n + len - 1;

	if (len == 0)
		return true;
	if (last < va.n)
		return false;
	return last < (1ull << 47) || va.n >= HV_VA_END;
}

/* Builds our half for good and switches to it. */
void pagetable_init(void);

/* Maps one page of ours into every address space. Returns -ENOMEM if a table is missing. */
__must_check int pagetable_map(u64 va, paddr_t pa, u64 flags);

/* The same with 2 MB. */
__must_check int pagetable_map_large(u64 va, paddr_t pa, u64 flags);

/* The page mapped at va, through the direct map; NULL if there is none. */
void *pagetable_lookup(u64 va);

/* Removes such a mapping. */
void pagetable_unmap(u64 va);

/* Frees the L1 of the 2 MB region at va, and all its pages' mappings with it. */
void pagetable_drop_l1(u64 va);

/* Writes our slots into a guest's L4, whatever was there. */
void pagetable_fill_hv_slots(u64 *l4);

/* The address space that holds nothing but our half. */
u64 pagetable_idle_cr3(void);

/*
 * Whole-TLB flushes are numbered. A frame whose use ended in epoch e can have no stale translation
 * once tlb_epoch != e.
 */
extern u32 tlb_epoch;

static inline void tlb_load_cr3(u64 cr3)
{
	tlb_epoch++;
	write_cr3(cr3);
}

static inline void tlb_flush(void)
{
	tlb_load_cr3(read_cr3());
}

#endif
