// SPDX-License-Identifier: MIT
/*
 * One way up, as an elevator: the next request is the one with the lowest sector from the head on;
 * if there is none above, the lowest of all. None goes beyond a barrier that came before it, and
 * none is passed by more than PATIENCE later ones.
 *
 * Nothing is merged: front ends have done so, and a RAM disk asks no price for a request.
 */
#include <hv/elevator.h>

#define PATIENCE 64

unsigned int elevator_add(struct elevator *e, u64 sector, bool barrier)
{
	unsigned int i = 0;

	while (e->request[i].used)
		i++;
	e->request[i] = (struct waiting){
	    .used = true, .barrier = barrier, .number = e->next_number++, .sector = sector};
	e->nr++;
	return i;
}

/* Numbers wrap. */
static bool before(u32 a, u32 b)
{
	return (int32_t)(a - b) < 0;
}

static int oldest(const struct elevator *e, bool barriers_only)
{
	int found = -1;

	for (unsigned int i = 0; i < ELEVATOR_MAX; i++)
		if (e->request[i].used && (e->request[i].barrier || !barriers_only) &&
		    (found < 0 || before(e->request[i].number, e->request[found].number)))
			found = (int)i;
	return found;
}

/* Whether a is nearer above the head than b; of the same sector the earlier one. */
static bool nearer(const struct elevator *e, const struct waiting *a, const struct waiting *b)
{
	if (a->sector == b->sector)
		return before(a->number, b->number);
	return a->sector - e->head < b->sector - e->head; /* those below are far, by wrapping */
}

int elevator_next(const struct elevator *e, bool idle)
{
	int first, barrier, best = -1;

	if (!e->nr)
		return -1;
	first = oldest(e, false);
	barrier = oldest(e, true);
	if (first == barrier)
		return idle ? first : -1;
	if (e->next_number - e->request[first].number > PATIENCE)
		return first;
	for (unsigned int i = 0; i < ELEVATOR_MAX; i++) {
		const struct waiting *w = &e->request[i];

		if (!w->used || (barrier >= 0 && !before(w->number, e->request[barrier].number)))
			continue;
		if (best < 0 || nearer(e, w, &e->request[best]))
			best = (int)i;
	}
	return best;
}

void elevator_take(struct elevator *e, unsigned int place, u64 end)
{
	e->request[place].used = false;
	e->nr--;
	e->head = end;
}
