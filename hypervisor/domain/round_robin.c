// SPDX-License-Identifier: MIT
/*
 * The simplest policy: a queue of runnable vCPUs, equal slices, a woken vCPU goes to the end.
 * A vCPU that runs alone gets no slice timer at all.
 */
#include <hv/sched.h>

u64 sched_slice_ns = 5000000;

static struct vcpu *head;
static struct vcpu *running;
static u64 slice_end;

static void append(struct vcpu *v)
{
	struct vcpu **p = &head;

	while (*p)
		p = &(*p)->next;
	v->next = NULL;
	v->queued = true;
	*p = v;
}

static void rr_sleep(struct vcpu *v)
{
	for (struct vcpu **p = &head; *p; p = &(*p)->next) {
		if (*p == v) {
			*p = v->next;
			v->queued = false;
			break;
		}
	}
	if (running == v)
		running = NULL;
}

static void rr_wake(struct vcpu *v)
{
	if (!v->queued)
		append(v);
}

static void rr_yield(struct vcpu *v)
{
	rr_sleep(v);
	append(v);
}

static struct vcpu *rr_pick(u64 now, u64 *until)
{
	if (running && now >= slice_end && head == running)
		rr_yield(running);
	if (head != running) {
		running = head;
		slice_end = now + sched_slice_ns;
	}
	*until = 0;
	if (head && head->next) {
		if (slice_end <= now)
			slice_end = now + sched_slice_ns;
		*until = slice_end;
	}
	return head;
}

const struct sched_policy sched_round_robin = {
    .name = "round robin",
    .wake = rr_wake,
    .sleep = rr_sleep,
    .yield = rr_yield,
    .pick = rr_pick,
};
