// SPDX-License-Identifier: MIT
/*
 * now: prints CLOCK_MONOTONIC in nanoseconds. The clock of workloads written in shell, which have
 * none of their own that is finer than a second; lib/report.sh calls it.
 */
#include <stdio.h>
#include <time.h>

int main(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%lld%09ld\n", (long long)now.tv_sec, now.tv_nsec);
	return 0;
}
