/* SPDX-License-Identifier: MIT */
/*
 * What the programs here have in common that are /init of a stock kernel and report by result words:
 * what failed is printed and counted, and RESULT SUCCESS only if nothing did.
 */
#ifndef STOCK_H
#define STOCK_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int failures;

static inline void expect(int ok, const char *what)
{
	if (ok)
		return;
	failures++;
	printf("failed: %s (%s)\n", what, strerror(errno));
}

/* In ns. */
static inline uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline void load_module(const char *path)
{
	int fd = open(path, O_RDONLY);

	expect(fd >= 0 && syscall(SYS_finit_module, fd, "", 0) == 0, path);
	close(fd);
}

/* Waits two seconds for a device to come; -1 if it does not. */
static inline int open_device(const char *path, int flags)
{
	int fd = -1;

	for (int i = 0; i < 2000 && fd < 0; i++) {
		fd = open(path, flags);
		if (fd < 0)
			usleep(1000);
	}
	return fd;
}

static inline const char *command_line(void)
{
	static char line[1024];
	int fd;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	fd = open("/proc/cmdline", O_RDONLY);
	expect(read(fd, line, sizeof(line) - 1) > 0, "command line");
	close(fd);
	return line;
}

/* Devices, and a console whose lines are whole. */
static inline void begin(void)
{
	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	freopen("/dev/console", "w", stdout);
	setvbuf(stdout, NULL, _IOLBF, 0);
}

static inline int finish(void)
{
	printf("RESULT %s\n", failures ? "FAILURE" : "SUCCESS");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}

#endif
