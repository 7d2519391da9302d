/* SPDX-License-Identifier: MIT */
/* Calls that carry out a guest's list of entries and may stop between two of them, to go on later.
 */
#ifndef HV_BATCH_H
#define HV_BATCH_H

#include <hv/domain.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/vcpu.h>

struct batch {
	unsigned int number; /* of the call */
	unsigned int size;   /* of an entry */
	unsigned int every;  /* so many entries between two looks at the time */
	/* Carries out the entry at a guest address outside our half; -EAGAIN: it is not done yet.
	 */
	int (*entry)(struct domain *d, u64 at);
};

/* In the count of a batch that goes on: *done_ptr holds what was done before. */
#define BATCH_CONTINUED 0x80000000u

/* What was done before, by *done_ptr; 0 in a batch that begins. False if it cannot be read. */
__must_check bool batch_resume(u32 count, u64 done_ptr, u32 *before);

/* What to return so that the call is made again, for the `left` entries from guest address `at`. */
long batch_continue(const struct batch *b, u64 at, u32 left);

/* Tells the guest how many entries were done; returns rc, or -EFAULT. */
long batch_report(u64 done_ptr, u32 done, long rc);

/* Before entry i of n: tables that entries before it let go are released, if time allows. */
static inline bool batch_must_stop(const struct batch *b, struct domain *d, u32 i, u32 n)
{
	if (unlikely(d->release_head) && !page_release_work(d, true))
		return true;
	return i && i < n && i % b->every == 0 && sched_should_preempt();
}

/*
 * Carries out (struct entry list[count], u32 *done, domid), until the end, the first error or a due
 * timer. To be used with a constant b, once per call: then it is as fast as a loop by hand.
 */
static inline __attribute__((always_inline)) long batch_run(const struct batch *b, u64 list,
							    u64 count, u64 done_ptr, u64 domid)
{
	struct domain *d = domain_for(current->domain, (u32)domid);
	u32 n = (u32)count & ~BATCH_CONTINUED;
	u32 before = 0;
	long rc = 0;
	u32 i;

	if (!d)
		return trace_error(-EPERM);
	if (!guest_range_ok(vaddr(list), (u64)n * b->size) ||
	    (done_ptr && !batch_resume((u32)count, done_ptr, &before)))
		return trace_error(-EFAULT);
	for (i = 0;; i++) {
		u64 at = list + (u64)i * b->size;

		if (batch_must_stop(b, d, i, n)) {
			rc = batch_continue(b, at, n - i);
			break;
		}
		if (i == n)
			break;
		rc = b->entry(d, at);
		if (unlikely(rc == -EAGAIN)) {
			rc = batch_continue(b, at, n - i);
			break;
		}
		if (unlikely(rc < 0)) {
			/* What a refused table had let go; a rest waits for the next call. */
			page_release_work(d, true);
			break;
		}
	}
	return done_ptr ? batch_report(done_ptr, before + i, rc) : rc;
}

#endif
