// SPDX-License-Identifier: MIT
/*
 * A frame that something still refers to is nobody's next frame: whoever refers to it might be a
 * page table, a back end, or a device. It is counted, and stays where it is.
 */
#include "unit.h"
#include <hv/descriptor.h>
#include <hv/frame.h>
#include <hv/page_type.h>
#include <hv/teardown.h>
#include <stdlib.h>

#define NR_FRAMES 200

extern bool fake_impatient;
static unsigned int freed[NR_FRAMES];

void frame_free(mfn_t m)
{
	freed[m.n]++;
	frame_of(m)->owner = OWNER_FREE;
}

void descriptor_release(struct vcpu *v)
{
	(void)v;
}

void page_put_type(mfn_t m)
{
	(void)m;
}

int page_unpin(struct domain *d, mfn_t m)
{
	(void)d;
	(void)m;
	return 0;
}

void page_drop_partial(mfn_t m)
{
	(void)m;
}

bool page_release_work(struct domain *d, bool may_stop)
{
	(void)d;
	(void)may_stop;
	return true;
}

/* Returns how often it had to be called. */
static unsigned int release_all(void)
{
	struct domain d = {.id = 3};
	unsigned int calls = 1;

	for (unsigned int i = 0; i < NR_FRAMES; i++) {
		freed[i] = 0;
		frame_table[i] = (struct frame){.owner = i % 2 ? 3 : 4, .refs = i % 10 == 1 ? 2 : 1};
	}
	while (!memory_release(&d))
		calls++;
	EXPECT(d.leaks == NR_FRAMES / 10);
	for (unsigned int i = 0; i < NR_FRAMES; i++)
		EXPECT(freed[i] == (i % 2 == 1 && i % 10 != 1));
	return calls;
}

int main(void)
{
	unsigned int calls = 0;

	frame_table = calloc(NR_FRAMES, sizeof(*frame_table));
	max_mfn = NR_FRAMES;
	EXPECT(release_all() == 1);
	fake_impatient = true;
	for (unsigned int i = 0; i < 20; i++)
		calls += release_all();
	EXPECT(calls > 20);
	free(frame_table);
	return unit_failures != 0;
}
