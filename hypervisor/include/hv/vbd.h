/* SPDX-License-Identifier: MIT */
/* Virtual block devices: ranges of disks with rights, and the handshake with their front ends. */
#ifndef HV_VBD_H
#define HV_VBD_H

#include <hv/disk.h>
#include <hv/domain.h>
#include <hv/elevator.h>
#include <hv/grant.h>
#include <hv/public.h>
#include <hv/string.h>
#include <hv/types.h>
#include <xen/io/blkif.h>

enum vbd_state {
	VBD_WAITING,   /* for the front end */
	VBD_CONNECTED, /* its ring is held */
	VBD_CLOSED,    /* the front end said so, or broke the rules of the ring */
};

#define VBD_EXTENTS 4

/* So many sectors of the disk, which follow the extent before in the device. */
struct extent {
	u64 start, nr;
};

struct vbd {
	struct domain *domain;
	struct disk *disk;
	unsigned int number; /* by which the guest knows it */
	bool writable;
	u8 state; /* enum vbd_state */
	u32 port;
	unsigned int nr_extents;
	struct extent extent[VBD_EXTENTS];
	struct held page; /* of the ring */
	blkif_back_ring_t ring;
	bool answered;		/* there are responses that the front end has not been shown */
	unsigned int in_flight; /* requests at the disk */
	struct elevator elevator;
	struct blkif_request *request; /* a page: by their place in the elevator */
	bool complained;	       /* once is enough: a guest could go on for ever */
	u64 reads, writes, refused;
};

static_assert(sizeof(struct vbd) <= PAGE_SIZE, "a device fits a page");
static_assert(ELEVATOR_MAX * sizeof(struct blkif_request) <= PAGE_SIZE, "so do its requests");

/* The device of a domain on a disk; NULL if it has none. */
extern struct vbd *vbds[NR_DISKS][MAX_DOMAINS];

/* Where a sector of v lies on its disk; *nr: how many follow there. False if it has none such. */
__must_check bool vbd_find(const struct vbd *v, u64 sector, u64 *on_disk, u64 *nr);

/* The data disk is for `parts` domains, one after the other. */
void vbd_share(unsigned int parts);

/* The part of a domain: a device for each disk, published in the store. Returns -ENOMEM. */
__must_check int vbd_attach(struct domain *d);
bool vbd_release(struct domain *d);

/* The front end breaks the ring's rules: it is closed, and says why on the console once. */
void vbd_break(struct vbd *v, const char *why);

#endif
