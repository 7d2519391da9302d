// SPDX-License-Identifier: MIT
/*
 * lmbench-file: the file rows of the paper's Table 5 on ext4, and files that are synced.
 *
 * The same code as in lmbench-memory, where files lie on tmpfs; here on the data disk. The paper's
 * lay on ext3, which is ext4's ancestor and is driven by it today.
 */
#include "bench.h"
#include "disk.h"
#include "files.h"
#include "mapped.h"

#include <stdlib.h>

static void on_disk(void)
{
	setenv("TMPDIR", disk_mounted(), 1);
}

static void begin_files(const struct bench_row *row)
{
	on_disk();
	files_begin(row);
}

static void begin_mapped(const struct bench_row *row)
{
	on_disk();
	mapped_begin(row);
}

/* Deleting is not of interest here: its time is thrown away. */
static void synced_pass(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	struct bench_time both[2] = {{0}};

	files_pass(row, n, both);
	*t = both[0];
}

static const struct bench_row rows[] = {
    {{"create_0k", "delete_0k"}, 4000, 100, files_pass, begin_files, files_finish, {0}},
    {{"create_10k", "delete_10k"}, 4000, 100, files_pass, begin_files, files_finish, {10240}},
    {{"create_synced"}, 100, 4, synced_pass, begin_files, files_finish, {10240, 1}},
    {{"mmap"}, 300, 2, mapped_latency, begin_mapped, mapped_finish, {0}},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
