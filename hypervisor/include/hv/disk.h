/* SPDX-License-Identifier: MIT */
/* The disks of the machine: ranges of its memory, with the speed of a device. */
#ifndef HV_DISK_H
#define HV_DISK_H

#include <hv/frame.h>
#include <hv/pagetable.h>
#include <hv/types.h>

#define SECTOR_SIZE 512u

enum { DISK_ROOT, DISK_DATA, NR_DISKS };

struct disk {
	u64 start;	/* its physical address */
	u64 nr_sectors; /* 0: there is no such disk */
	bool writable;
	u64 latency_ns; /* from a request's start to its end */

	/* So many bytes may start in each tick, 0: any number. */
	u64 tick_bytes, left;
	u64 tick_end; /* ns since boot */
};

extern struct disk disks[NR_DISKS];

/*
 * Takes the memory of the data disk out of map, before frames are made of it. Returns NULL, or why
 * not.
 */
__must_check const char *disk_reserve(struct memory_map *map, u64 mb);

/* Maps the disks that were set up, and clears the data disk. Returns NULL, or what is wrong. */
__must_check const char *disk_init(void);

/* The memory of a sector. */
static inline void *disk_at(const struct disk *k, u64 sector)
{
	return (void *)(DISK_BASE + (u64)(k - disks) * DISK_WINDOW + sector * SECTOR_SIZE);
}

/* 0: a request of so many bytes starts now, and is counted; else when to ask again. */
u64 disk_start(struct disk *k, u64 now, u64 bytes);

/* Sets the rate, in units of 2^20 bytes per second. */
void disk_set_rate(struct disk *k, u64 mbps);

#endif
