// SPDX-License-Identifier: MIT
/*
 * bench.c: parameters, clock, loop over the rows, result lines. See bench.h.
 */
#include "bench.h"

#include "mark.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLOCK_BATCHES  8
#define CLOCK_READS    100
#define LINES_SIZE     (128 * 1024)
#define REPS_MAX       100
#define PERCENT_MAX    100000
#define DIVIDE_MAX     1000000
#define PARAMETERS_MAX 8

static uint64_t reps = 1, percent = 100, divide = 1;

static struct parameter {
	const char *key;
	uint64_t *value;
	uint64_t most;
} parameters[PARAMETERS_MAX] = {
    {"reps", &reps, REPS_MAX},
    {"percent", &percent, PERCENT_MAX},
    {"divide", &divide, DIVIDE_MAX},
};
static size_t n_parameters = 3;

/*
 * On a page of its own, so that the C library's variables behind it lie at the same offset whatever
 * variables a workload has: how many of their pages a fork copies must not change with those.
 */
static char lines[LINES_SIZE] __attribute__((aligned(4096)));
static size_t lines_used;
static uint64_t clock_ns; /* what an empty timed section measures */
static const char *current_metric = "-";

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

void bench_start(struct bench_time *t)
{
	mark(MARK_START, t);
	t->started_ns = now_ns();
}

void bench_stop(struct bench_time *t, uint64_t count)
{
	t->total_ns += now_ns() - t->started_ns;
	t->overhead_ns += clock_ns;
	t->count += count;
	mark(MARK_STOP, t);
}

uint64_t bench_net_ns(const struct bench_time *t)
{
	return t->total_ns > t->overhead_ns ? t->total_ns - t->overhead_ns : 0;
}

void bench_subtract(struct bench_time *t, const struct bench_time *of, uint64_t count)
{
	if (of->count > 0)
		t->overhead_ns += bench_net_ns(of) * count / of->count;
}

/* The least of several batches: a timer tick may fall into one, not into all. */
static void measure_clock(void)
{
	uint64_t least = UINT64_MAX;

	for (int batch = 0; batch < CLOCK_BATCHES; batch++) {
		struct bench_time t = {0};

		for (int i = 0; i < CLOCK_READS; i++) {
			bench_start(&t);
			bench_stop(&t, 0);
		}
		if (t.total_ns / CLOCK_READS < least)
			least = t.total_ns / CLOCK_READS;
		mark(MARK_CLOCK, &t);
	}
	clock_ns = least;
}

static void print_lines(void)
{
	for (size_t done = 0; done < lines_used;) {
		ssize_t put = write(STDOUT_FILENO, lines + done, lines_used - done);

		if (put <= 0 && errno != EINTR)
			break;
		if (put > 0)
			done += (size_t)put;
	}
	lines_used = 0;
}

void bench_fail(const char *what)
{
	int error = errno;

	print_lines();
	dprintf(STDOUT_FILENO, "@rexen fail %s %s: %s\n", current_metric, what, strerror(error));
	exit(1);
}

static void keep_sample(const char *metric, const char *kind, uint64_t rep,
			const struct bench_time *t)
{
	int length;

	mark(MARK_SAMPLE, t);
	length = snprintf(lines + lines_used, sizeof(lines) - lines_used,
			  "@rexen sample %s %s %llu %llu %llu %llu\n", metric, kind,
			  (unsigned long long)rep, (unsigned long long)t->count,
			  (unsigned long long)t->total_ns, (unsigned long long)t->overhead_ns);

	if (length < 0 || (size_t)length >= sizeof(lines) - lines_used) {
		errno = ENOSPC;
		bench_fail("keeping samples");
	}
	lines_used += (size_t)length;
}

static void run_once(const struct bench_row *row, uint64_t n, const char *kind, uint64_t rep)
{
	struct bench_time times[BENCH_METRICS_MAX] = {{0}};

	row->run(row, n, times);
	for (int i = 0; i < BENCH_METRICS_MAX && row->metric[i]; i++)
		keep_sample(row->metric[i], kind, rep, &times[i]);
}

static uint64_t at_least(uint64_t count, uint64_t least)
{
	return count > least ? count : least;
}

/* The warm-up is a quarter of a repetition: enough to fault in, allocate and translate. */
static void run_row(const struct bench_row *row)
{
	uint64_t least = at_least(row->least, 1);
	uint64_t n = row->full * percent / 100 / divide;

	current_metric = row->metric[0];
	n = at_least(n, least);
	if (row->begin)
		row->begin(row);
	run_once(row, at_least(n / 4, least), "warm", 0);
	for (uint64_t rep = 1; rep <= reps; rep++)
		run_once(row, n, "run", rep);
	if (row->finish)
		row->finish(row);
}

static bool parse_number(const char *text, uint64_t most, uint64_t *value)
{
	char *end;

	if (*text < '1' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *value <= most;
}

static bool parse_argument(const char *argument)
{
	for (size_t i = 0; i < n_parameters; i++) {
		const struct parameter *p = &parameters[i];
		size_t length = strlen(p->key);

		if (strncmp(argument, p->key, length) == 0 && argument[length] == '=')
			return parse_number(argument + length + 1, p->most, p->value);
	}
	return false;
}

void bench_axis(const char *key, uint64_t *value, uint64_t most)
{
	if (n_parameters == PARAMETERS_MAX) {
		errno = ENOSPC;
		bench_fail("keeping parameters");
	}
	parameters[n_parameters++] = (struct parameter){key, value, most};
}

static void print_bad_parameter(const char *argument)
{
	dprintf(STDOUT_FILENO, "@rexen fail - bad parameter \"%s\": want", argument);
	for (size_t i = 0; i < n_parameters; i++)
		dprintf(STDOUT_FILENO, " %s=1..%llu", parameters[i].key,
			(unsigned long long)parameters[i].most);
	dprintf(STDOUT_FILENO, "\n");
}

int bench_main(const struct bench_row *rows, size_t n_rows, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!parse_argument(argv[i])) {
			print_bad_parameter(argv[i]);
			return 2;
		}
	}
	measure_clock();
	for (size_t i = 0; i < n_rows; i++)
		run_row(&rows[i]);
	print_lines();
	return 0;
}
