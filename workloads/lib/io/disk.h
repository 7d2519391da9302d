/* SPDX-License-Identifier: MIT */
/*
 * disk.h: the data disk, which init has made ready (README.md): as a block device, or as ext4.
 *
 * Outside a guest the environment names what stands in for it: REXEN_DATA a file or block device of
 * DISK_AREA or more, REXEN_DATA_DIR a directory that is then used as it is.
 */
#ifndef WORKLOADS_LIB_IO_DISK_H
#define WORKLOADS_LIB_IO_DISK_H

#include <stdint.h>

#define DISK_AREA (16 * 1024 * 1024) /* what a workload may rely on, and write to */

/* Opens the data disk; fails if it has less than DISK_AREA. */
int disk_open(int flags);

/*
 * Makes an empty ext4 on the data disk and mounts it, the first time; returns where. Nothing is
 * left to be done later in the background: inode tables and journal are written at once.
 */
const char *disk_mounted(void);

#endif
