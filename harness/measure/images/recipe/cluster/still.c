// SPDX-License-Identifier: MIT
/*
 * still.c: preloaded into initdb and the postgres it starts, so that the same cluster comes out on
 * every host and at any time: clock, process number and random bytes are constants. They go into the
 * cluster's identifier, its control file and every page of its log.
 */
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define NOW	1000000000 /* as the emulated PC's clock, it need only be past */
#define PROCESS 4711

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	(void)zone;
	*tv = (struct timeval){.tv_sec = NOW};
	return 0;
}

time_t time(time_t *t)
{
	if (t)
		*t = NOW;
	return NOW;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){.tv_sec = NOW};
	return 0;
}

pid_t getpid(void)
{
	return PROCESS;
}

/* A server on its own wakes itself by a signal. */
int kill(pid_t process, int number)
{
	return (int)syscall(SYS_kill, process == PROCESS ? syscall(SYS_getpid) : process, number);
}

/* libcrypto's, by which the server comes by all that it draws. */
int RAND_bytes(unsigned char *out, int size)
{
	memset(out, 0x5a, (size_t)size);
	return 1;
}
