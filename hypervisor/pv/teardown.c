// SPDX-License-Identifier: MIT
/*
 * The end of a domain's memory.
 *
 * All uses of its frames come from the domain itself, or from others that map what it lent, for
 * whom pv/grant.c waits. So once bases, pins, descriptor tables and the registered vcpu_info are
 * returned, every count must be back to the allocation's own reference. A frame where it is not is
 * counted as a leak and not used again: it would be our bug, and what refers to it may be anything.
 *
 * Both walks go over all frames of the machine, with a cursor, and stop when a timer is due: a
 * guest may have pinned each of its frames, and its neighbours run meanwhile.
 */
#include <hv/teardown.h>
#include <hv/descriptor.h>
#include <hv/frame.h>
#include <hv/page_type.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/vcpu.h>

#define LOOK_EVERY 64 /* frames that cost next to nothing */

static void return_base(u64 cr3)
{
	if (cr3)
		page_put_type(pte_mfn(cr3));
}

static void return_vcpu(struct vcpu *v)
{
	descriptor_release(v);
	return_base(v->saved_hot.kernel_cr3);
	return_base(v->saved_hot.user_cr3);
	if (v->info_frame.n != MFN_INVALID.n)
		page_put_type(v->info_frame);
}

/* Returns whether that may have taken long. */
static bool return_pin(struct domain *d, mfn_t m)
{
	struct frame *f = frame_of(m);

	if (f->owner != d->id || !(f->flags & (FRAME_PINNED | FRAME_PARTIAL)))
		return false;
	if ((f->flags & FRAME_PINNED) && page_unpin(d, m) < 0)
		panic("a pinned frame cannot be unpinned\n");
	if (f->flags & FRAME_PARTIAL)
		page_drop_partial(m);
	return true;
}

bool tables_release(struct domain *d)
{
	if (d->release_cursor == 0)
		return_vcpu(d->vcpu);
	while (d->release_cursor < max_mfn) {
		bool look = return_pin(d, mfn(d->release_cursor++));

		if ((look || d->release_cursor % LOOK_EVERY == 0) && sched_should_preempt())
			return false;
	}
	return page_release_work(d, true);
}

bool memory_release(struct domain *d)
{
	while (d->release_cursor < max_mfn) {
		mfn_t m = mfn(d->release_cursor++);

		if (frame_of(m)->owner == d->id) {
			if (frame_of(m)->refs == 1)
				frame_free(m);
			else
				d->leaks++;
		}
		if (d->release_cursor % LOOK_EVERY == 0 && sched_should_preempt())
			return false;
	}
	return true;
}
