/* SPDX-License-Identifier: MIT */
/* A split virtqueue: the ring through which a virtio device is handed buffers. */
#ifndef HV_VIRTQUEUE_H
#define HV_VIRTQUEUE_H

#include <hv/types.h>

#define VIRTQ_SIZE 256u

/* In memory that the device reads and writes; the layout is the virtio standard's (1.2, 2.7). */
struct virtq_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};
struct virtq_avail {
	u16 flags;
	u16 idx;
	u16 ring[VIRTQ_SIZE];
};
struct virtq_used {
	u16 flags;
	u16 idx;
	struct {
		u32 id;
		u32 len;
	} ring[VIRTQ_SIZE];
};

struct virtqueue {
	/* Shared with the device. */
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
	/* Ours alone: nothing the device writes is read back but used->idx, flags and entries. */
	unsigned int size; /* a power of two, at most VIRTQ_SIZE */
	unsigned int nr_free;
	u16 free_head;
	u16 avail_idx, used_idx;
	u16 next[VIRTQ_SIZE];  /* of a chain in flight, or of the free list */
	u16 chain[VIRTQ_SIZE]; /* at the head of a chain in flight: its length; else 0 */
	u16 published;	       /* avail_idx that the device was shown */
};

struct virtq_buffer {
	paddr_t at;
	u32 len;
	bool device_writes;
};

/* Makes an empty queue over three cleared areas, each in physically contiguous memory. */
void virtqueue_init(struct virtqueue *q, unsigned int size, struct virtq_desc *desc,
		    struct virtq_avail *avail, struct virtq_used *used);

/*
 * Puts a chain of nr buffers into the queue; the device sees it after virtqueue_publish(). Returns
 * the number of its first descriptor. Precondition: 0 < nr <= nr_free.
 */
unsigned int virtqueue_add(struct virtqueue *q, const struct virtq_buffer *buffer, unsigned int nr);

/* Shows the device what was added. True if it asks to be told. */
bool virtqueue_publish(struct virtqueue *q);

enum virtq_result { VIRTQ_NONE, VIRTQ_TAKEN, VIRTQ_LIE };

/*
 * Takes the next chain that the device is done with: its head, and how much was written into it.
 * It stays out of the free list until virtqueue_free() or virtqueue_again(). VIRTQ_LIE: the device
 * names a chain that it does not have; the queue is of no use any more.
 */
enum virtq_result virtqueue_take(struct virtqueue *q, unsigned int *head, u32 *len);

/* The descriptor after i in its chain. */
static inline unsigned int virtqueue_next(const struct virtqueue *q, unsigned int i)
{
	return q->next[i];
}

/* Gives a taken chain of nr descriptors back. */
void virtqueue_free(struct virtqueue *q, unsigned int head, unsigned int nr);

/* Hands the device a taken one-descriptor chain again as it was. */
void virtqueue_again(struct virtqueue *q, unsigned int head);

#endif
