// SPDX-License-Identifier: MIT
/*
 * Guest time. System time is nanoseconds since the hypervisor's boot, the same for all domains; the
 * processor's counter runs at one constant rate, so the pvclock record is written once, marked
 * stable, and lets Linux read the clock without a system call.
 */
#include <hv/timer.h>
#include <hv/clock.h>
#include <hv/evtchn.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/vcpu.h>

#define TSC_STABLE 1 /* XEN_PVCLOCK_TSC_STABLE_BIT */

void timer_fill_clock(struct vcpu_time_info *t)
{
	u32 version = t->version | 1;

	WRITE_ONCE(t->version, version);
	t->tsc_timestamp = boot_clock.boot_tsc;
	t->system_time = 0;
	t->tsc_to_system_mul = boot_clock.scale.mul;
	t->tsc_shift = (int8_t)boot_clock.scale.shift;
	t->flags = TSC_STABLE;
	barrier();
	WRITE_ONCE(t->version, version + 1);
}

void timer_fill_wallclock(struct shared_info *s)
{
	s->wc_sec = (u32)boot_clock.wall_sec;
	s->wc_sec_hi = (u32)(boot_clock.wall_sec >> 32);
	s->wc_nsec = 0;
	s->wc_version = 2;
}

void vcpu_timer_fired(struct vcpu *v)
{
	evtchn_raise_virq(v->domain, VIRQ_TIMER);
}

/* The older form of the one-shot timer: 0 stops it. */
long do_set_timer_op(u64 timeout)
{
	sched_set_timer(current, timeout);
	return 0;
}
