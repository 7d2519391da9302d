// SPDX-License-Identifier: MIT
/*
 * The end of a domain: its last output, its report, and every frame back.
 *
 * All uses of its frames come from the domain itself, so once bases, pins, descriptor tables and
 * the registered vcpu_info are returned, every count must be back to the allocation's own
 * reference. A frame where it is not is reported as a leak: it would be our bug.
 */
#include <hv/clock.h>
#include <hv/console.h>
#include <hv/descriptor.h>
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/grant.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/printk.h>
#include <hv/report.h>
#include <hv/vcpu.h>

static void return_base(u64 cr3)
{
	if (cr3)
		page_put_type(pte_mfn(cr3));
}

static void return_references(struct domain *d)
{
	struct vcpu *v = d->vcpu;

	descriptor_release(v);
	return_base(v->saved_hot.kernel_cr3);
	return_base(v->saved_hot.user_cr3);
	if (v->info_frame.n != MFN_INVALID.n)
		page_put_type(v->info_frame);
	for (u64 n = 0; n < max_mfn; n++) {
		struct frame *f = frame_of(mfn(n));

		if (f->owner != d->id)
			continue;
		if ((f->flags & FRAME_PINNED) && page_unpin(d, mfn(n)) < 0)
			panic("a pinned frame cannot be unpinned\n");
		if (f->flags & FRAME_PARTIAL)
			page_drop_partial(mfn(n));
	}
}

/* Shared frames keep the type reference that page_share() gave them. */
static u64 free_frames(struct domain *d)
{
	u64 leaks = 0;

	for (u64 n = 0; n < max_mfn; n++) {
		struct frame *f = frame_of(mfn(n));

		if (f->owner != d->id)
			continue;
		if (f->refs != (f->flags & FRAME_SHARED ? 2 : 1))
			leaks++;
		if (!(f->flags & FRAME_SHARED))
			frame_free(mfn(n));
	}
	return leaks;
}

/* Long only where it works off the tables, and there it can stop. */
bool domain_teardown(struct domain *d)
{
	u64 leaks;

	if (!d->torn_down) {
		console_release(d);
		evtchn_release(d);
		return_references(d);
		d->torn_down = true;
	}
	if (!page_release_work(d, true))
		return false;
	leaks = free_frames(d);
	grant_release(d);
	page_free(d->shared_info);
	report_domain(d, leaks);
	return true;
}
