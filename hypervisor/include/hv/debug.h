/* SPDX-License-Identifier: MIT */
/* Debug registers: the processor's side. What a guest may put into them: pv/debugreg.c. */
#ifndef HV_DEBUG_H
#define HV_DEBUG_H

#include <hv/types.h>

struct debug_state {
	u64 address[4]; /* DR0..3, each outside our half */
	u64 status;	/* DR6 as the guest sees it; the processor's is always as after reset */
	u64 control;	/* DR7 */
};

/* As after reset. */
void debug_reset(struct debug_state *s);

/*
 * Makes the processor watch what s enables, or nothing. Cheap if nothing was watched and nothing
 * is to be.
 */
void debug_load(const struct debug_state *s);

/* Nothing is watched any more. */
void debug_unload(void);

/* After a debug exception: adds the processor's status to s, and clears it for whoever is next. */
void debug_take_status(struct debug_state *s);

#endif
