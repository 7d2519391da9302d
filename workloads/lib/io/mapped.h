/* SPDX-License-Identifier: MIT */
/*
 * mapped.h: a file of 8 MiB to be mapped, and what mapping it costs.
 */
#ifndef WORKLOADS_LIB_IO_MAPPED_H
#define WORKLOADS_LIB_IO_MAPPED_H

#include "bench.h"

#include <stddef.h>

#define MAPPED_SIZE (8 * 1024 * 1024)

/* Those of a row: the file is made below the scratch directory, and has no name any more. */
void mapped_begin(const struct bench_row *row);
void mapped_finish(const struct bench_row *row);

/* A new mapping of the file's first bytes, shared with the file. */
char *mapped(size_t size, int protection);

/* A row: maps all of it, writes a byte every 16 KiB of the first tenth, unmaps it. */
void mapped_latency(const struct bench_row *row, uint64_t n, struct bench_time *t);

#endif
