// SPDX-License-Identifier: MIT
/*
 * What a kernel's notes ask of its first address space, and where everything goes.
 *
 * In the order of Xen's "start of day memory layout": free RAM up to the kernel, kernel, ramdisk,
 * P2M list, start info, store ring, console ring, bootstrap tables, stack, padding, all mapped
 * linearly from VIRT_BASE. A kernel with the MOD_START_PFN note has its ramdisk behind that
 * instead, not mapped; one with INIT_P2M the list, mapped at that address by tables of its own.
 *
 * Only arithmetic: nothing is allocated or written. Builds on the host for its tests.
 */
#include <hv/layout.h>
#include <hv/pagetable.h>
#include <hv/string.h>
#include <xen/elfnote.h>

#define LARGE	    PTES_PER_PAGE /* pages in 2 MB */
#define ROUND_PAGES 1024	  /* the mapping ends on 4 MB */
#define PADDING	    128		  /* with 512 KB beyond the stack */

static bool starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* The conditions under which Xen takes an image for a paravirtual kernel of its ABI. */
static const char *check_kind(const struct elf_image *e)
{
	if (!e->nr_notes)
		return "the kernel has no Xen notes: not a paravirtual kernel";
	if (!starts_with(e->loader, "generic") && !starts_with(e->guest_os, "linux"))
		return "the kernel has neither LOADER note \"generic\" nor GUEST_OS note \"linux\"";
	if (e->xen_version[0] && !starts_with(e->xen_version, "xen-3.0"))
		return "the kernel's XEN_VERSION note is not \"xen-3.0\"";
	if (elf_has_note(e, XEN_ELFNOTE_PADDR_OFFSET) && !elf_has_note(e, XEN_ELFNOTE_VIRT_BASE))
		return "the kernel has a PADDR_OFFSET note but no VIRT_BASE note";
	return NULL;
}

/* An absent note is 0, which is VIRT_BASE's default. */
static const char *plan_kernel(struct layout *l, const struct elf_image *e)
{
	u64 start = ~0ull, end = 0;

	for (unsigned int i = 0; i < e->nr_segments; i++) {
		start = MIN(start, e->segment[i].paddr);
		end = MAX(end, e->segment[i].paddr + e->segment[i].memsz);
	}
	l->kernel = start >> PAGE_SHIFT;
	l->kernel_end = PFN_UP(end);
	l->virt_base = e->note[XEN_ELFNOTE_VIRT_BASE];
	l->entry = elf_has_note(e, XEN_ELFNOTE_ENTRY) ? e->note[XEN_ELFNOTE_ENTRY] : e->entry;
	if (l->virt_base % (LARGE << PAGE_SHIFT) || !guest_range_ok(vaddr(l->virt_base), PAGE_SIZE))
		return "the kernel's VIRT_BASE note is unusable";
	if (l->entry - l->virt_base < start || l->entry - l->virt_base >= end)
		return "the kernel's entry point lies outside of it";
	return NULL;
}

/* As Xen, we overlook an INIT_P2M that is not below the linear mapping, or not a page. */
static const char *plan_p2m_address(struct layout *l, const struct elf_image *e)
{
	u64 va = e->note[XEN_ELFNOTE_INIT_P2M];

	if (!elf_has_note(e, XEN_ELFNOTE_INIT_P2M) || va >= l->virt_base || va % PAGE_SIZE)
		return NULL;
	if (va % (1ull << 30) || !guest_range_ok(vaddr(va), PAGE_SIZE) ||
	    pt_index(va, 4) == pt_index(l->virt_base, 4))
		return "the kernel's INIT_P2M note is unusable";
	l->p2m_va = va;
	l->nr_p2m_l1 = (l->nr_p2m + LARGE - 1) / LARGE;
	return NULL;
}

/* Takes n frames at *next. */
static u64 place(u64 *next, u64 n)
{
	u64 at = *next;

	*next += n;
	return at;
}

/* The size of the tables depends on what they map, which includes themselves. */
static void plan_tables(struct layout *l, u64 next)
{
	u64 base = l->virt_base >> PAGE_SHIFT;

	l->tables = next;
	do {
		u64 end;

		l->nr_l1 = l->mapped / LARGE;
		l->stack = l->tables + 3 + l->nr_l1;
		end = base + l->stack + 1 + PADDING + ROUND_PAGES - 1;
		l->mapped = end / ROUND_PAGES * ROUND_PAGES - base;
	} while (l->nr_l1 != l->mapped / LARGE);
}

static void plan_frames(struct layout *l, bool map_ramdisk)
{
	u64 next = l->kernel_end;

	if (map_ramdisk)
		l->ramdisk = place(&next, l->nr_ramdisk);
	if (!l->nr_p2m_l1)
		l->p2m = place(&next, l->nr_p2m);
	l->start_info = place(&next, 1);
	l->store = place(&next, 1);
	l->console = place(&next, 1);
	plan_tables(l, next);
	next = l->mapped;
	if (!map_ramdisk)
		l->ramdisk = place(&next, l->nr_ramdisk);
	if (l->nr_p2m_l1) {
		l->p2m = place(&next, l->nr_p2m);
		l->p2m_tables = place(&next, 2 + l->nr_p2m_l1);
	} else {
		l->p2m_va = layout_va(l, l->p2m);
	}
	l->used = next;
}

const char *layout_plan(struct layout *l, const struct elf_image *elf, u64 nr_pages,
			u64 ramdisk_size)
{
	const char *wrong = check_kind(elf);

	memset(l, 0, sizeof(*l));
	l->nr_ramdisk = PFN_UP(ramdisk_size);
	l->nr_p2m = PFN_UP(nr_pages * sizeof(u64));
	if (!wrong && l->nr_p2m > LAYOUT_MAX_P2M_PAGES)
		wrong = "more memory than the builder can describe";
	if (!wrong)
		wrong = plan_kernel(l, elf);
	if (!wrong)
		wrong = plan_p2m_address(l, elf);
	if (wrong)
		return wrong;
	plan_frames(l, !elf->note[XEN_ELFNOTE_MOD_START_PFN]);
	if (l->used > nr_pages)
		return "too little memory for kernel and ramdisk";
	if (pt_index(l->virt_base, 2) + l->nr_l1 > PTES_PER_PAGE)
		return "kernel and ramdisk do not fit one gigabyte of address space";
	return NULL;
}
