/* SPDX-License-Identifier: MIT */
/* Time: the time-stamp counter as nanoseconds since boot, and the wall clock at boot. */
#ifndef HV_CLOCK_H
#define HV_CLOCK_H

#include <hv/timescale.h>
#include <hv/types.h>

struct clock {
	u64 boot_tsc; /* counter value that is time 0 */
	u64 hz;
	struct timescale scale;
	u64 wall_sec; /* seconds since 1970 at time 0 */
};

extern struct clock boot_clock;

/*
 * Silences the old timer and interrupt controllers, finds the frequencies of counter and local
 * APIC timer, reads the wall clock. tsc_khz: frequency given by the user, or 0; it must agree with
 * the measurement to 1 %, else the measurement is used with a warning.
 */
void clock_init(u64 tsc_khz);

/* Nanoseconds since boot. */
u64 clock_now(void);

#endif
