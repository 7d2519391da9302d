// SPDX-License-Identifier: MIT
/*
 * The ring of a virtio device.
 *
 * Descriptors are handed out from a free list that is kept in memory of ours, as are the lengths of
 * chains: the device may write what it likes into the shared parts, the worst it can do is to be
 * found out. Indices run freely and wrap at 2^16, as the standard wants. The order of the stores
 * matters to a device on another processor only; the compiler is kept from changing it.
 */
#include <hv/virtqueue.h>
#include <hv/printk.h>

#define DESC_NEXT      1
#define DESC_WRITE     2
#define USED_NO_NOTIFY 1

void virtqueue_init(struct virtqueue *q, unsigned int size, struct virtq_desc *desc,
		    struct virtq_avail *avail, struct virtq_used *used)
{
	*q = (struct virtqueue){
	    .size = size, .nr_free = size, .desc = desc, .avail = avail, .used = used};
	for (unsigned int i = 0; i < size; i++)
		q->next[i] = (u16)(i + 1);
}

static void offer(struct virtqueue *q, unsigned int head)
{
	q->avail->ring[q->avail_idx & (q->size - 1)] = (u16)head;
	q->avail_idx++;
}

unsigned int virtqueue_add(struct virtqueue *q, const struct virtq_buffer *buffer, unsigned int nr)
{
	unsigned int head = q->free_head;
	unsigned int at = head;

	BUG_ON(nr == 0 || nr > q->nr_free);
	for (unsigned int i = 0; i < nr; i++) {
		u16 flags = buffer[i].device_writes ? DESC_WRITE : 0;

		q->desc[at] = (struct virtq_desc){
		    .addr = buffer[i].at.n,
		    .len = buffer[i].len,
		    .flags = (u16)(flags | (i + 1 < nr ? DESC_NEXT : 0)),
		    .next = q->next[at],
		};
		at = q->next[at];
	}
	q->free_head = (u16)at;
	q->nr_free -= nr;
	q->chain[head] = (u16)nr;
	offer(q, head);
	return head;
}

bool virtqueue_publish(struct virtqueue *q)
{
	if (q->published == q->avail_idx)
		return false;
	barrier();
	WRITE_ONCE(q->avail->idx, q->avail_idx);
	q->published = q->avail_idx;
	/* A device elsewhere must see the index before we look whether it sleeps. */
	asm volatile("lock orl $0, (%%rsp)" ::: "memory");
	return !(READ_ONCE(q->used->flags) & USED_NO_NOTIFY);
}

enum virtq_result virtqueue_take(struct virtqueue *q, unsigned int *head, u32 *len)
{
	unsigned int at = q->used_idx & (q->size - 1);
	u16 done = (u16)(READ_ONCE(q->used->idx) - q->used_idx);
	u32 id;

	if (!done)
		return VIRTQ_NONE;
	barrier();
	id = READ_ONCE(q->used->ring[at].id);
	*len = READ_ONCE(q->used->ring[at].len);
	if (done > q->size || id >= q->size || !q->chain[id])
		return VIRTQ_LIE;
	q->used_idx++;
	*head = id;
	return VIRTQ_TAKEN;
}

void virtqueue_free(struct virtqueue *q, unsigned int head, unsigned int nr)
{
	unsigned int last = head;

	for (unsigned int i = 1; i < nr; i++)
		last = q->next[last];
	q->chain[head] = 0;
	q->next[last] = q->free_head;
	q->free_head = (u16)head;
	q->nr_free += nr;
}

void virtqueue_again(struct virtqueue *q, unsigned int head)
{
	offer(q, head);
}
