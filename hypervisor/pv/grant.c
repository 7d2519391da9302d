// SPDX-License-Identifier: MIT
/*
 * Grant tables, version 1: the table itself exists, grows and is shared with its owner, so that
 * Linux can set its front ends up. Nobody maps or copies grants yet.
 *
 * The frames are ours, shared with the owner (page_share), and grow on demand up to MAX_FRAMES.
 */
#include <hv/grant.h>
#include <hv/frame.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/vcpu.h>
#include <xen/grant_table.h>

#define MAX_FRAMES     8
#define MAX_BATCH      64
#define INITIAL_FRAMES 1

struct grant_table {
	unsigned int nr_frames;
	void *frame[MAX_FRAMES];
};

static struct grant_table *table_of(struct domain *d)
{
	if (!d->grants)
		d->grants = domain_page_alloc(d);
	return d->grants;
}

static bool grow(struct domain *d, struct grant_table *t, unsigned int nr)
{
	while (t->nr_frames < nr) {
		void *page = domain_page_alloc(d);

		if (!page)
			return false;
		page_share(d, page);
		t->frame[t->nr_frames++] = page;
	}
	return true;
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
	default:
		return hypercall_unknown_op("grant_table_op", cmd);
	}
}

bool grant_release(struct domain *d)
{
	struct grant_table *t = d->grants;

	if (!t)
		return true;
	for (unsigned int i = 0; i < t->nr_frames; i++)
		page_unshare(d, t->frame[i]);
	page_free(t);
	d->grants = NULL;
	return true;
}
