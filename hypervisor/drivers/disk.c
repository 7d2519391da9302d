// SPDX-License-Identifier: MIT
/*
 * RAM disks. What is kept apart from guests is not only the contents: this memory is in no frame
 * table, so there is no number by which a guest could name it. It is mapped in a window of our own.
 *
 * The speed is that of Linux' null_blk, which is the disk below all other systems: a request ends
 * a fixed time after its start, many may be under way, and a rate is kept by letting only so many
 * bytes start in each tick of 20 ms. Ticks begin with the first request and go on as long as
 * there are any.
 */
#include <hv/disk.h>
#include <hv/pagetable.h>
#include <hv/string.h>

#define LARGE_PAGE (1ull << 21)
#define TICK_NS	   20000000ull
#define TICKS	   50 /* in a second */

struct disk disks[NR_DISKS];

/* From the end of the highest RAM, where the loader puts nothing. */
const char *disk_reserve(struct memory_map *map, u64 mb)
{
	u64 bytes = mb << 20, start;
	struct memory_range *top = &map->ram[0];

	for (unsigned int i = 1; i < map->nr_ram; i++)
		if (map->ram[i].end > top->end)
			top = &map->ram[i];
	if (!map->nr_ram || bytes + LARGE_PAGE > top->end - top->start)
		return "more memory than the machine has";
	start = (top->end - bytes) & ~(LARGE_PAGE - 1);
	for (unsigned int i = 0; i < map->nr_modules; i++)
		if (map->module[i].end > start)
			return "no room for it above the modules";
	top->end = start;
	disks[DISK_DATA].start = start;
	disks[DISK_DATA].nr_sectors = bytes / SECTOR_SIZE;
	disks[DISK_DATA].writable = true;
	return NULL;
}

static bool map(const struct disk *k)
{
	u64 bytes = k->nr_sectors * SECTOR_SIZE;

	for (u64 at = 0; at < bytes; at += LARGE_PAGE)
		if (pagetable_map_large((u64)disk_at(k, 0) + at, paddr(k->start + at),
					PTE_NX | (k->writable ? PTE_RW : 0)) < 0)
			return false;
	return true;
}

const char *disk_init(void)
{
	struct disk *root = &disks[DISK_ROOT], *data = &disks[DISK_DATA];

	if (root->nr_sectors && (root->start % LARGE_PAGE || root->start < max_mfn << PAGE_SHIFT))
		return "root= does not begin above the RAM, at a multiple of 2 MB";
	for (unsigned int i = 0; i < NR_DISKS; i++) {
		if (disks[i].nr_sectors * SECTOR_SIZE > DISK_WINDOW)
			return "a disk is larger than its window";
		if (!map(&disks[i]))
			return "too little memory to map a disk";
	}
	if (data->nr_sectors)
		memset(disk_at(data, 0), 0, data->nr_sectors * SECTOR_SIZE);
	return NULL;
}

void disk_set_rate(struct disk *k, u64 mbps)
{
	k->tick_bytes = (1 << 20) / TICKS * mbps;
	k->left = k->tick_bytes;
}

u64 disk_start(struct disk *k, u64 now, u64 bytes)
{
	if (!k->tick_bytes)
		return 0;
	if (now >= k->tick_end) {
		bool going_on = now - k->tick_end < TICK_NS;

		k->tick_end = (going_on ? k->tick_end : now) + TICK_NS;
		k->left = k->tick_bytes;
	}
	if (bytes > k->left) {
		k->left = 0; /* nor may a smaller one overtake it */
		return bytes > k->tick_bytes ? 0 : k->tick_end;
	}
	k->left -= bytes;
	return 0;
}
