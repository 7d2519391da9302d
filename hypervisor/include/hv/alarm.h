/* SPDX-License-Identifier: MIT */
/* Alarms: one-shot timers of the hypervisor itself. */
#ifndef HV_ALARM_H
#define HV_ALARM_H

#include <hv/types.h>

struct alarm {
	void (*ring)(struct alarm *a); /* called with interrupts off, from the timer's interrupt */
	u64 due;		       /* ns since boot */
	bool set;
	struct alarm *next;
};

#define ALARM_NEVER (~0ull)

/* Has a ring at due (in the past: as soon as interrupts are on); replaces what was set before. */
void alarm_set(struct alarm *a, u64 due);

void alarm_cancel(struct alarm *a);

/* When the first one is due; ALARM_NEVER if none is set. */
u64 alarm_first(void);

/* Rings those that are due. Each is unset first, so it may set itself again. */
void alarm_ring(u64 now);

/* Hook, defined by domain/sched.c: the first alarm is another one now. */
void alarm_changed(void);

#endif
