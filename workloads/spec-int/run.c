// SPDX-License-Identifier: MIT
/*
 * spec-int: integer programs that compute and hardly ask the kernel for anything.
 *
 * In the place of SPEC CINT2000, which may not be passed on, stand programs of its kinds: gzip,
 * bzip2, gcc's compiler proper, perl, GAP and the link-grammar parser are later versions of its very
 * own; GNU Go searches as its crafty did, SQLite keeps objects as its vortex did. vpr, twolf, mcf and
 * eon have no one here. Inputs are small: a run takes a fifth of a second, not minutes, so that
 * starting the program weighs about a hundredth of it.
 *
 * An operation is one run, from start to end, on files in memory. What a program says is checked by
 * its sum after each run: another release of a program may say something else, and is then told by it.
 */
#include "app.h"
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE  "/tmp/spec-int"
#define FILES  "/workloads/spec-int/"
#define OUTPUT PLACE "/output"

static const struct program {
	char *argv[12];
	const char *input;
	uint64_t sum; /* of what it says */
} programs[] = {
    {{"/usr/bin/gzip", "-9", "-n", "-c"}, FILES "text", 0x5ecb20acab38c481},
    {{"/usr/bin/bzip2", "-9", "-c"}, FILES "text", 0x13e61ca8b769cb3d},
    {{"/usr/libexec/gcc/x86_64-linux-gnu/14/cc1", "-quiet", "-O2", "-fpreprocessed", "-", "-o", "-"},
     FILES "program.c",
     0x1833680eeedf0c83},
    {{"/usr/bin/perl", FILES "words.pl"}, FILES "page", 0xd4e25141f6e6df8e},
    {{"/usr/lib/x86_64-linux-gnu/gap/gap", "-q", "-r", "-A", "-m", "4m", "-l", PLACE}, NULL, 0xa520451d3506077},
    {{"/usr/bin/link-parser", "en"}, FILES "sentences", 0x3d25c57ec43b8a7f},
    {{"/usr/bin/gnugo", "--mode", "gtp", "--level", "1", "--seed", "1", "--cache-size", "1"},
     FILES "game",
     0x42a524d156dac777},
    {{"/usr/bin/sqlite3", "-batch", ":memory:"}, FILES "store.sql", 0x961358962f2dee1a},
};

/* The offset basis and prime of the FNV-1a sum of 64 bits. */
#define SUM_BASIS 0xcbf29ce484222325ULL
#define SUM_PRIME 0x100000001b3ULL

static uint64_t sum_of(const char *path)
{
	uint64_t sum = SUM_BASIS;
	FILE *file = fopen(path, "r");
	int c;

	if (!file)
		bench_fail(path);
	while ((c = getc(file)) != EOF)
		sum = (sum ^ (uint64_t)c) * SUM_PRIME;
	fclose(file);
	return sum;
}

static struct app app_of(const struct bench_row *row)
{
	const struct program *program = &programs[row->arg[0]];

	return (struct app){
	    .name = row->metric[0],
	    .argv = program->argv,
	    .input = program->input,
	    .output = OUTPUT,
	};
}

static void run(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	uint64_t wanted = programs[row->arg[0]].sum, found;
	struct app app = app_of(row);

	while (n-- > 0) {
		bench_start(t);
		app_run(&app, NULL);
		bench_stop(t, 1);
		found = sum_of(OUTPUT);
		if (found != wanted)
			app_fail_plain("%s says something else than it should: its output's sum is %#llx, not "
				       "%#llx",
				       app.name, (unsigned long long)found, (unsigned long long)wanted);
	}
}

static void finish(const struct bench_row *row)
{
	(void)row;
	unlink(OUTPUT);
}

/* GAP reads lib/init.g first, below the directory it is told is its root. */
static void make_place(void)
{
	if ((mkdir(PLACE, 0755) != 0 && errno != EEXIST) ||
	    (mkdir(PLACE "/lib", 0755) != 0 && errno != EEXIST) ||
	    (symlink(FILES "groups.g", PLACE "/lib/init.g") != 0 && errno != EEXIST))
		bench_fail(PLACE);
}

static const struct bench_row rows[] = {
    {{"gzip"}, 2, 1, run, NULL, finish, {0}},	 {{"bzip2"}, 2, 1, run, NULL, finish, {1}},
    {{"gcc"}, 1, 1, run, NULL, finish, {2}},	 {{"perl"}, 2, 1, run, NULL, finish, {3}},
    {{"gap"}, 1, 1, run, NULL, finish, {4}},	 {{"parser"}, 1, 1, run, NULL, finish, {5}},
    {{"go"}, 2, 1, run, NULL, finish, {6}},	 {{"store"}, 2, 1, run, NULL, finish, {7}},
};

int main(int argc, char **argv)
{
	app_enter();
	make_place();
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
