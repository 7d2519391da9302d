// SPDX-License-Identifier: MIT
/* The round-robin policy: order, slices, sleepers, a lone vCPU, and equal shares over many slices.
 */
#include "unit.h"
#include <hv/sched.h>

static struct vcpu v[3];
static u64 until;

static struct vcpu *pick(u64 now)
{
	return sched_round_robin.pick(now, &until);
}

static void shares(void)
{
	unsigned int ran[3] = {0, 0, 0};

	for (unsigned int i = 0; i < 3; i++)
		sched_round_robin.wake(&v[i]);
	for (u64 now = 0; now < 300 * sched_slice_ns; now += sched_slice_ns)
		ran[pick(now) - v]++;
	EXPECT(ran[0] == 100 && ran[1] == 100 && ran[2] == 100);
	for (unsigned int i = 0; i < 3; i++)
		sched_round_robin.sleep(&v[i]);
}

int main(void)
{
	EXPECT(pick(0) == NULL && until == 0);
	sched_round_robin.wake(&v[0]);
	EXPECT(pick(5) == &v[0] && until == 0); /* alone: no slice */
	sched_round_robin.wake(&v[1]);
	sched_round_robin.wake(&v[1]);
	EXPECT(pick(10) == &v[0] && until > 10);
	EXPECT(pick(until) == &v[1]);
	EXPECT(pick(until - 1) == &v[1]);
	sched_round_robin.yield(&v[1]);
	EXPECT(pick(until) == &v[0]);
	sched_round_robin.sleep(&v[0]);
	EXPECT(pick(until) == &v[1] && until == 0);
	sched_round_robin.sleep(&v[1]);
	EXPECT(pick(1) == NULL);
	sched_round_robin.sleep(&v[1]);
	EXPECT(pick(1) == NULL);
	shares();
	return unit_failures != 0;
}
