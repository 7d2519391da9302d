/* SPDX-License-Identifier: MIT */
/* The block back end: requests between rings and disks. */
#ifndef HV_BLKBACK_H
#define HV_BLKBACK_H

#include <hv/vbd.h>

/* v's ring is held: it is served from now on. */
void blkback_start(struct vbd *v);

/* It is served no more: what waits is forgotten, what is at the disk ends unseen. */
void blkback_stop(struct vbd *v);

/* d sent an event of one of its devices. False: a timer is due, to be called again. */
bool blkback_service(struct domain *d);

#endif
