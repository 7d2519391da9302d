// SPDX-License-Identifier: MIT
/*
 * A short list of alarms in the order in which they are due. Whoever needs the time later than now
 * has one; domain/sched.c drives them with the one timer there is.
 */
#include <hv/alarm.h>

static struct alarm *head;

static void take_out(struct alarm *a)
{
	struct alarm **p = &head;

	while (*p && *p != a)
		p = &(*p)->next;
	if (*p)
		*p = a->next;
	a->set = false;
}

void alarm_set(struct alarm *a, u64 due)
{
	struct alarm **p = &head;

	if (a->set)
		take_out(a);
	while (*p && (*p)->due <= due)
		p = &(*p)->next;
	a->due = due;
	a->set = true;
	a->next = *p;
	*p = a;
	if (head == a)
		alarm_changed();
}

void alarm_cancel(struct alarm *a)
{
	if (a->set)
		take_out(a);
}

u64 alarm_first(void)
{
	return head ? head->due : ALARM_NEVER;
}

void alarm_ring(u64 now)
{
	while (head && head->due <= now) {
		struct alarm *a = head;

		take_out(a);
		a->ring(a);
	}
}
