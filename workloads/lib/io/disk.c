// SPDX-License-Identifier: MIT
/*
 * disk.c: where the data disk is. See disk.h.
 */
#include "disk.h"

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DISK	  "/dev/rexen/data"
#define DIRECTORY "/mnt/data"

static const char *disk_path(void)
{
	const char *path = getenv("REXEN_DATA");

	return path ? path : DISK;
}

int disk_open(int flags)
{
	int fd = open(disk_path(), flags | O_CLOEXEC);

	if (fd < 0)
		bench_fail(disk_path());
	if (lseek(fd, 0, SEEK_END) < DISK_AREA) {
		errno = ENOSPC;
		bench_fail("the data disk is smaller than 16 MiB");
	}
	return fd;
}

const char *disk_directory(void)
{
	const char *path = getenv("REXEN_DATA_DIR");

	return path ? path : DIRECTORY;
}
