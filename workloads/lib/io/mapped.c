// SPDX-License-Identifier: MIT
/*
 * mapped.c: maps a file. See mapped.h.
 *
 * Written to the published definition of lmbench 3 (lat_mmap).
 */
#include "mapped.h"

#include "scratch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAP_STEP    16384
#define MAP_TOUCHED (MAPPED_SIZE / 10)

static int map_fd;

void mapped_begin(const struct bench_row *row)
{
	const char *name = scratch_file("mapped", MAPPED_SIZE);

	(void)row;
	map_fd = open(name, O_RDWR);
	if (map_fd < 0 || unlink(name) != 0)
		bench_fail("file to map");
}

void mapped_finish(const struct bench_row *row)
{
	(void)row;
	close(map_fd);
}

char *mapped(size_t size, int protection)
{
	char *where = mmap(NULL, size, protection, MAP_SHARED, map_fd, 0);

	if (where == MAP_FAILED)
		bench_fail("mmap");
	return where;
}

void mapped_latency(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	bench_start(t);
	for (uint64_t i = 0; i < n; i++) {
		volatile char *where = mapped(MAPPED_SIZE, PROT_READ | PROT_WRITE);

		for (size_t at = 0; at < MAP_TOUCHED; at += MAP_STEP)
			where[at] = 1;
		munmap((void *)where, MAPPED_SIZE);
	}
	bench_stop(t, n);
}
