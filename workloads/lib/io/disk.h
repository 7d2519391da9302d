/* SPDX-License-Identifier: MIT */
/*
 * disk.h: the data disk, which prepare/ has made ready: as a block device, or as a file system.
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

/* Where the file system on the data disk is mounted, for a workload that needs "files". */
const char *disk_directory(void);

#endif
