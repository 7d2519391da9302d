/* SPDX-License-Identifier: MIT */
/*
 * files.h: creating and deleting files, rows of one table on tmpfs and of another on ext4.
 *
 * The functions are those of a row: files lie below the scratch directory "lat_fs" (scratch.h).
 */
#ifndef WORKLOADS_LIB_IO_FILES_H
#define WORKLOADS_LIB_IO_FILES_H

#include "bench.h"

/* Makes and takes away lmbench's tree of directories, 100 files to each. */
void files_begin(const struct bench_row *row);
void files_finish(const struct bench_row *row);

/* Files of arg[0] bytes: t[0] creates and writes, t[1] deletes them. With arg[1] each is synced. */
void files_pass(const struct bench_row *row, uint64_t n, struct bench_time *t);

#endif
