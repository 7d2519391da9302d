// SPDX-License-Identifier: MIT
/*
 * signals.c: the cost of catching a signal. See signals.h.
 */
#include "signals.h"

#include <signal.h>
#include <unistd.h>

static void on_signal(int number)
{
	(void)number;
}

void signals_install(void)
{
	struct sigaction action = {.sa_handler = on_signal}, old;

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGUSR1, &action, &old) != 0)
		bench_fail("sigaction");
}

static void time_send(uint64_t n, int number, struct bench_time *t)
{
	pid_t me = getpid();

	bench_start(t);
	for (uint64_t i = 0; i < n; i++)
		kill(me, number);
	bench_stop(t, n);
}

void signals_time_catch(uint64_t n, struct bench_time *t)
{
	struct bench_time send = {0};

	signals_install();
	time_send(n, 0, &send);
	time_send(n, SIGUSR1, t);
	bench_subtract(t, &send, n);
}
