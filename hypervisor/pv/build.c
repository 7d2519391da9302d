// SPDX-License-Identifier: MIT
/*
 * The domain builder: kernel segments, ramdisk, P2M, start info, first page tables, each where
 * pv/layout.c says.
 *
 * Kernel and ramdisk are not copied where whole pages line up: the module's frames themselves
 * become the guest's. The tables are written first and then taken through the same validation as
 * every table a guest makes, so all counts are right from the start.
 */
#include <hv/build.h>
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/elf.h>
#include <hv/frame.h>
#include <hv/layout.h>
#include <hv/page_type.h>
#include <hv/pagetable.h>
#include <hv/printk.h>
#include <hv/string.h>
#include <hv/vcpu.h>
#include <xen/elfnote.h>

#define TABLE_FLAGS	(PTE_P | PTE_RW | PTE_A | PTE_D | PTE_US)
#define MAGIC		"xen-3.0-x86_64"
#define HYPERCALL_SLOTS 128

struct build {
	const struct guest_image *image;
	struct domain *d;
	struct elf_image elf;
	struct layout at;
};

static u64 *p2m_page[LAYOUT_MAX_P2M_PAGES]; /* of the domain being built */

static u64 p2m_get(u64 n)
{
	return p2m_page[n / PTES_PER_PAGE][n % PTES_PER_PAGE];
}

static void p2m_set(u64 n, mfn_t m)
{
	p2m_page[n / PTES_PER_PAGE][n % PTES_PER_PAGE] = m.n;
	m2p_table[m.n] = n;
}

static void *guest_page(u64 n)
{
	return mfn_to_virt(mfn(p2m_get(n)));
}

/* Machine frame 0 is never a guest's, so 0 means "not there yet". */
static bool need_page(struct build *b, u64 n)
{
	mfn_t m;

	if (p2m_get(n))
		return true;
	m = frame_alloc(b->d->id);
	if (m.n == MFN_INVALID.n)
		return false;
	p2m_set(n, m);
	return true;
}

static bool make_p2m(struct build *b)
{
	for (u64 i = 0; i < b->at.nr_p2m; i++) {
		mfn_t m = frame_alloc(b->d->id);

		if (m.n == MFN_INVALID.n)
			return false;
		p2m_page[i] = mfn_to_virt(m);
	}
	for (u64 i = 0; i < b->at.nr_p2m; i++)
		p2m_set(b->at.p2m + i, virt_to_mfn(p2m_page[i]));
	return true;
}

/* The module frame at pa becomes guest frame n, if it is still the module's. */
static bool donate(struct build *b, u64 n, u64 pa)
{
	mfn_t m = paddr_to_mfn(paddr(pa));
	struct frame *f = frame_of(m);

	if (pa % PAGE_SIZE || m.n >= max_mfn || f->owner != OWNER_MODULE || p2m_get(n))
		return false;
	*f = (struct frame){.refs = 1, .owner = b->d->id};
	p2m_set(n, m);
	return true;
}

/* Brings bytes [pa, pa + filesz) of a module to guest address gpa, memsz bytes long in memory. */
static bool load(struct build *b, u64 gpa, u64 memsz, u64 pa, u64 filesz)
{
	for (u64 at = 0; at < memsz;) {
		u64 n = (gpa + at) >> PAGE_SHIFT;
		u64 in_page = (gpa + at) % PAGE_SIZE;
		u64 chunk = MIN(PAGE_SIZE - in_page, memsz - at);
		u64 from_file = at < filesz ? MIN(chunk, filesz - at) : 0;

		if (from_file != PAGE_SIZE || !donate(b, n, pa + at)) {
			if (!need_page(b, n))
				return false;
			if (from_file)
				memcpy((u8 *)guest_page(n) + in_page, paddr_to_virt(paddr(pa + at)),
				       from_file);
		}
		at += chunk;
	}
	return true;
}

static void free_module(paddr_t start, u64 size)
{
	for (u64 m = start.n >> PAGE_SHIFT; m < PFN_UP(start.n + size); m++)
		if (m < max_mfn && frame_of(mfn(m))->owner == OWNER_MODULE)
			frame_free(mfn(m));
}

static bool populate(struct build *b)
{
	const struct guest_image *g = b->image;
	bool ok = make_p2m(b);

	for (unsigned int i = 0; ok && i < b->elf.nr_segments; i++) {
		const struct elf_segment *s = &b->elf.segment[i];

		ok = load(b, s->paddr, s->memsz, g->kernel.n + s->offset, s->filesz);
	}
	ok = ok &&
	     load(b, b->at.ramdisk << PAGE_SHIFT, g->ramdisk_size, g->ramdisk.n, g->ramdisk_size);
	free_module(g->kernel, g->kernel_size);
	free_module(g->ramdisk, g->ramdisk_size);
	for (u64 n = 0; ok && n < g->nr_pages; n++)
		ok = need_page(b, n);
	b->d->nr_pages = g->nr_pages;
	b->d->max_pages = g->nr_pages;
	return ok;
}

static void set_entry(u64 table, unsigned int index, u64 target, u64 flags)
{
	((u64 *)guest_page(table))[index] = p2m_get(target) << PAGE_SHIFT | flags;
}

/* L4, L3, L2 and L1s that follow each other map [first, first + count) at va; ro: the tables' own
 * range. */
static void map_linear(u64 l3, u64 nr_l1, u64 va, u64 first, u64 count, u64 ro_first, u64 ro_count)
{
	u64 l1 = l3 + 2;

	set_entry(l3, pt_index(va, 3), l3 + 1, TABLE_FLAGS);
	for (u64 i = 0; i < nr_l1; i++)
		set_entry(l3 + 1, pt_index(va, 2) + (unsigned int)i, l1 + i, TABLE_FLAGS);
	for (u64 i = 0; i < count; i++) {
		bool ro = first + i - ro_first < ro_count;

		set_entry(l1 + i / PTES_PER_PAGE, i % PTES_PER_PAGE, first + i,
			  TABLE_FLAGS & (ro ? ~PTE_RW : ~0ull));
	}
}

static int make_tables(struct build *b)
{
	const struct layout *at = &b->at;
	u64 l4 = at->tables;
	mfn_t base;
	int rc;

	set_entry(l4, pt_index(at->virt_base, 4), l4 + 1, TABLE_FLAGS);
	map_linear(l4 + 1, at->nr_l1, at->virt_base, 0, at->mapped, l4, 3 + at->nr_l1);
	if (at->nr_p2m_l1) {
		set_entry(l4, pt_index(at->p2m_va, 4), at->p2m_tables, TABLE_FLAGS);
		map_linear(at->p2m_tables, at->nr_p2m_l1, at->p2m_va, at->p2m, at->nr_p2m, 0, 0);
	}
	base = mfn(p2m_get(l4));
	rc = page_pin(b->d, base, FT_L4);
	if (rc < 0)
		return rc;
	b->d->vcpu->saved_hot.kernel_cr3 = mfn_to_paddr(base).n;
	return page_get_type(b->d, base, FT_L4);
}

/* Slots of 32 bytes: save rcx and r11, number in eax, syscall, restore, return. iret never returns.
 */
static void fill_hypercall_page(struct build *b)
{
	static const u8 call[] = {0x51, 0x41, 0x53, 0xb8, 0,	0,    0,
				  0,	0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
	static const u8 iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 23, 0, 0, 0, 0x0f, 0x05};
	u64 va = b->elf.note[XEN_ELFNOTE_HYPERCALL_PAGE];
	u64 n = (va - b->at.virt_base) >> PAGE_SHIFT;
	u8 *page;

	if (!elf_has_note(&b->elf, XEN_ELFNOTE_HYPERCALL_PAGE) || n < b->at.kernel ||
	    n >= b->at.kernel_end)
		return;
	page = guest_page(n);
	for (u32 i = 0; i < HYPERCALL_SLOTS; i++) {
		memcpy(page + i * 32, call, sizeof(call));
		memcpy(page + i * 32 + 4, &i, sizeof(i));
	}
	memcpy(page + 23 * 32, iret, sizeof(iret));
}

static void describe_memory(const struct build *b, struct start_info *si)
{
	const struct layout *at = &b->at;

	si->nr_pages = b->image->nr_pages;
	si->pt_base = layout_va(at, at->tables);
	si->nr_pt_frames = 3 + at->nr_l1;
	si->mfn_list = at->p2m_va;
	/* Only a list outside the linear mapping has to be told by frame as well. */
	if (at->nr_p2m_l1) {
		si->first_p2m_pfn = at->p2m;
		si->nr_p2m_frames = at->nr_p2m + 2 + at->nr_p2m_l1;
	}
	if (!at->nr_ramdisk)
		return;
	si->mod_len = b->image->ramdisk_size;
	si->mod_start = at->ramdisk;
	if (at->ramdisk < at->mapped)
		si->mod_start = layout_va(at, at->ramdisk);
	else
		si->flags |= SIF_MOD_START_PFN;
}

static bool fill_start_info(struct build *b)
{
	struct start_info *si = guest_page(b->at.start_info);
	mfn_t ring = mfn(p2m_get(b->at.console));
	u32 port, store_port;

	if (store_connect(b->d, mfn(p2m_get(b->at.store)), &store_port) < 0 ||
	    console_init(b->d, ring, &port) < 0)
		return false;
	memset(si, 0, PAGE_SIZE);
	memcpy(si->magic, MAGIC, sizeof(MAGIC));
	si->shared_info = virt_to_mfn(b->d->shared_info).n << PAGE_SHIFT;
	si->flags = SIF_VIRT_P2M_4TOOLS;
	si->store_mfn = p2m_get(b->at.store);
	si->store_evtchn = store_port;
	si->console.domU.mfn = ring.n;
	si->console.domU.evtchn = port;
	describe_memory(b, si);
	str_copy((char *)si->cmd_line, b->image->cmdline, MAX_GUEST_CMDLINE);
	return true;
}

static void set_entry_state(struct build *b)
{
	struct vcpu *v = b->d->vcpu;
	u64 sp = layout_va(&b->at, b->at.stack + 1);
	struct regs regs = {
	    .rip = b->at.entry,
	    .cs = FLAT_KERNEL_CS,
	    .rflags = X86_EFLAGS_IF | X86_EFLAGS_FIXED,
	    .rsp = sp,
	    .ss = FLAT_KERNEL_SS,
	    .rsi = layout_va(&b->at, b->at.start_info),
	};

	v->saved_hot.kernel_mode = 1;
	v->saved_hot.kernel_sp = sp;
	vcpu_set_entry(v, &regs);
}

const char *domain_build(const struct guest_image *image, struct domain **domain)
{
	static struct build b;
	const char *wrong;
	u64 free_before = nr_free_frames + PFN_UP(image->kernel_size) + PFN_UP(image->ramdisk_size);

	memset(&b, 0, sizeof(b));
	b.image = image;
	wrong = elf_parse(&b.elf, paddr_to_virt(image->kernel), image->kernel_size);
	if (!wrong)
		wrong = layout_plan(&b.at, &b.elf, image->nr_pages, image->ramdisk_size);
	if (wrong)
		return wrong;
	b.d = domain_create();
	if (!b.d || !populate(&b) || !fill_start_info(&b))
		return "too little memory";
	b.d->free_before = free_before;
	fill_hypercall_page(&b);
	if (make_tables(&b) < 0)
		return "its start-of-day tables are refused (a bug of the builder)";
	set_entry_state(&b);
	*domain = b.d;
	return NULL;
}
