// SPDX-License-Identifier: MIT
/*
 * Guest descriptor tables.
 *
 * The guest's own frames become part of the live table: typed FT_SEGDESC (so that the guest cannot
 * write them, see page_type.c), checked once as a whole and then entry by entry, and mapped into
 * the vCPU's table area. Ring 3 is forced on code and data descriptors, system descriptors and
 * gates are refused; segment bases and limits cannot reach us, because our half lies above what 32
 * bits of base and offset add up to.
 */
#include <hv/descriptor.h>
#include <hv/descriptors.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>

#define DESC_PRESENT	(1ull << 47)
#define DESC_NOT_SYSTEM (1ull << 44)
#define DESC_DPL3	(3ull << 45)
#define DESC_PER_PAGE	512
#define MAX_LDT		8192

int descriptor_check(u64 *desc)
{
	if (!(*desc & DESC_PRESENT))
		return 0;
	if (!(*desc & DESC_NOT_SYSTEM))
		return trace_error(-EINVAL);
	*desc |= DESC_DPL3;
	return 0;
}

int descriptor_validate_page(u64 *page)
{
	for (unsigned int i = 0; i < DESC_PER_PAGE; i++) {
		u64 desc = page[i];
		int rc = descriptor_check(&desc);

		if (rc < 0)
			return rc;
		page[i] = desc;
	}
	return 0;
}

/* Replaces what v's table holds. The new frames are already typed; mapping cannot fail any more. */
static void install(struct vcpu *v, const mfn_t *frames, unsigned int nr)
{
	unsigned int old = v->nr_gdt_frames;
	mfn_t released[GUEST_GDT_PAGES];

	for (unsigned int i = 0; i < old; i++)
		released[i] = v->gdt_frame[i];
	for (unsigned int i = 0; i < nr; i++) {
		v->gdt_frame[i] = frames[i];
		vcpu_map_gdt_page(v, i, frames[i]);
	}
	for (unsigned int i = nr; i < old; i++)
		vcpu_map_gdt_page(v, i, MFN_INVALID);
	v->nr_gdt_frames = nr;
	for (unsigned int i = 0; i < old; i++)
		page_put_type(released[i]);
}

long do_set_gdt(u64 list, u64 entries)
{
	struct domain *d = current->domain;
	mfn_t frames[GUEST_GDT_PAGES];
	u64 nr = ((u64)(u32)entries + DESC_PER_PAGE - 1) / DESC_PER_PAGE;
	int rc = 0;
	unsigned int i;

	if (nr > GUEST_GDT_PAGES)
		return trace_error(-EINVAL);
	for (i = 0; i < nr && rc == 0; i++) {
		if (!copy_elem_from(&frames[i].n, list, i))
			rc = trace_error(-EFAULT);
		else
			rc = page_get_type(d, frames[i], FT_SEGDESC);
	}
	if (rc < 0) {
		for (i--; i--;)
			page_put_type(frames[i]);
		return rc;
	}
	install(current, frames, (unsigned int)nr);
	return 0;
}

long do_update_descriptor(u64 ma, u64 desc)
{
	struct domain *d = current->domain;
	mfn_t m = paddr_to_mfn(paddr(ma));
	struct frame *f = page_owned(d, m);
	u64 *slot = paddr_to_virt(paddr(ma & ~7ull));
	int rc;

	if (!f || (ma & 7))
		return trace_error(-EINVAL);
	rc = descriptor_check(&desc);
	if (rc < 0)
		return rc;
	if (f->type_refs && f->type == FT_SEGDESC) {
		*slot = desc;
		return 0;
	}
	rc = page_get_type(d, m, FT_WRITABLE);
	if (rc < 0)
		return rc;
	*slot = desc;
	page_put_type(m);
	return 0;
}

static u64 pages_of(u64 nr)
{
	return (nr + DESC_PER_PAGE - 1) / DESC_PER_PAGE;
}

/* Drops the table: page by page of the area, each found again through our own mapping. */
static void drop_ldt(struct vcpu *v)
{
	u64 pages = pages_of(v->ldt_entries);

	v->ldt_entries = 0;
	vcpu_load_ldt(v);
	for (u64 i = 0; i < pages; i++) {
		u64 va = vcpu_ldt_va(v) + i * PAGE_SIZE;
		mfn_t m = virt_to_mfn(pagetable_lookup(va));

		pagetable_unmap(va);
		page_put_type(m);
	}
}

/* Takes the frames mapped from va on as descriptor tables: all of them or none. */
static int get_ldt_frames(struct domain *d, vaddr_t va, u64 pages, mfn_t *frames)
{
	for (u64 i = 0; i < pages; i++) {
		u64 *entry = page_walk_l1(vaddr(va.n + i * PAGE_SIZE), NULL);
		int rc = trace_error(-EINVAL);

		if (entry && (*entry & PTE_P)) {
			frames[i] = pte_mfn(*entry);
			rc = page_get_type(d, frames[i], FT_SEGDESC);
		}
		if (rc < 0) {
			while (i--)
				page_put_type(frames[i]);
			return rc;
		}
	}
	return 0;
}

/* The old table goes only when the new one is good. Mapping cannot fail: see vcpu_init(). */
int descriptor_set_ldt(vaddr_t va, u64 nr)
{
	struct vcpu *v = current;
	mfn_t frames[MAX_LDT / DESC_PER_PAGE];
	int rc;

	if (nr > MAX_LDT || (va.n & ~PAGE_MASK))
		return trace_error(-EINVAL);
	rc = get_ldt_frames(v->domain, va, pages_of(nr), frames);
	if (rc < 0)
		return rc;
	drop_ldt(v);
	for (u64 i = 0; i < pages_of(nr); i++)
		BUG_ON(pagetable_map(vcpu_ldt_va(v) + i * PAGE_SIZE, mfn_to_paddr(frames[i]),
				     PTE_RW | PTE_NX) < 0);
	v->ldt_entries = nr;
	vcpu_load_ldt(v);
	return 0;
}

void descriptor_release(struct vcpu *v)
{
	drop_ldt(v);
	install(v, NULL, 0);
}

long do_stack_switch(u64 ss, u64 sp)
{
	(void)ss; /* always the flat one */
	sp &= ~15ull;
	/* entry.S pushes here without looking: it must not lead into our half. */
	if (!guest_range_ok(vaddr(sp - 64), 64))
		return trace_error(-EPERM);
	cpu.hot.kernel_sp = sp;
	return 0;
}

static bool canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

/* Loads GS with the application's base in place; a bad selector becomes null, as the ABI says. */
static void load_user_gs(u64 selector)
{
	u32 sel = (u16)selector;

	if (sel > 3)
		sel |= 3;
	asm volatile("swapgs\n"
		     "1: mov %0, %%gs\n\t"
		     "jmp 3f\n"
		     "2: xor %0, %0\n\t"
		     "mov %0, %%gs\n"
		     "3:\n" ASM_EXTABLE(1b, 2b)
		     : "+r"(sel)
		     :
		     : "memory");
	if (sel <= 3)
		wrmsr(MSR_GS_BASE, 0); /* some processors keep the base of a null selector */
	swapgs();
}

long do_set_segment_base(u64 which, u64 base)
{
	if (which == SEGBASE_GS_USER_SEL) {
		load_user_gs(base);
		return 0;
	}
	if (!canonical(base))
		return trace_error(-EINVAL);
	switch (which) {
	case SEGBASE_FS:
		wrmsr(MSR_FS_BASE, base);
		return 0;
	case SEGBASE_GS_USER:
		wrmsr(MSR_KERNEL_GS_BASE, base);
		return 0;
	case SEGBASE_GS_KERNEL:
		wrmsr(MSR_GS_BASE, base);
		return 0;
	default:
		return hypercall_unknown_op("set_segment_base", which);
	}
}
