/* SPDX-License-Identifier: MIT */
/*
 * scratch.h: files a benchmark works on, below /tmp (or $TMPDIR, for runs outside a guest).
 */
#ifndef WORKLOADS_LIB_SCRATCH_H
#define WORKLOADS_LIB_SCRATCH_H

#include <stddef.h>

/* Makes the directory `name` if need be and returns its path, which the next call overwrites. */
const char *scratch_directory(const char *name);

/* Makes a file of `size` bytes, every page of it written, in the scratch directory "lat_fs". */
const char *scratch_file(const char *name, size_t size);

#endif
