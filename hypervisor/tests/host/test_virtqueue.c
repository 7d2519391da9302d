// SPDX-License-Identifier: MIT
/*
 * The ring of a virtio device, against a fake device: chains come as they were given, descriptors
 * are never lost or given out twice, also beyond the wrap of the indices at 2^16; a device that
 * names what it does not have is found out.
 */
#include "unit.h"
#include <hv/virtqueue.h>
#include <stdlib.h>
#include <string.h>

static struct virtq_desc desc[VIRTQ_SIZE];
static struct virtq_avail avail;
static struct virtq_used used;
static struct virtqueue q;
static u16 seen; /* by the device */
static unsigned int pending[VIRTQ_SIZE], nr_pending;

static void fresh(void)
{
	memset(&avail, 0, sizeof(avail));
	memset(&used, 0, sizeof(used));
	virtqueue_init(&q, VIRTQ_SIZE, desc, &avail, &used);
	seen = 0;
	nr_pending = 0;
}

/* The device looks at what is new; its chains must be whole and bear what was put in. */
static void device_looks(void)
{
	for (; seen != avail.idx; seen++) {
		unsigned int head = avail.ring[seen % VIRTQ_SIZE];
		unsigned int n = 1;

		for (unsigned int i = head; desc[i].flags & 1; i = desc[i].next, n++)
			EXPECT(desc[desc[i].next].addr == desc[i].addr + 1);
		EXPECT(n == desc[head].len);
		pending[nr_pending++] = head;
	}
}

static void device_uses(unsigned int id, u32 len)
{
	used.ring[used.idx % VIRTQ_SIZE].id = id;
	used.ring[used.idx % VIRTQ_SIZE].len = len;
	used.idx++;
}

static void add(unsigned int nr, u64 tag)
{
	struct virtq_buffer b[8];

	for (unsigned int i = 0; i < nr; i++)
		b[i] = (struct virtq_buffer){.at = {tag * 16 + i}, .len = nr};
	virtqueue_add(&q, b, nr);
}

/* Random chains, used in random order; more than 2^16 of them. */
static void traffic(void)
{
	unsigned int added = 0, taken = 0, head;
	u32 len;

	fresh();
	while (taken < 200000) {
		unsigned int nr = 1 + (unsigned int)rand() % 5;

		if (nr <= q.nr_free && rand() % 3) {
			add(nr, added++);
			if (rand() % 2)
				virtqueue_publish(&q);
			continue;
		}
		virtqueue_publish(&q);
		device_looks();
		for (unsigned int n = (unsigned int)rand() % (nr_pending + 1); n; n--) {
			unsigned int i = (unsigned int)rand() % nr_pending;

			device_uses(pending[i], pending[i] + 7);
			pending[i] = pending[--nr_pending];
		}
		while (virtqueue_take(&q, &head, &len) == VIRTQ_TAKEN) {
			EXPECT(len == head + 7);
			virtqueue_free(&q, head, q.chain[head]);
			taken++;
		}
	}
	EXPECT(added > 1u << 16);
	while (nr_pending)
		device_uses(pending[--nr_pending], 0);
	while (virtqueue_take(&q, &head, &len) == VIRTQ_TAKEN)
		virtqueue_free(&q, head, q.chain[head]);
	device_looks();
	while (nr_pending)
		device_uses(pending[--nr_pending], 0);
	while (virtqueue_take(&q, &head, &len) == VIRTQ_TAKEN)
		virtqueue_free(&q, head, q.chain[head]);
	EXPECT(q.nr_free == VIRTQ_SIZE);
}

static void bells(void)
{
	fresh();
	EXPECT(!virtqueue_publish(&q)); /* nothing new: the device is left alone */
	add(1, 0);
	EXPECT(avail.idx == 0);
	EXPECT(virtqueue_publish(&q) && avail.idx == 1);
	add(1, 1);
	used.flags = 1;
	EXPECT(!virtqueue_publish(&q) && avail.idx == 2);
}

static void lies(void)
{
	unsigned int head;
	u32 len;

	fresh();
	EXPECT(virtqueue_take(&q, &head, &len) == VIRTQ_NONE);
	device_uses(3, 0); /* was never given */
	EXPECT(virtqueue_take(&q, &head, &len) == VIRTQ_LIE);
	fresh();
	add(3, 0);
	device_uses(desc[0].next, 0); /* not the head of its chain */
	EXPECT(virtqueue_take(&q, &head, &len) == VIRTQ_LIE);
	fresh();
	add(1, 0);
	device_uses(0x10000 + VIRTQ_SIZE, 0); /* beyond the table */
	EXPECT(virtqueue_take(&q, &head, &len) == VIRTQ_LIE);
	fresh();
	add(1, 0);
	device_uses(0, 0);
	device_uses(0, 0); /* twice */
	EXPECT(virtqueue_take(&q, &head, &len) == VIRTQ_TAKEN && head == 0);
	virtqueue_free(&q, head, 1);
	EXPECT(virtqueue_take(&q, &head, &len) == VIRTQ_LIE);
	fresh();
	add(1, 0);
	used.idx = VIRTQ_SIZE + 1; /* more than there can be */
	EXPECT(virtqueue_take(&q, &head, &len) == VIRTQ_LIE);
	EXPECT(q.nr_free == VIRTQ_SIZE - 1);
}

static void again(void)
{
	unsigned int head;
	u32 len;

	fresh();
	add(1, 0);
	for (unsigned int i = 0; i < 70000; i++) {
		device_uses(0, i);
		EXPECT(virtqueue_take(&q, &head, &len) == VIRTQ_TAKEN && len == i);
		virtqueue_again(&q, head);
		virtqueue_publish(&q);
	}
	EXPECT(avail.idx == (u16)70001 && q.nr_free == VIRTQ_SIZE - 1);
}

int main(void)
{
	srand(1);
	traffic();
	bells();
	lies();
	again();
	return unit_failures != 0;
}
