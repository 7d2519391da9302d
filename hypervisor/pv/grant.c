// SPDX-License-Identifier: MIT
/*
 * Grant tables, version 1: the table is shared with its owner, who writes into it what it lends.
 * Our back ends take pages by it (grant_hold); domains copy from and to pages of others, and map
 * them.
 *
 * The frames are ours, shared with the owner (page_share), and grow on demand up to MAX_FRAMES.
 * All in them is the owner's to change at any time: an entry is read once, and marked as in use by
 * a compare and exchange of what was read. What is held is counted beside the table, out of its
 * reach, so that the mark goes with the last use; and the page is the frame that was held, whatever
 * the entry says by then.
 *
 * A mapping is two things that are counted apart: a held page, kept under a handle of the domain
 * that maps, and an entry of its tables, which has uses of its own as every entry has
 * (page_map_lent). So an entry that is overwritten, or goes with its table, returns what is its own
 * and no more; the page stays held until the handle is given back or its domain ends. Only the call
 * that makes a handle enters the frame of another domain, at the place the handle tells: with that
 * cleared and the TLB flushed no way leads to the page, and the owner may see the mark go. A domain
 * that ends while others map its pages is buried when the last of them lets go.
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
#define INITIAL_FRAMES 1
#define ENTRIES	       (PAGE_SIZE / sizeof(struct grant_entry_v1)) /* in a frame */
#define MAX_USES       0xffff
#define MAX_MAP_PAGES  8
#define MAPS	       (PAGE_SIZE / sizeof(struct mapping)) /* in a page */
#define FREE_LIST_END  (~0u)

struct uses {
	u16 readers, writers;
};

/* What a handle stands for. */
struct mapping {
	struct held page; /* of one that is free, ref: the next that is */
	u64 *entry;	  /* where it was entered; NULL: free */
	u64 host_addr;	  /* as the guest named that place */
};

struct grant_table {
	unsigned int nr_frames;
	struct grant_entry_v1 *frame[MAX_FRAMES];
	struct uses *uses[MAX_FRAMES / 2]; /* a page for two frames */
	unsigned int nr_lent;		   /* handles of whatever domain that hold a page of ours */

	u32 nr_maps, first_free; /* handles ever used; the list of those that are free again */
	struct mapping *map[MAX_MAP_PAGES];
};

static_assert(sizeof(struct grant_table) <= PAGE_SIZE, "a grant table's own page");
static_assert(2 * ENTRIES * sizeof(struct uses) <= PAGE_SIZE, "uses of two frames fit a page");

static struct grant_table *table_of(struct domain *d)
{
	if (!d->grants) {
		d->grants = domain_page_alloc(d);
		if (d->grants)
			d->grants->first_free = FREE_LIST_END;
	}
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

static struct mapping *map_of(struct grant_table *t, u32 handle)
{
	return &t->map[handle / MAPS][handle % MAPS];
}

/* A free handle, not taken yet; false if there are no more. */
static bool free_handle(struct domain *d, struct grant_table *t, u32 *handle)
{
	struct mapping **page;

	*handle = t->first_free != FREE_LIST_END ? t->first_free : t->nr_maps;
	if (*handle >= MAX_MAP_PAGES * MAPS)
		return false;
	page = &t->map[*handle / MAPS];
	if (!*page)
		*page = domain_page_alloc(d);
	return *page;
}

static void take_handle(struct grant_table *t, u32 handle, const struct mapping *m)
{
	if (handle == t->first_free)
		t->first_free = map_of(t, handle)->page.ref;
	else
		t->nr_maps++;
	*map_of(t, handle) = *m;
	domains[m->page.owner]->grants->nr_lent++;
}

static void give_handle(struct grant_table *t, u32 handle)
{
	struct mapping *m = map_of(t, handle);
	struct domain *owner = domains[m->page.owner];

	grant_release(&m->page);
	if (--owner->grants->nr_lent == 0 && owner->state == DOMAIN_DYING)
		sched_bury(owner->vcpu);
	m->entry = NULL;
	m->page.ref = t->first_free;
	t->first_free = handle;
}

/* The entry if it is one of an L1 table of d's, and what that table is. */
static u64 *entry_for(struct domain *d, u64 host_addr, bool machine, struct frame **table)
{
	if (!machine)
		return page_walk_l1(vaddr(host_addr), table);
	*table = page_owned(d, paddr_to_mfn(paddr(host_addr)));
	if (!*table || (*table)->type != FT_L1 || !(*table)->type_refs || (host_addr & 7))
		return NULL;
	return paddr_to_virt(paddr(host_addr));
}

#define FLAGS_KNOWN                                                                                \
	(GNTMAP_host_map | GNTMAP_readonly | GNTMAP_application_map | GNTMAP_contains_pte |        \
	 GNTMAP_guest_avail_mask)
#define PTE_AVAIL_FIRST 9
#define PTE_AVAIL_MASK	7u

static u64 entry_value(mfn_t m, u32 flags)
{
	u64 avail = flags >> _GNTMAP_guest_avail0 & PTE_AVAIL_MASK;

	return mfn_to_paddr(m).n | avail << PTE_AVAIL_FIRST | PTE_P | PTE_A | PTE_D |
	       (flags & GNTMAP_readonly ? 0 : PTE_RW);
}

static int map(struct domain *d, struct gnttab_map_grant_ref *op)
{
	struct grant_table *t = table_of(d);
	struct domain *owner = domain_by_id(op->dom);
	struct mapping m = {.host_addr = op->host_addr};
	struct frame *table;
	u32 handle;
	int rc;

	if ((op->flags & ~FLAGS_KNOWN) || !(op->flags & GNTMAP_host_map))
		return GNTST_general_error;
	if (!owner || owner->state != DOMAIN_RUNNING)
		return GNTST_bad_domain;
	if (!t || !free_handle(d, t, &handle))
		return GNTST_no_space;
	m.entry = entry_for(d, op->host_addr, op->flags & GNTMAP_contains_pte, &table);
	if (!m.entry)
		return GNTST_bad_virt_addr;
	rc = hold_for(owner, d->id, op->ref, !(op->flags & GNTMAP_readonly), &m.page);
	if (rc != GNTST_okay)
		return rc;
	if (page_map_lent(owner, table, m.entry, entry_value(m.page.mfn, op->flags)) < 0) {
		grant_release(&m.page);
		return GNTST_general_error;
	}
	take_handle(t, handle, &m);
	op->handle = handle;
	op->dev_bus_addr = mfn_to_paddr(m.page.mfn).n;
	return GNTST_okay;
}

/* What was a table when it was mapped may be anything by now, and what was entered overwritten. */
static void clear_entry(struct domain *d, const struct mapping *m)
{
	struct frame *f = page_owned(d, virt_to_mfn(m->entry));

	if (f && f->type == FT_L1 && f->type_refs && (*m->entry & PTE_P) &&
	    pte_mfn(*m->entry).n == m->page.mfn.n)
		BUG_ON(page_write_l1e(d, f, m->entry, 0, false) < 0);
}

/* To be followed by a flush before anybody else runs. */
static int unmap(struct domain *d, const struct gnttab_unmap_grant_ref *op)
{
	struct grant_table *t = d->grants;
	struct mapping *m;

	if (!t || op->handle >= t->nr_maps || !map_of(t, op->handle)->entry)
		return GNTST_bad_handle;
	m = map_of(t, op->handle);
	if (op->host_addr != m->host_addr)
		return GNTST_bad_virt_addr;
	if (op->dev_bus_addr)
		return GNTST_bad_dev_addr;
	clear_entry(d, m);
	give_handle(t, op->handle);
	return GNTST_okay;
}

union operation {
	struct gnttab_copy copy;
	struct gnttab_map_grant_ref map;
	struct gnttab_unmap_grant_ref unmap;
};

static void carry_out(struct domain *d, u64 cmd, union operation *op)
{
	switch (cmd) {
	case GNTTABOP_map_grant_ref:
		op->map.status = (int16_t)map(d, &op->map);
		break;
	case GNTTABOP_unmap_grant_ref:
		op->unmap.status = (int16_t)unmap(d, &op->unmap);
		break;
	default:
		op->copy.status = (int16_t)copy_page(d, &op->copy);
	}
}

/* The calls that take a list. How far it got is not told: the guest reads each one's status. */
static long batch(struct domain *d, u64 cmd, u64 arg, u32 count, u64 size)
{
	long rc = 0;
	u32 i;

	for (i = 0; i < count && rc == 0; i++) {
		vaddr_t at = vaddr(arg + i * size);
		union operation op;

		if (i && sched_should_preempt())
			break;
		if (!copy_from_guest(&op, at, size)) {
			rc = trace_error(-EFAULT);
			break;
		}
		carry_out(d, cmd, &op);
		if (!copy_to_guest(at, &op, size))
			rc = trace_error(-EFAULT);
	}
	if (cmd == GNTTABOP_unmap_grant_ref)
		tlb_flush();
	if (rc == 0 && i < count) {
		u64 args[] = {cmd, arg + i * size, count - i};

		return hypercall_continue(__HYPERVISOR_grant_table_op, ARRAY_SIZE(args), args);
	}
	return rc;
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

	if ((int32_t)count < 0)
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
		return batch(d, cmd, arg, (u32)count, sizeof(struct gnttab_copy));
	case GNTTABOP_map_grant_ref:
		return batch(d, cmd, arg, (u32)count, sizeof(struct gnttab_map_grant_ref));
	case GNTTABOP_unmap_grant_ref:
		return batch(d, cmd, arg, (u32)count, sizeof(struct gnttab_unmap_grant_ref));
	default:
		return hypercall_unknown_op("grant_table_op", cmd);
	}
}

/* Its tables are gone, so no entry holds anything any more. False: a timer is due. */
static bool release_maps(struct grant_table *t)
{
	while (t->nr_maps) {
		if (map_of(t, --t->nr_maps)->entry)
			give_handle(t, t->nr_maps);
		if (t->nr_maps % 64 == 0 && sched_should_preempt())
			break;
	}
	return t->nr_maps == 0;
}

bool grant_table_release(struct domain *d)
{
	struct grant_table *t = d->grants;

	if (!t)
		return true;
	if (!release_maps(t))
		return false;
	if (t->nr_lent) {
		sched_remove(d->vcpu); /* until the last one is given back */
		return false;
	}
	for (unsigned int i = 0; i < t->nr_frames; i++)
		page_unshare(d, t->frame[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(t->uses); i++)
		if (t->uses[i])
			page_free(t->uses[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(t->map); i++)
		if (t->map[i])
			page_free(t->map[i]);
	page_free(t);
	d->grants = NULL;
	return true;
}
