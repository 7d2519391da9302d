/* SPDX-License-Identifier: MIT */
/*
 * app.h: programs of the large root, run to their end or as servers.
 *
 * What such a program says goes to a log, /tmp/NAME.log; if it fails, the workload fails, with the
 * last lines of the log on the console and the very last in the fail line.
 * Outside a guest REXEN_ROOT names a tree that stands in for the large root and is entered as it is.
 */
#ifndef WORKLOADS_LIB_IO_APP_H
#define WORKLOADS_LIB_IO_APP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define APP_POSTGRES_USER 100 /* recipe/disk.sh makes this account */

struct app {
	const char *name;      /* in messages; of the log */
	char *const *argv;     /* argv[0] is a path in the large root */
	const char *directory; /* where it starts; NULL: at the top */
	const char *input;     /* a file; NULL: it reads nothing */
	const char *output;    /* a file; NULL: the log, where its errors go in any case */
	unsigned int user;     /* number of the user and of the group; 0: root */
	bool append;	       /* the log goes on where it stands */
	int talk;	       /* a socket, its input and output instead of files; 0: none */
};

/* CPU time of a program and of those of its children that it waited for. */
struct app_usage {
	uint64_t user_ns, system_ns;
};

/*
 * Makes the large root the root directory of this process and its children, with the guest's own
 * /dev, /proc, /sys, /tmp, /workloads and, where there is one, /mnt/data in it.
 */
void app_enter(void);

/* Starts a program, which dies with this process. */
pid_t app_start(const struct app *app);

/* Waits for the end of a program, which must be with status 0. `usage` may be NULL. */
void app_wait(const struct app *app, pid_t pid, struct app_usage *usage);

/* Starts it and waits for its end. */
void app_run(const struct app *app, struct app_usage *usage);

/* Waits until ready() is true; fails if the server ends before, or after `limit_s` seconds. */
void app_await(const struct app *app, pid_t pid, bool (*ready)(void), unsigned int limit_s);

/* Sends the signal and waits for the end with status 0, `limit_s` seconds at most. */
void app_stop(const struct app *app, pid_t pid, int signal_number, unsigned int limit_s);

/* Fails the workload: NAME, what happened, the last words. */
void app_fail(const struct app *app, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* The same where no program is to blame: `format` is the whole reason. */
void app_fail_plain(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
