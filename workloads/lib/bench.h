/* SPDX-License-Identifier: MIT */
/*
 * bench.h: how a C workload times and reports.
 *
 * A workload is a table of rows; bench_main() runs each row once as a warm-up and `reps` times for
 * the record, with loop counts that are fixed by the table and the parameters, never by the clock:
 *   reps=N      recorded repetitions
 *   percent=N   loop counts in per cent of the table's
 *   divide=N    for slow systems: loop counts divided by N, not below the row's `least`
 * and what a workload adds by bench_axis().
 * Result lines are kept in memory and printed when the last row is done, so that no console output
 * falls into a timed section.
 */
#ifndef WORKLOADS_LIB_BENCH_H
#define WORKLOADS_LIB_BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_METRICS_MAX 2

/* One sample in the making. The fields are printed as they are; see bench_stop(). */
struct bench_time {
	uint64_t count;	      /* operations, or bytes */
	uint64_t total_ns;    /* all that was timed */
	uint64_t overhead_ns; /* the part of it that is not the subject */
	uint64_t started_ns;
};

struct bench_row {
	const char *metric[BENCH_METRICS_MAX]; /* the second one only where one pass gives two */
	uint64_t full;			       /* loop count at percent=100 */
	uint64_t least;			       /* never fewer, whatever divide says */
	/* Does n operations and times them: one struct bench_time per metric, cleared before. */
	void (*run)(const struct bench_row *row, uint64_t n, struct bench_time *t);
	void (*begin)(const struct bench_row *row); /* optional: before the warm-up */
	void (*finish)(const struct bench_row *row);
	long arg[2]; /* whatever tells rows with the same functions apart */
};

/* Timed sections may be opened and closed many times: the times add up. */
void bench_start(struct bench_time *t);

/* Closes the section, adds `count` operations and the cost of reading the clock as overhead. */
void bench_stop(struct bench_time *t, uint64_t count);

/* Total less overhead, 0 if the clock says less than nothing. */
uint64_t bench_net_ns(const struct bench_time *t);

/* Adds to t's overhead what `count` operations cost according to the sample `of`. */
void bench_subtract(struct bench_time *t, const struct bench_time *of, uint64_t count);

/* Prints the samples so far and one fail line with errno's text; exits with 1. */
void bench_fail(const char *what) __attribute__((noreturn));

/* Keeps the compiler from dropping a result nobody reads. */
static inline void bench_use(uint64_t value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}

/*
 * Adds the parameter `key`, an axis of workload.toml: a whole number from 1 to `most`. *value is
 * what holds without it. Before bench_main(), which puts the command line's number there.
 */
void bench_axis(const char *key, uint64_t *value, uint64_t most);

/* Runs the table and prints its lines; returns the exit status, 2 after a bad parameter. */
int bench_main(const struct bench_row *rows, size_t n_rows, int argc, char **argv);

#endif
