// SPDX-License-Identifier: MIT
/*
 * The pvclock scale: a 32-bit fraction and a shift, so that guests need one multiplication.
 * Pure arithmetic, tested on the host.
 */
#include <hv/timescale.h>

struct timescale timescale_from_hz(u64 hz)
{
	struct timescale s = {.shift = 0};
	u64 ns = 1000000000ull;
	u64 ticks = hz;

	/* Bring ns/ticks into [1/2, 1), so that the fraction keeps 32 significant bits. */
	while (ns >= ticks) {
		ticks <<= 1;
		s.shift++;
	}
	while (ns * 2 < ticks) {
		ns <<= 1;
		s.shift--;
	}
	s.mul = (u32)mul_div(ns, 1ull << 32, ticks);
	return s;
}

u64 timescale_to_ns(struct timescale s, u64 ticks)
{
	ticks = s.shift < 0 ? ticks >> -s.shift : ticks << s.shift;
	return (u64)(((unsigned __int128)ticks * s.mul) >> 32);
}

u64 timescale_snap_hz(u64 hz)
{
	u64 step = 100000000ull;
	u64 near = (hz + step / 2) / step * step;
	u64 off = near > hz ? near - hz : hz - near;

	return near && off <= near / 500 ? near : hz;
}
