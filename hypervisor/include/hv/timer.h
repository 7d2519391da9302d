/* SPDX-License-Identifier: MIT */
/* Guest time: pvclock, wall clock, one-shot timers. */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/domain.h>

/* Fills a pvclock record; the counter is constant, so one record is valid for ever. */
void timer_fill_clock(struct vcpu_time_info *t);

/* Sets the wall clock of a new domain. */
void timer_fill_wallclock(struct shared_info *s);

#endif
