// SPDX-License-Identifier: MIT
/*
 * Our half of the address space: slots 256 to 271 of every L4.
 *
 *   256  M2P, readable by guests          258  per-domain areas      260    disks
 *   257  our image, text not writable     259  device registers      262..  direct map of all RAM
 *
 * The L3 tables of these slots are made once and shared by every L4 of every domain, so a page
 * mapped later shows everywhere at once. All but the M2P is for ring 0 only.
 */
#include <hv/pagetable.h>
#include <hv/frame.h>
#include <hv/printk.h>
#include <hv/public.h>
#include <hv/string.h>

extern char image_start[], text_end[], rodata_end[], image_end[];

static u64 *idle_l4;
u32 tlb_epoch;

#define LARGE_PAGE (1ull << 21)

static u64 *next_table(u64 *entry, u64 user)
{
	if (!(*entry & PTE_P)) {
		void *page = page_alloc();

		if (!page)
			return NULL;
		*entry = virt_to_mfn(page).n << PAGE_SHIFT | PTE_P | PTE_RW | PTE_A | user;
	}
	return mfn_to_virt(pte_mfn(*entry));
}

/* The entry for va at the given level (1 or 2), with tables made on the way; NULL if out of memory.
 */
static u64 *walk(u64 va, unsigned int level, u64 user)
{
	u64 *table = idle_l4;

	for (unsigned int l = 4; l > level; l--) {
		table = next_table(&table[pt_index(va, l)], user);
		if (!table)
			return NULL;
	}
	return &table[pt_index(va, level)];
}

int pagetable_map(u64 va, paddr_t pa, u64 flags)
{
	u64 *entry = walk(va, 1, flags & PTE_US);

	if (!entry)
		return trace_error(-ENOMEM);
	*entry = pa.n | flags | PTE_P | PTE_A | PTE_D;
	invlpg(va);
	return 0;
}

int pagetable_map_large(u64 va, paddr_t pa, u64 flags)
{
	u64 *entry = walk(va, 2, 0);

	if (!entry)
		return trace_error(-ENOMEM);
	*entry = pa.n | flags | PTE_P | PTE_A | PTE_D | PTE_PS;
	return 0;
}

void *pagetable_lookup(u64 va)
{
	u64 *entry = walk(va, 1, 0);

	return entry && (*entry & PTE_P) ? mfn_to_virt(pte_mfn(*entry)) : NULL;
}

void pagetable_unmap(u64 va)
{
	u64 *entry = walk(va, 1, 0);

	if (entry)
		*entry = 0;
	invlpg(va);
}

void pagetable_drop_l1(u64 va)
{
	u64 *entry = walk(va, 2, 0);

	if (!entry || !(*entry & PTE_P))
		return;
	page_free(mfn_to_virt(pte_mfn(*entry)));
	*entry = 0;
	tlb_flush();
}

static void map_or_die(u64 va, u64 pa, u64 flags)
{
	if (pagetable_map(va, paddr(pa), flags) < 0)
		panic("too little memory for our own page tables\n");
}

static void map_direct(void)
{
	for (u64 pa = 0; pa < max_mfn << PAGE_SHIFT; pa += LARGE_PAGE) {
		u64 *entry = walk(DIRECT_MAP_BASE + pa, 2, 0);

		if (!entry)
			panic("too little memory for the direct map\n");
		*entry = pa | PTE_P | PTE_RW | PTE_A | PTE_D | PTE_PS | PTE_NX;
	}
}

static void map_image(void)
{
	for (u64 va = (u64)image_start; va < (u64)image_end; va += PAGE_SIZE) {
		u64 flags = PTE_RW | PTE_NX;

		if (va < (u64)text_end)
			flags = 0;
		else if (va < (u64)rodata_end)
			flags = PTE_NX;
		map_or_die(va, va - IMAGE_BASE, flags);
	}
}

static void map_m2p(void)
{
	u64 pa = virt_to_mfn(m2p_table).n << PAGE_SHIFT;

	for (u64 off = 0; off < max_mfn * sizeof(u64); off += PAGE_SIZE)
		map_or_die(MACH2PHYS_VIRT_START + off, pa + off, PTE_US | PTE_NX);
}

void pagetable_init(void)
{
	idle_l4 = page_alloc();
	if (!idle_l4)
		panic("too little memory for the first page table\n");
	map_direct();
	map_image();
	map_m2p();
	/* So that the L3s exist before the first copy of our slots. */
	if (!walk(DOMAIN_AREA_BASE, 2, 0) || !walk(DEVICE_BASE, 2, 0))
		panic("too little memory for our own page tables\n");
	tlb_load_cr3(pagetable_idle_cr3());
}

u64 pagetable_idle_cr3(void)
{
	return virt_to_mfn(idle_l4).n << PAGE_SHIFT;
}

void pagetable_fill_hv_slots(u64 *l4)
{
	memcpy(l4 + L4_HV_FIRST, idle_l4 + L4_HV_FIRST,
	       (L4_HV_LAST - L4_HV_FIRST + 1) * sizeof(u64));
}
