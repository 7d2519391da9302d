// SPDX-License-Identifier: MIT
/*
 * Grant tables, version 1: the table is shared with its owner, who writes into it what it lends.
 * Our back ends take pages by it (grant_hold), and domains copy from and to pages of others.
 *
 * The frames are ours, shared with the owner (page_share), and grow on demand up to MAX_FRAMES.
 * All in them is the owner's to change at any time: an entry is read once, and marked as in use by
 * a compare and exchange of what was read. What is held is counted beside the table, out of its
 * reach, so that the mark goes with the last use; and the page is the frame that was held, whatever
 * the entry says by then.
 */
#include <hv/grant.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/string.h>
#include <hv/vcpu.h>

#define MAX_FRAMES     8
#define MAX_BATCH      64
#define INITIAL_FRAMES 1
#define ENTRIES	       (PAGE_SIZE / sizeof(struct grant_entry_v1)) /* in a frame */
#define MAX_USES       0xffff

struct uses {
	u16 readers, writers;
};

struct grant_table {
	unsigned int nr_frames;
	struct grant_entry_v1 *frame[MAX_FRAMES];
	struct uses *uses[MAX_FRAMES / 2]; /* a page for two frames */
};

static_assert(2 * ENTRIES * sizeof(struct uses) <= PAGE_SIZE, "uses of two frames fit a page");

static struct grant_table *table_of(struct domain *d)
{
	if (!d->grants)
		d->grants = domain_page_alloc(d);
	return d->grants;
}

static bool grow(struct domain *d, struct grant_table *t, unsigned int nr)
{
	while (t->nr_frames < nr) {
		struct uses **uses = &t->uses[t->nr_frames / 2];
		void *page;

		if (!*uses)
			*uses = domain_page_alloc(d);
		page = *uses ? domain_page_alloc(d) : NULL;
		if (!page)
			return false;
		page_share(d, page);
		t->frame[t->nr_frames++] = page;
	}
	return true;
}

static struct uses *uses_of(struct grant_table *t, u32 ref)
{
	return &t->uses[ref / (2 * ENTRIES)][ref % (2 * ENTRIES)];
}

static struct grant_entry_v1 *entry_of(struct grant_table *t, u32 ref)
{
	return &t->frame[ref / ENTRIES][ref % ENTRIES];
}

/* Marks the entry as in use, if it grants what is asked for while that is done. */
static int mark(struct grant_entry_v1 *e, domid_t grantee, bool write, mfn_t *m)
{
	u16 old = READ_ONCE(e->flags);

	for (;;) {
		u16 marked = (u16)(old | GTF_reading | (write ? GTF_writing : 0));

		if ((old & GTF_type_mask) != GTF_permit_access || READ_ONCE(e->domid) != grantee ||
		    (old & GTF_sub_page) || (write && (old & GTF_readonly)))
			return GNTST_permission_denied;
		*m = mfn(READ_ONCE(e->frame));
		if (__atomic_compare_exchange_n(&e->flags, &old, marked, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return GNTST_okay;
	}
}

static void unmark(struct grant_entry_v1 *e, const struct uses *u)
{
	u16 unused =
	    (u16)((u->readers + u->writers ? 0 : GTF_reading) | (u->writers ? 0 : GTF_writing));

	__atomic_fetch_and(&e->flags, (u16)~unused, __ATOMIC_SEQ_CST);
}

/* Our own pages that a domain may map (its table, shared_info) are not lent on. */
static bool take_page(struct domain *owner, mfn_t m, bool write)
{
	struct frame *f = page_owned(owner, m);

	if (!f || (f->flags & FRAME_SHARED) || f->refs >= MAX_REFS)
		return false;
	if (write)
		return page_get_type(owner, m, FT_WRITABLE) == 0;
	f->refs++;
	return true;
}

static void give_page(mfn_t m, bool write)
{
	if (write)
		page_put_type(m);
	else
		frame_of(m)->refs--;
}

static int hold_for(struct domain *owner, domid_t grantee, u32 ref, bool write, struct held *h)
{
	struct grant_table *t = owner->grants;
	struct uses *u;
	int rc;

	if (!t || ref / ENTRIES >= t->nr_frames)
		return GNTST_bad_gntref;
	u = uses_of(t, ref);
	if (u->readers == MAX_USES || u->writers == MAX_USES)
		return GNTST_no_space;
	*h = (struct held){.owner = owner->id, .write = write, .ref = ref};
	rc = mark(entry_of(t, ref), grantee, write, &h->mfn);
	if (rc != GNTST_okay)
		return rc;
	if (!take_page(owner, h->mfn, write)) {
		unmark(entry_of(t, ref), u);
		return GNTST_bad_page;
	}
	u->readers += !write;
	u->writers += write;
	return GNTST_okay;
}

int grant_hold(struct domain *owner, u32 ref, bool write, struct held *h)
{
	return hold_for(owner, DOMID_BACKEND, ref, write, h);
}

void grant_release(struct held *h)
{
	struct grant_table *t = domains[h->owner]->grants;
	struct uses *u = uses_of(t, h->ref);

	give_page(h->mfn, h->write);
	u->readers -= !h->write;
	u->writers -= h->write;
	unmark(entry_of(t, h->ref), u);
}

/* One end of a copy: a page that a domain granted to the caller, or one of the caller's own. */
static int hold_end(struct domain *d, const struct gnttab_copy *op, bool write, struct held *h)
{
	bool granted = op->flags & (write ? GNTCOPY_dest_gref : GNTCOPY_source_gref);
	domid_t domid = write ? op->dest.domid : op->source.domid;
	struct domain *owner = granted ? domain_by_id(domid) : domain_for(d, domid);

	if (!owner || owner->state != DOMAIN_RUNNING)
		return granted ? GNTST_bad_domain : GNTST_permission_denied;
	if (granted)
		return hold_for(owner, d->id, write ? op->dest.u.ref : op->source.u.ref, write, h);
	*h = (struct held){.write = write, .mfn = mfn(write ? op->dest.u.gmfn : op->source.u.gmfn)};
	return take_page(d, h->mfn, write) ? GNTST_okay : GNTST_bad_page;
}

static void release_end(struct held *h)
{
	if (h->owner)
		grant_release(h);
	else
		give_page(h->mfn, h->write);
}

static int copy_page(struct domain *d, const struct gnttab_copy *op)
{
	struct held from, to;
	int rc;

	if (op->source.offset > PAGE_SIZE || op->dest.offset > PAGE_SIZE ||
	    op->len > PAGE_SIZE - op->source.offset || op->len > PAGE_SIZE - op->dest.offset)
		return GNTST_bad_copy_arg;
	rc = hold_end(d, op, false, &from);
	if (rc != GNTST_okay)
		return rc;
	rc = hold_end(d, op, true, &to);
	if (rc == GNTST_okay) {
		memmove((u8 *)mfn_to_virt(to.mfn) + op->dest.offset,
			(u8 *)mfn_to_virt(from.mfn) + op->source.offset, op->len);
		release_end(&to);
	}
	release_end(&from);
	return rc;
}

static long copy(struct domain *d, u64 arg, u32 count)
{
	struct gnttab_copy op;

	for (u32 i = 0; i < count; i++) {
		if (i && sched_should_preempt()) {
			u64 args[] = {GNTTABOP_copy, arg + i * sizeof(op), count - i};

			return hypercall_continue(__HYPERVISOR_grant_table_op, ARRAY_SIZE(args),
						  args);
		}
		if (!copy_elem_from(&op, arg, i))
			return trace_error(-EFAULT);
		op.status = (int16_t)copy_page(d, &op);
		if (!copy_elem_to(arg, i, &op))
			return trace_error(-EFAULT);
	}
	return 0;
}

static long setup_table(struct domain *d, u64 arg)
{
	struct gnttab_setup_table op;
	struct grant_table *t = table_of(d);

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	op.status = GNTST_okay;
	if (!domain_for(d, op.dom))
		op.status = GNTST_permission_denied;
	else if (op.nr_frames > MAX_FRAMES || !t || !grow(d, t, op.nr_frames))
		op.status = GNTST_general_error;
	for (u64 i = 0; op.status == GNTST_okay && i < op.nr_frames; i++) {
		xen_pfn_t n = virt_to_mfn(t->frame[i]).n;

		if (!copy_elem_to((u64)op.frame_list.p, i, &n))
			return trace_error(-EFAULT);
	}
	return copy_arg_to(arg, &op) ? 0 : trace_error(-EFAULT);
}

static long query_size(struct domain *d, u64 arg)
{
	struct gnttab_query_size op;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	op.status = domain_for(d, op.dom) ? GNTST_okay : GNTST_permission_denied;
	op.nr_frames = MAX(d->grants ? d->grants->nr_frames : 0, (unsigned int)INITIAL_FRAMES);
	op.max_nr_frames = MAX_FRAMES;
	return copy_arg_to(arg, &op) ? 0 : trace_error(-EFAULT);
}

/* As Xen when told to offer version 1 only. However it ends, the guest reads the version in force.
 */
static long set_version(u64 arg)
{
	gnttab_set_version_t op;
	long rc = 0;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	if (op.version == 2)
		rc = trace_error(-ENOSYS); /* as before there were versions */
	else if (op.version != 1)
		rc = trace_error(-EINVAL);
	op.version = 1;
	return copy_arg_to(arg, &op) ? rc : trace_error(-EFAULT);
}

static long get_version(struct domain *d, u64 arg)
{
	gnttab_get_version_t op;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	if (!domain_for(d, op.dom))
		return trace_error(-EPERM);
	op.version = 1;
	return copy_arg_to(arg, &op) ? 0 : trace_error(-EFAULT);
}

long do_grant_table_op(u64 cmd, u64 arg, u64 count)
{
	struct domain *d = current->domain;

	if ((u32)count > MAX_BATCH)
		return trace_error(-EINVAL);
	if ((u32)count == 0)
		return 0;
	switch (cmd) {
	case GNTTABOP_setup_table:
		return (u32)count == 1 ? setup_table(d, arg) : trace_error(-EINVAL);
	case GNTTABOP_query_size:
		return (u32)count == 1 ? query_size(d, arg) : trace_error(-EINVAL);
	case GNTTABOP_set_version:
		return set_version(arg);
	case GNTTABOP_get_version:
		return get_version(d, arg);
	case GNTTABOP_copy:
		return copy(d, arg, (u32)count);
	default:
		return hypercall_unknown_op("grant_table_op", cmd);
	}
}

bool grant_table_release(struct domain *d)
{
	struct grant_table *t = d->grants;

	if (!t)
		return true;
	for (unsigned int i = 0; i < t->nr_frames; i++)
		page_unshare(d, t->frame[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(t->uses); i++)
		if (t->uses[i])
			page_free(t->uses[i]);
	page_free(t);
	d->grants = NULL;
	return true;
}
