// SPDX-License-Identifier: MIT
/*
 * files.c: creates and deletes files. See files.h.
 *
 * Written to the published definition of lmbench 3 (lat_fs).
 */
#include "files.h"

#include "scratch.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX     1000 /* at a time */
#define FILES_PER_DIR 100
#define NAME_SIZE     192

static char names[FILES_MAX][NAME_SIZE];
static char dirs[FILES_MAX / FILES_PER_DIR][NAME_SIZE];

/* lmbench's tree: at most 100 files in a directory. Names are ready before timing begins. */
void files_begin(const struct bench_row *row)
{
	char top[NAME_SIZE / 2];

	(void)row;
	snprintf(top, sizeof(top), "%s", scratch_directory("lat_fs"));
	for (int i = 0; i < FILES_MAX; i++) {
		char *dir = dirs[i / FILES_PER_DIR];

		snprintf(dir, NAME_SIZE, "%s/%d", top, i / FILES_PER_DIR);
		if (i % FILES_PER_DIR == 0 && mkdir(dir, 0777) != 0)
			bench_fail("mkdir");
		snprintf(names[i], NAME_SIZE, "%s/%d/%d", top, i / FILES_PER_DIR,
			 i % FILES_PER_DIR);
	}
}

void files_finish(const struct bench_row *row)
{
	(void)row;
	for (int i = 0; i < FILES_MAX / FILES_PER_DIR; i++)
		if (rmdir(dirs[i]) != 0)
			bench_fail("rmdir");
}

static void create_file(const char *name, const char *data, size_t size, bool sync)
{
	int fd = creat(name, 0666);

	if (fd < 0)
		bench_fail("create");
	if (size > 0 && write(fd, data, size) != (ssize_t)size)
		bench_fail("write");
	if (sync && fsync(fd) != 0)
		bench_fail("fsync");
	close(fd);
}

void files_pass(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	static char data[16 * 1024];
	size_t size = (size_t)row->arg[0];

	while (n > 0) {
		uint64_t files = n < FILES_MAX ? n : FILES_MAX;

		bench_start(&t[0]);
		for (uint64_t i = files; i-- > 0;)
			create_file(names[i], data, size, row->arg[1]);
		bench_stop(&t[0], files);
		bench_start(&t[1]);
		for (uint64_t i = files; i-- > 0;)
			if (unlink(names[i]) != 0)
				bench_fail("unlink");
		bench_stop(&t[1], files);
		n -= files;
	}
}
