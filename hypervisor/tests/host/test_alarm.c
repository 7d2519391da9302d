// SPDX-License-Identifier: MIT
/* Alarms ring in the order in which they are due, once, and may set themselves again. */
#include "unit.h"
#include <hv/alarm.h>

static unsigned int changes;
static char rung[32];
static unsigned int nr_rung;
static struct alarm a, b, c;

void alarm_changed(void)
{
	changes++;
}

static void note(struct alarm *which)
{
	rung[nr_rung++] = which == &a ? 'a' : which == &b ? 'b' : 'c';
}

static void note_and_again(struct alarm *which)
{
	note(which);
	if (nr_rung < 3)
		alarm_set(which, which->due + 10);
}

int main(void)
{
	a.ring = b.ring = note;
	c.ring = note_and_again;
	EXPECT(alarm_first() == ALARM_NEVER);
	alarm_set(&a, 30);
	alarm_set(&b, 20);
	EXPECT(changes == 2 && alarm_first() == 20);
	alarm_set(&a, 40);
	EXPECT(changes == 2);
	alarm_set(&b, 50); /* later than it was, and than the other */
	EXPECT(alarm_first() == 40);
	alarm_ring(39);
	EXPECT(nr_rung == 0);
	alarm_ring(60);
	EXPECT(nr_rung == 2 && rung[0] == 'a' && rung[1] == 'b' && alarm_first() == ALARM_NEVER);
	nr_rung = 0;
	alarm_set(&c, 10);
	alarm_set(&a, 15);
	alarm_ring(15); /* c is due again only at 20 */
	EXPECT(nr_rung == 2 && rung[0] == 'c' && rung[1] == 'a' && alarm_first() == 20);
	alarm_cancel(&c);
	alarm_cancel(&c);
	EXPECT(alarm_first() == ALARM_NEVER);
	return unit_failures != 0;
}
