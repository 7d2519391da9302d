/* SPDX-License-Identifier: MIT */
/*
 * child.h: helper processes of a benchmark: peers, servers, members of a ring.
 */
#ifndef WORKLOADS_LIB_CHILD_H
#define WORKLOADS_LIB_CHILD_H

#include <sys/types.h>

/* Forks; returns the child's id to the parent and 0 to the child, which dies with its parent. */
pid_t child_start(void);

/* Kills and reaps; 0 or less is no child. */
void child_stop(pid_t child);

#endif
