// SPDX-License-Identifier: MIT
/*
 * scratch.c: makes the files a benchmark works on. See scratch.h.
 */
#include "scratch.h"

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK 65536

static char directory[256], file[512];

const char *scratch_directory(const char *name)
{
	const char *base = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/%s", base ? base : "/tmp", name);
	if (mkdir(directory, 0700) != 0 && errno != EEXIST)
		bench_fail(directory);
	return directory;
}

const char *scratch_file(const char *name, size_t size)
{
	static char data[CHUNK];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", scratch_directory("lat_fs"), name);
	fd = open(file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		bench_fail(file);
	memset(data, 1, sizeof(data));
	while (size > 0) {
		size_t part = size < sizeof(data) ? size : sizeof(data);

		if (write(fd, data, part) != (ssize_t)part)
			bench_fail(file);
		size -= part;
	}
	close(fd);
	return file;
}
