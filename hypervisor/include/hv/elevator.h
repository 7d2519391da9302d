/* SPDX-License-Identifier: MIT */
/* Which of a device's waiting requests is next. */
#ifndef HV_ELEVATOR_H
#define HV_ELEVATOR_H

#include <hv/types.h>

#define ELEVATOR_MAX 32 /* requests that wait, as many as there are in a ring */

struct waiting {
	bool used;
	bool barrier; /* not before all earlier ones have ended; no later one before it */
	u32 number;   /* in the order in which they came */
	u64 sector;
};

struct elevator {
	struct waiting request[ELEVATOR_MAX];
	unsigned int nr;
	u32 next_number;
	u64 head; /* the sector behind the last request taken */
};

/* Adds a request; returns its place. Precondition: nr < ELEVATOR_MAX. */
unsigned int elevator_add(struct elevator *e, u64 sector, bool barrier);

/*
 * The place of the one to be carried out next, or -1 if all have to wait; `idle`: none taken
 * earlier is still under way.
 */
int elevator_next(const struct elevator *e, bool idle);

/* It is carried out; `end` is the sector behind it. */
void elevator_take(struct elevator *e, unsigned int place, u64 end);

#endif
