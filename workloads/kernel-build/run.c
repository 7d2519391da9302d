// SPDX-License-Identifier: MIT
/*
 * kernel-build: make and gcc build Linux, as configured by tinyconfig, from the data disk's ext4:
 * some objects of it, or all that vmlinux consists of.
 *
 * The large root has the sources, configured, and what recipe/linux.sh noted when it built them:
 * which files each object needs, and what comes of it. Before each build these files are copied anew
 * to where they were configured, and synced; after it every object is compared with those of then.
 * kbuild starts below its top Makefile, which would take longer than these few objects to find out
 * anew what the compiler can do. Nothing is synced while the clock runs; objects reach the disk when
 * the kernel sees fit.
 */
#include "app.h"
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOURCES	    "/usr/src/linux"
#define PLACE	    "/mnt/data/linux"
#define WANTED_SUMS "/tmp/kernel-build.sums"
#define OBJECTS_MAX 100
#define LINE_SIZE   512
#define WORDS	    2 /* before the objects' names */

static uint64_t first = 1, objects = 4; /* which of the list */

static FILE *open_list(const char *name)
{
	FILE *list = fopen(name, "re");

	if (!list)
		bench_fail(name);
	return list;
}

/* Like mkdir -p of the directory that the path is in. */
static void make_place(char *path)
{
	for (char *slash = strchr(path + sizeof(PLACE) - 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			bench_fail(path);
		*slash = '/';
	}
}

static void copy_link(const char *from, const char *to)
{
	char target[LINE_SIZE];
	ssize_t length = readlink(from, target, sizeof(target) - 1);

	if (length < 0)
		bench_fail(from);
	target[length] = '\0';
	if (symlink(target, to) != 0)
		bench_fail(to);
}

/* All dates are the same: nothing is older than what was made from it. */
static void copy_file(const char *from, const char *to, const struct stat *info)
{
	const struct timespec dates[2] = {{0}};
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, info->st_mode & 0777);

	if (in < 0)
		bench_fail(from);
	if (out < 0)
		bench_fail(to);
	for (off_t left = info->st_size; left > 0;) {
		ssize_t done = sendfile(out, in, NULL, (size_t)left);

		if (done <= 0)
			bench_fail(to);
		left -= done;
	}
	if (futimens(out, dates) != 0)
		bench_fail(to);
	close(in);
	close(out);
}

static void copy_sources(void)
{
	char line[LINE_SIZE], from[LINE_SIZE * 2], to[LINE_SIZE * 2], name[LINE_SIZE];
	FILE *list = open_list(SOURCES ".files");
	unsigned int number;
	struct stat info;

	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, "%u %511s", &number, name) != 2 || number >= first + objects)
			continue;
		snprintf(from, sizeof(from), SOURCES "/%s", name);
		snprintf(to, sizeof(to), PLACE "/%s", name);
		if (lstat(from, &info) != 0)
			bench_fail(from);
		make_place(to);
		if (S_ISLNK(info.st_mode))
			copy_link(from, to);
		else
			copy_file(from, to, &info);
	}
	fclose(list);
}

static void remove_sources(void)
{
	char *argv[] = {"/usr/bin/rm", "-rf", PLACE, NULL};
	struct app rm = {.name = "rm", .argv = argv};

	app_run(&rm, NULL);
}

/* The names of the objects go to argv, their digests to a file. */
static void choose(char **argv)
{
	static char names[OBJECTS_MAX][LINE_SIZE];
	char line[LINE_SIZE], digest[LINE_SIZE];
	FILE *list = open_list(SOURCES ".sums"), *wanted = fopen(WANTED_SUMS, "we");

	if (!wanted)
		bench_fail(WANTED_SUMS);
	for (size_t at = 1, n = 0; n < objects; at++) {
		if (!fgets(line, sizeof(line), list) ||
		    sscanf(line, "%511s %511s", digest, names[n]) != 2)
			app_fail_plain("the image knows %zu objects, %llu are asked for", at - 1,
				       (unsigned long long)(first - 1 + objects));
		if (at < first)
			continue;
		argv[n] = names[n];
		n++;
		fputs(line, wanted);
	}
	fclose(list);
	if (fclose(wanted) != 0)
		bench_fail(WANTED_SUMS);
}

/* What came out is what came out when the image was made. */
static void check(void)
{
	char *argv[] = {"/usr/bin/sha256sum", "--check", "--quiet", WANTED_SUMS, NULL};
	struct app sums = {.name = "sha256sum", .argv = argv, .directory = PLACE};

	app_run(&sums, NULL);
}

static void build_once(struct bench_time *t)
{
	static char *argv[WORDS + OBJECTS_MAX + 1] = {"/bin/sh", SOURCES ".make"};
	struct app make = {.name = "make", .argv = argv, .directory = PLACE};
	struct app_usage used;

	choose(argv + WORDS);
	remove_sources();
	copy_sources();
	sync();
	bench_start(&t[0]);
	app_run(&make, &used);
	bench_stop(&t[0], 1);
	t[1].count += used.system_ns;
	t[1].total_ns += used.user_ns + used.system_ns;
	check();
}

static void build(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	for (uint64_t i = 0; i < n; i++)
		build_once(t);
}

static void begin(const struct bench_row *row)
{
	(void)row;
	app_enter();
}

static void finish(const struct bench_row *row)
{
	(void)row;
	remove_sources();
	unlink(WANTED_SUMS);
}

static const struct bench_row rows[] = {
    {{"build", "system_share"}, 1, 1, build, begin, finish, {0}},
};

int main(int argc, char **argv)
{
	bench_axis("first", &first, OBJECTS_MAX);
	bench_axis("objects", &objects, OBJECTS_MAX);
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
