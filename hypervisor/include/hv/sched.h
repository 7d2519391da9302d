/* SPDX-License-Identifier: MIT */
/* Who runs next, and until when. */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include <hv/types.h>
#include <hv/vcpu.h>

/* A scheduling policy. All times in ns; it never sees the idle vCPU. */
struct sched_policy {
	const char *name;
	void (*wake)(struct vcpu *v);  /* v became runnable */
	void (*sleep)(struct vcpu *v); /* v is no longer runnable */
	void (*yield)(struct vcpu *v); /* v, running, lets others go first */
	/* The vCPU to run now, or NULL; *until: when to ask again, 0 = only on a change. */
	struct vcpu *(*pick)(u64 now, u64 *until);
};

extern const struct sched_policy sched_round_robin; /* domain/round_robin.c */

/* Length of a time slice of the round-robin policy, ns. */
extern u64 sched_slice_ns;

void sched_wake(struct vcpu *v);

/* Makes the running vCPU wait until sched_wake(); returns then. */
void sched_block(void);

/* Lets others run; returns when it is our turn again. */
void sched_yield(void);

/* v's domain is dying: v runs no more, its turns go to domain_bury(), until sched_remove(). */
void sched_bury(struct vcpu *v);

/* Takes v out for good. */
void sched_remove(struct vcpu *v);

/* Runs whoever is due. Returns when the caller is picked again. */
void schedule(void);

/* Sets (0: clears) v's one-shot timer, in ns since boot. A past one fires at once. */
void sched_set_timer(struct vcpu *v, u64 deadline_ns);

/* True if a long-running operation should stop and let the exit path look at the time. */
bool sched_should_preempt(void);

/* Becomes the idle loop; never returns. Calls sched_all_done() when no domain is left. */
void sched_idle(void) __noreturn;

/* Hooks of higher layers. */
void vcpu_timer_fired(struct vcpu *v); /* pv/timer.c */
void sched_all_done(void) __noreturn;  /* boot/start.c */

#endif
