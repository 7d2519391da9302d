// SPDX-License-Identifier: MIT
/*
 * child.c: starts and ends the helper processes of a benchmark. See child.h.
 */
#include "child.h"

#include "bench.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t child_start(void)
{
	pid_t child = fork();

	if (child < 0)
		bench_fail("fork");
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

void child_stop(pid_t child)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
