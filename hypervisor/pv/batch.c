// SPDX-License-Identifier: MIT
/*
 * The parts of a batch that are done once per call: taking its list, stopping in the middle,
 * telling how far it got. The loop itself is in the header, where the compiler makes one for each
 * call.
 */
#include <hv/batch.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/printk.h>

bool batch_resume(u32 count, u64 done_ptr, u32 *before)
{
	return !(count & BATCH_CONTINUED) || copy_arg_from(before, done_ptr);
}

long batch_continue(const struct batch *b, u64 at, u32 left)
{
	u64 args[] = {at, left | BATCH_CONTINUED};

	return hypercall_continue(b->number, ARRAY_SIZE(args), args);
}

long batch_report(u64 done_ptr, u32 done, long rc)
{
	return copy_arg_to(done_ptr, &done) ? rc : trace_error(-EFAULT);
}
