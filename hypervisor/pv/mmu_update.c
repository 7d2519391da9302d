// SPDX-License-Identifier: MIT
/*
 * The two calls that write page-table entries: mmu_update by machine address, in batches, and
 * update_va_mapping by the address that the entry maps. What may be written is decided by
 * page_type.c.
 */
#include <hv/batch.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/vcpu.h>

/*
 * A frame that is no table and no descriptor table may be written as plain memory: the guest could
 * do so itself, or has no mapping of it, and either way nothing of ours depends on its contents.
 * The processor may still walk through it, though, if it was a table until a moment ago. So unless
 * writable memory is what it was last, it becomes that for the store, with the flush that may take.
 */
static __attribute__((noinline)) int store_plain(struct domain *d, u64 *word, u64 val)
{
	mfn_t m = virt_to_mfn(word);
	int rc = page_get_type(d, m, FT_WRITABLE);

	if (rc < 0)
		return rc;
	*word = val;
	page_put_type(m);
	return 0;
}

static inline int update_entry(struct domain *d, u64 ptr, u64 val, bool keep_ad)
{
	struct frame *f = page_owned(d, paddr_to_mfn(paddr(ptr)));
	u64 *word = paddr_to_virt(paddr(ptr & ~7ull));

	if (unlikely(!f))
		return trace_error(-EPERM);
	if (likely(f->type == FT_WRITABLE)) {
		*word = val;
		return 0;
	}
	if (unlikely(!f->type_refs))
		return store_plain(d, word, val);
	if (likely(f->type == FT_L1))
		return page_write_l1e(d, f, word, val, keep_ad);
	if (f->type == FT_SEGDESC)
		return trace_error(-EBUSY);
	return page_write_entry(d, f, word, val, keep_ad);
}

static int update_m2p(struct domain *d, u64 ptr, u64 val)
{
	mfn_t m = paddr_to_mfn(paddr(ptr));
	struct frame *f = page_owned(d, m);

	if (!f || (f->flags & FRAME_SHARED))
		return trace_error(-EPERM);
	m2p_table[m.n] = val;
	return 0;
}

/*
 * Carries out the struct mmu_update at a guest address that lies outside our half. It is read into
 * two words, not into the structure: gcc 12 dies of an asm goto that writes to part of one.
 */
static int update(struct domain *d, u64 at)
{
	u64 ptr, val;

	if (!get_guest_u64_unchecked(vaddr(at), &ptr) ||
	    !get_guest_u64_unchecked(vaddr(at + offsetof(struct mmu_update, val)), &val))
		return trace_error(-EFAULT);
	switch (ptr & 3) {
	case MMU_NORMAL_PT_UPDATE:
	case MMU_PT_UPDATE_NO_TRANSLATE:
		return update_entry(d, ptr, val, false);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return update_entry(d, ptr, val, true);
	default:
		return update_m2p(d, ptr, val);
	}
}

static const struct batch updates = {
    .number = __HYPERVISOR_mmu_update,
    .size = sizeof(struct mmu_update),
    .every = 8,
    .entry = update,
};

static __attribute__((noinline)) long update_batch(u64 list, u64 count, u64 done_ptr, u64 domid)
{
	return batch_run(&updates, list, count, done_ptr, domid);
}

/* Linux's usual call is one update of its own table, without a count wanted: the short way. */
long do_mmu_update(u64 list, u64 count, u64 done_ptr, u64 domid)
{
	struct domain *d = current->domain;
	long rc;

	if ((u32)count != 1 || done_ptr || (u32)domid != DOMID_SELF || d->release_head)
		return update_batch(list, count, done_ptr, domid);
	if (!guest_range_ok(vaddr(list), sizeof(struct mmu_update)))
		return trace_error(-EFAULT);
	rc = update(d, list);
	if (unlikely(rc == -EAGAIN))
		return hypercall_continue(__HYPERVISOR_mmu_update, 0, NULL);
	if (unlikely(d->release_head) && !page_release_work(d, true) && rc == 0)
		return batch_continue(&updates, list, 0);
	return rc;
}

static int flush_after(u64 va, u64 flags)
{
	switch (flags & UVMF_FLUSHTYPE_MASK) {
	case UVMF_TLB_FLUSH:
		tlb_flush();
		break;
	case UVMF_INVLPG:
		invlpg(va);
		break;
	case UVMF_NONE:
		break;
	default:
		return trace_error(-EINVAL);
	}
	return 0;
}

long do_update_va_mapping(u64 va, u64 val, u64 flags)
{
	struct frame *table;
	struct domain *d = current->domain;
	u64 *entry;
	int rc;

	if (unlikely(d->release_head) && !page_release_work(d, true))
		return hypercall_continue(__HYPERVISOR_update_va_mapping, 0, NULL);
	entry = page_walk_l1(vaddr(va), &table);
	if (!entry || (flags & UVMF_FLUSHTYPE_MASK) == UVMF_FLUSHTYPE_MASK)
		return trace_error(-EINVAL);
	rc = page_write_l1e(d, table, entry, val, false);
	if (rc < 0)
		return rc;
	return flush_after(va, flags);
}
