// SPDX-License-Identifier: MIT
/*
 * The plan of a guest's memory: for all combinations of notes and many sizes no two things overlap,
 * all that must be mapped is, the tables suffice and the padding is there; and what is refused.
 */
#include "unit.h"
#include <hv/layout.h>
#include <stdlib.h>
#include <string.h>
#include <xen/elfnote.h>

#define HIGH 0xffffffff80000000ull
#define P2M  0x8000000000ull
#define MB   (1ull << 20)

static void set_note(struct elf_image *e, unsigned int type, u64 value)
{
	e->note[type] = value;
	e->has_note |= 1u << type;
}

/* No address notes: entry from the file, everything from address 0. */
static struct elf_image plain(u64 paddr, u64 size)
{
	struct elf_image e = {.nr_notes = 1, .loader = "generic", .entry = paddr + 16};

	e.nr_segments = 1;
	e.segment[0] = (struct elf_segment){.paddr = paddr, .filesz = size, .memsz = size};
	return e;
}

static struct elf_image linux_like(u64 paddr, u64 size)
{
	struct elf_image e = plain(paddr, size);

	set_note(&e, XEN_ELFNOTE_VIRT_BASE, HIGH);
	set_note(&e, XEN_ELFNOTE_ENTRY, HIGH + paddr);
	set_note(&e, XEN_ELFNOTE_INIT_P2M, P2M);
	set_note(&e, XEN_ELFNOTE_MOD_START_PFN, 1);
	return e;
}

struct area {
	u64 first, count;
	bool mapped;
};

static void no_overlap(const struct layout *l, u64 nr_pages)
{
	bool own_p2m = l->nr_p2m_l1;
	const struct area a[] = {
	    {l->kernel, l->kernel_end - l->kernel, true},
	    {l->start_info, 1, true},
	    {l->store, 1, true},
	    {l->console, 1, true},
	    {l->tables, 3 + l->nr_l1, true},
	    {l->stack, 1, true},
	    {l->p2m, l->nr_p2m, !own_p2m},
	    {l->p2m_tables, own_p2m ? 2 + l->nr_p2m_l1 : 0, false},
	    {l->ramdisk, l->nr_ramdisk, l->ramdisk < l->mapped},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(a); i++) {
		if (!a[i].count)
			continue;
		EXPECT(a[i].first + a[i].count <= (a[i].mapped ? l->mapped : l->used));
		EXPECT(a[i].mapped || a[i].first >= l->mapped);
		for (unsigned int k = 0; k < i; k++)
			EXPECT(!a[k].count || a[i].first + a[i].count <= a[k].first ||
			       a[k].first + a[k].count <= a[i].first);
	}
	EXPECT(l->used <= nr_pages);
	EXPECT(l->nr_p2m * 512 >= nr_pages);
	EXPECT(l->nr_l1 * 512 == l->mapped);
	EXPECT(layout_va(l, l->mapped) % (4 * MB) == 0);
	EXPECT(l->mapped >= l->stack + 1 + 128);
}

static void all_combinations(void)
{
	struct layout l;
	unsigned int planned = 0;

	srand(3);
	for (unsigned int i = 0; i < 20000; i++) {
		u64 paddr = (u64)(rand() % 4096) << 12 | (u64)(rand() % 2 * 16);
		struct elf_image e = i % 2 ? linux_like(paddr, 1 + (u64)rand() % (40 * MB))
					   : plain(paddr, 17 + (u64)rand() % (40 * MB));
		u64 nr_pages = 256 + (u64)rand() % 65536;

		if (rand() % 2)
			set_note(&e, XEN_ELFNOTE_MOD_START_PFN, (u64)rand() % 2);
		if (rand() % 4 == 0)
			set_note(&e, XEN_ELFNOTE_INIT_P2M, i % 2 ? P2M * (u64)(rand() % 3) : P2M);
		if (rand() % 4 == 0) { /* mapped from an address between multiples of 4 MB */
			set_note(&e, XEN_ELFNOTE_VIRT_BASE, HIGH + 6 * MB);
			set_note(&e, XEN_ELFNOTE_ENTRY, HIGH + 6 * MB + paddr);
		}
		if (layout_plan(&l, &e, nr_pages, rand() % 3 ? (u64)rand() % (20 * MB) : 0))
			continue;
		planned++;
		no_overlap(&l, nr_pages);
	}
	EXPECT(planned > 10000);
}

static void defaults(void)
{
	struct elf_image e = plain(MB, 2 * MB);
	struct layout l;

	EXPECT(layout_plan(&l, &e, 16384, 5000) == NULL);
	EXPECT(l.virt_base == 0 && l.entry == MB + 16);
	EXPECT(l.ramdisk == 768 && l.nr_ramdisk == 2); /* right behind the kernel */
	EXPECT(l.p2m == 770 && l.nr_p2m == 32 && l.p2m_va == 770 * 4096);
	EXPECT(l.start_info == 802 && l.nr_p2m_l1 == 0);
	e = linux_like(16 * MB, 50 * MB); /* with the notes, all is where it always was */
	EXPECT(layout_plan(&l, &e, 65536, 1228800) == NULL);
	EXPECT(l.entry == HIGH + 16 * MB && l.p2m_va == P2M);
	EXPECT(l.start_info == 0x4200 && l.tables == 0x4203 && l.nr_l1 == 34);
	EXPECT(l.stack == 0x4228 && l.mapped == 0x4400);
	EXPECT(l.ramdisk == 0x4400 && l.p2m == 0x452c && l.p2m_tables == 0x45ac);
	/* An INIT_P2M in or above the mapping, or amid a page, is overlooked. */
	e = linux_like(16 * MB, MB);
	set_note(&e, XEN_ELFNOTE_INIT_P2M, HIGH);
	EXPECT(layout_plan(&l, &e, 65536, 0) == NULL && l.p2m_va == layout_va(&l, l.p2m));
	set_note(&e, XEN_ELFNOTE_INIT_P2M, P2M + 8);
	EXPECT(layout_plan(&l, &e, 65536, 0) == NULL && l.p2m_va == layout_va(&l, l.p2m));
}

static void refused(struct elf_image e, const char *cause)
{
	struct layout l;
	const char *wrong = layout_plan(&l, &e, 65536, 0);

	EXPECT(wrong && strstr(wrong, cause));
}

static void refusals(void)
{
	struct elf_image e = plain(MB, MB);

	e.nr_notes = 0;
	refused(e, "no Xen notes: not");
	e = plain(MB, MB);
	e.loader[0] = '\0';
	refused(e, "LOADER");
	strcpy(e.guest_os, "linux-6");
	strcpy(e.xen_version, "xen-9");
	refused(e, "XEN_VERSION");
	e = plain(MB, MB);
	set_note(&e, XEN_ELFNOTE_PADDR_OFFSET, 0);
	refused(e, "PADDR_OFFSET");
	e = plain(MB, MB);
	e.entry = MB - 1;
	refused(e, "entry point");
	e.entry = 2 * MB;
	refused(e, "entry point");
	e.entry = HIGH + MB;
	refused(e, "entry point");
	e = linux_like(MB, MB);
	set_note(&e, XEN_ELFNOTE_VIRT_BASE, HIGH + 4096);
	refused(e, "VIRT_BASE");
	set_note(&e, XEN_ELFNOTE_VIRT_BASE, 0xffff800000000000ull);
	refused(e, "VIRT_BASE");
	e = linux_like(MB, MB);
	set_note(&e, XEN_ELFNOTE_INIT_P2M, P2M + 4096);
	refused(e, "INIT_P2M");
	set_note(&e, XEN_ELFNOTE_INIT_P2M, HIGH - (1ull << 30));
	refused(e, "INIT_P2M");
	set_note(&e, XEN_ELFNOTE_INIT_P2M, 0xffff808000000000ull);
	refused(e, "INIT_P2M");
	refused(plain(MB, 300 * MB), "too little memory");
	refused(plain(MB, 1ull << 39), "too little memory");
}

static void sizes(void)
{
	struct elf_image e = plain(MB, 900 * MB);
	struct layout l;

	EXPECT(layout_plan(&l, &e, 1ull << 20, 0) == NULL);
	EXPECT(strstr(layout_plan(&l, &e, 1ull << 20, 200 * MB), "one gigabyte"));
	set_note(&e, XEN_ELFNOTE_MOD_START_PFN, 1);
	EXPECT(layout_plan(&l, &e, 1ull << 20, 200 * MB) == NULL);
	EXPECT(strstr(layout_plan(&l, &e, 1ull << 23, 0), "more memory"));
}

int main(void)
{
	all_combinations();
	defaults();
	refusals();
	sizes();
	return unit_failures != 0;
}
