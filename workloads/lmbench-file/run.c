// SPDX-License-Identifier: MIT
/*
 * lmbench-file: the file rows of the paper's Table 5 on the data disk, and files that are synced.
 *
 * The same code as in lmbench-memory, where files lie on tmpfs. The paper's lay on ext3; here it is
 * ext4, which is what drives an ext3 disk today.
 */
#include "bench.h"
#include "disk.h"
#include "files.h"
#include "mapped.h"

#include <stdlib.h>

/* Deleting them is no row: its time is thrown away. */
static void synced_pass(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	struct bench_time both[2] = {{0}};

	files_pass(row, n, both);
	*t = both[0];
}

static const struct bench_row rows[] = {
    {{"create_0k", "delete_0k"}, 4000, 100, files_pass, files_begin, files_finish, {0}},
    {{"create_10k", "delete_10k"}, 4000, 100, files_pass, files_begin, files_finish, {10240}},
    {{"create_synced"}, 100, 4, synced_pass, files_begin, files_finish, {10240, 1}},
    {{"mmap"}, 300, 2, mapped_latency, mapped_begin, mapped_finish, {0}},
};

int main(int argc, char **argv)
{
	setenv("TMPDIR", disk_directory(), 1);
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
