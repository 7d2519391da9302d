// SPDX-License-Identifier: MIT
/*
 * The frame of scheduling: blocking, waking, timers and the switch itself. Whom to run is the
 * policy's business.
 *
 * Every vCPU has a hypervisor stack, so schedule() called on behalf of one vCPU returns when that
 * one is picked again. The boot stack becomes the idle vCPU, which also buries dead domains: a
 * domain cannot free the stack it stands on. That may take long, so it is done in the turns that
 * the dead domain still gets from the policy, and costs its neighbours no more than it did alive.
 */
#include <hv/sched.h>
#include <hv/alarm.h>
#include <hv/clock.h>
#include <hv/descriptors.h>
#include <hv/domain.h>
#include <hv/lapic.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/processor.h>

/* switch.S */
void switch_stack(u64 *save_rsp, u64 load_rsp);

static const struct sched_policy *policy = &sched_round_robin;
static struct vcpu idle_vcpu;
static struct vcpu *dying;    /* whose turn the idle vCPU has, to bury its domain; NULL: it idles */
static u64 slice_until;	      /* 0 = none */
static u64 alarm_tsc = ~0ull; /* counter value at which the timer is due */

#define NS_PER_S     1000000000ull
#define MAX_ALARM_NS (2 * NS_PER_S)

static void set_alarm(u64 now)
{
	u64 when = MIN(slice_until ? slice_until : ALARM_NEVER, alarm_first());

	for (unsigned int i = 0; i < MAX_DOMAINS; i++) {
		struct domain *d = domains[i];

		if (d && d->vcpu && d->vcpu->timer_deadline)
			when = MIN(when, d->vcpu->timer_deadline);
	}
	alarm_tsc = ~0ull;
	if (when == ALARM_NEVER)
		return;
	when = when > now ? MIN(when - now, MAX_ALARM_NS) : 1;
	alarm_tsc = rdtsc() + mul_div(when, boot_clock.hz, NS_PER_S);
	lapic_set_timer(when);
}

static void fire_timers(u64 now)
{
	for (unsigned int i = 0; i < MAX_DOMAINS; i++) {
		struct domain *d = domains[i];

		if (!d || !d->vcpu || !d->vcpu->timer_deadline || d->vcpu->timer_deadline > now)
			continue;
		d->vcpu->timer_deadline = 0;
		vcpu_timer_fired(d->vcpu);
	}
}

void alarm_changed(void)
{
	set_alarm(clock_now());
}

void timer_interrupt(void)
{
	u64 now = clock_now();

	fire_timers(now);
	alarm_ring(now);
	/* An end of slice is served by rescheduling; left in place, it would fire without end. */
	if (slice_until <= now)
		slice_until = 0;
	set_alarm(now);
	cpu.exit_work = 1;
}

void sched_set_timer(struct vcpu *v, u64 deadline_ns)
{
	u64 now = clock_now();

	v->timer_deadline = deadline_ns;
	if (deadline_ns && deadline_ns <= now)
		fire_timers(now);
	set_alarm(now);
}

bool sched_should_preempt(void)
{
	return rdtsc() >= alarm_tsc;
}

void sched_wake(struct vcpu *v)
{
	if (v->runnable || v->domain->state != DOMAIN_RUNNING)
		return;
	v->runnable = true;
	vcpu_set_runstate(v, RUNSTATE_runnable, clock_now());
	policy->wake(v);
	cpu.exit_work = 1;
}

void sched_bury(struct vcpu *v)
{
	v->timer_deadline = 0;
	if (!v->runnable)
		policy->wake(v);
	v->runnable = true;
	cpu.exit_work = 1;
}

void sched_remove(struct vcpu *v)
{
	v->runnable = false;
	policy->sleep(v);
	if (dying == v)
		dying = NULL;
	cpu.exit_work = 1;
}

void sched_block(void)
{
	current->runnable = false;
	policy->sleep(current);
	schedule();
}

void sched_yield(void)
{
	policy->yield(current);
	schedule();
}

static void account(struct vcpu *prev, struct vcpu *next, u64 now)
{
	if (prev->domain && prev->runstate.state == RUNSTATE_running)
		vcpu_set_runstate(prev, prev->runnable ? RUNSTATE_runnable : RUNSTATE_blocked, now);
	if (next->domain)
		vcpu_set_runstate(next, RUNSTATE_running, now);
}

void schedule(void)
{
	u64 now = clock_now();
	struct vcpu *prev = current;
	struct vcpu *next = policy->pick(now, &slice_until);

	cpu.exit_work = 0;
	set_alarm(now);
	dying = next && next->domain->state == DOMAIN_DYING ? next : NULL;
	if (!next || dying)
		next = &idle_vcpu;
	if (next == prev)
		return;
	account(prev, next, now);
	current = next;
	if (next->domain) {
		vcpu_load(next);
		vcpu_publish_runstate(next);
	}
	descriptors_set_stack(next->stack_top);
	switch_stack(&prev->saved_rsp, next->saved_rsp);
}

void sched_idle(void)
{
	current = &idle_vcpu;
	/* Interrupts that come while idle keep the current stack; none comes from ring 3. */
	idle_vcpu.stack_top = cpu.stack_top;
	for (;;) {
		if (dying && domain_bury(dying->domain) && domain_count() == 0)
			sched_all_done();
		if (dying) /* a timer is due, and it may be others' turn */
			asm volatile("sti; nop; cli" ::: "memory");
		else if (!cpu.exit_work)
			asm volatile("sti; hlt; cli" ::: "memory");
		schedule();
	}
}
