// SPDX-License-Identifier: MIT
/*
 * The shared page of a domain: event bits, the clock, and its vCPU's part until the guest moves
 * that elsewhere (vcpu_op). The page is ours; the guest may map it and write what it likes into it.
 */
#include <hv/shared_info.h>
#include <hv/page_type.h>
#include <hv/printk.h>
#include <hv/public.h>
#include <hv/timer.h>
#include <hv/vcpu.h>

int shared_info_init(struct domain *d)
{
	struct shared_info *s = domain_page_alloc(d);

	if (!s)
		return trace_error(-ENOMEM);
	page_share(d, s);
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		s->vcpu_info[i].evtchn_upcall_mask = 1;
	timer_fill_clock(&s->vcpu_info[0].time);
	timer_fill_wallclock(s);
	d->shared_info = s;
	d->vcpu->vcpu_info = &s->vcpu_info[0];
	d->vcpu->saved_hot.vcpu_info = &s->vcpu_info[0];
	return 0;
}

bool shared_info_release(struct domain *d)
{
	page_unshare(d, d->shared_info);
	return true;
}
