/* SPDX-License-Identifier: MIT */
/* Arithmetic between time-stamp counts and nanoseconds. */
#ifndef HV_TIMESCALE_H
#define HV_TIMESCALE_H

#include <hv/types.h>

/* ns = ((ticks << shift) * mul) >> 32, shift negative = right: the form pvclock guests use. */
struct timescale {
	u32 mul;
	int shift;
};

/* The scale for a counter of the given frequency. Precondition: 1 kHz <= hz < 2^40. */
struct timescale timescale_from_hz(u64 hz);

/* a * b / c with a 128-bit product. Precondition: the result fits 64 bits. */
static inline u64 mul_div(u64 a, u64 b, u64 c)
{
	u64 hi, lo, rest;

	asm("mulq %3" : "=d"(hi), "=a"(lo) : "a"(a), "r"(b));
	asm("divq %4" : "=a"(lo), "=d"(rest) : "0"(lo), "1"(hi), "r"(c));
	return lo;
}

u64 timescale_to_ns(struct timescale s, u64 ticks);

/* Rounds hz to the nearest multiple of 100 MHz if that is within 0.2 %, as real clocks are. */
u64 timescale_snap_hz(u64 hz);

#endif
