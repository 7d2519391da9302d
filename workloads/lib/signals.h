/* SPDX-License-Identifier: MIT */
/*
 * signals.h: what sending and catching a signal costs, a row of one table and the overhead
 * subtracted in another.
 */
#ifndef WORKLOADS_LIB_SIGNALS_H
#define WORKLOADS_LIB_SIGNALS_H

#include "bench.h"

/* Installs an empty handler for SIGUSR1. */
void signals_install(void);

/*
 * Sends SIGUSR1 to this process n times and has it handled. The overhead is the cost of sending:
 * kill() with signal 0 is checked like any other and delivers nothing.
 */
void signals_time_catch(uint64_t n, struct bench_time *t);

#endif
