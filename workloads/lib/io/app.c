// SPDX-License-Identifier: MIT
/*
 * app.c: runs programs of the large root. See app.h.
 */
#include "app.h"

#include "bench.h"
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROOT	   "/mnt/root"
#define NO_PROGRAM 127
#define TAIL_LINES 8
#define TAIL_SIZE  4096
#define POLL_NS	   1000000

static const char *const shared[] = {"/dev", "/proc", "/sys", "/tmp", "/workloads", "/mnt/data"};

/* The same for every program, whatever the guest's init or a test has set. */
static char *const environment[] = {
    "PATH=/usr/bin:/usr/sbin:/usr/games",
    "HOME=/tmp",
    "TMPDIR=/tmp",
    "LC_ALL=C",
    "TZ=UTC",
    NULL,
};

void app_enter(void)
{
	const char *tree = getenv("REXEN_ROOT");
	char place[256];
	struct stat info;

	if (!tree && (unshare(CLONE_NEWNS) != 0 ||
		      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0))
		bench_fail("a mount namespace");
	for (size_t i = 0; !tree && i < sizeof(shared) / sizeof(shared[0]); i++) {
		snprintf(place, sizeof(place), ROOT "%s", shared[i]);
		if (stat(shared[i], &info) != 0)
			continue;
		if (mount(shared[i], place, NULL, MS_BIND, NULL) != 0)
			bench_fail(place);
	}
	if (chroot(tree ? tree : ROOT) != 0 || chdir("/") != 0)
		bench_fail(tree ? tree : ROOT);
}

static const char *log_of(const struct app *app)
{
	static char path[256];

	snprintf(path, sizeof(path), "/tmp/%s.log", app->name);
	return path;
}

/* The child's side: never returns. Its complaints are the log's last line. */
static void become(const struct app *app, int log)
{
	int in = app->talk ? app->talk : open(app->input ? app->input : "/dev/null", O_RDONLY);
	int out = app->talk ? app->talk : log;

	dup2(log, STDERR_FILENO);
	if (in < 0) {
		dprintf(STDERR_FILENO, "%s: %s\n", app->input, strerror(errno));
		_exit(NO_PROGRAM);
	}
	if (app->output && (out = open(app->output, O_WRONLY | O_CREAT | O_TRUNC, 0644)) < 0) {
		dprintf(STDERR_FILENO, "%s: %s\n", app->output, strerror(errno));
		_exit(NO_PROGRAM);
	}
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	if ((app->user && (setgid(app->user) != 0 || setuid(app->user) != 0)) ||
	    (app->directory && chdir(app->directory) != 0)) {
		dprintf(STDERR_FILENO, "cannot start as user %u in %s: %s\n", app->user,
			app->directory ? app->directory : "/", strerror(errno));
		_exit(NO_PROGRAM);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user has cleared it */
	execve(app->argv[0], app->argv, environment);
	dprintf(STDERR_FILENO, "%s: %s\n", app->argv[0], strerror(errno));
	_exit(NO_PROGRAM);
}

pid_t app_start(const struct app *app)
{
	int how = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (app->append ? 0 : O_TRUNC);
	int log = open(log_of(app), how, 0666);
	pid_t pid;

	if (log < 0)
		bench_fail(log_of(app));
	pid = child_start();
	if (pid == 0)
		become(app, log);
	close(log);
	return pid;
}

/* Whether the kernel killed this process, or with 0 any, for want of memory: words, or "". */
static const char *killed_for_memory(pid_t pid)
{
	static char record[1024];
	char wanted[64];
	ssize_t got;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	snprintf(wanted, sizeof(wanted), pid ? "Killed process %d " : "Killed process ", pid);
	while (fd >= 0 && ((got = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE)) {
		record[got > 0 ? got : 0] = '\0';
		if (strstr(record, wanted)) {
			close(fd);
			return pid ? ", killed by the kernel: out of memory in the guest"
				   : ", and the kernel killed a process: out of memory in the guest";
		}
	}
	if (fd >= 0)
		close(fd);
	return "";
}

static void fail_status(const struct app *app, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		app_fail(app, "died of signal %d%s", WTERMSIG(status), killed_for_memory(pid));
	if (WEXITSTATUS(status) == NO_PROGRAM)
		app_fail(app, "could not be started");
	app_fail(app, "ended with status %d%s", WEXITSTATUS(status), killed_for_memory(0));
}

static uint64_t time_ns(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000ULL + (uint64_t)t->tv_usec * 1000;
}

void app_wait(const struct app *app, pid_t pid, struct app_usage *usage)
{
	struct rusage used;
	int status;

	if (wait4(pid, &status, 0, &used) != pid)
		bench_fail(app->name);
	if (status != 0)
		fail_status(app, pid, status);
	if (usage)
		*usage = (struct app_usage){time_ns(&used.ru_utime), time_ns(&used.ru_stime)};
}

void app_run(const struct app *app, struct app_usage *usage)
{
	app_wait(app, app_start(app), usage);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* Sleeps a little; false once the deadline has passed. */
static bool wait_more(uint64_t deadline_ns)
{
	struct timespec pause = {.tv_nsec = POLL_NS};

	nanosleep(&pause, NULL);
	return now_ns() < deadline_ns;
}

void app_await(const struct app *app, pid_t pid, bool (*ready)(void), unsigned int limit_s)
{
	uint64_t deadline = now_ns() + limit_s * 1000000000ULL;
	int status;

	while (!ready()) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			fail_status(app, pid, status);
		if (!wait_more(deadline))
			app_fail(app, "is not ready after %u s", limit_s);
	}
}

void app_stop(const struct app *app, pid_t pid, int signal_number, unsigned int limit_s)
{
	uint64_t deadline = now_ns() + limit_s * 1000000000ULL;
	int status;
	pid_t done;

	kill(pid, signal_number);
	while ((done = waitpid(pid, &status, WNOHANG)) == 0)
		if (!wait_more(deadline))
			app_fail(app, "does not end %u s after signal %d", limit_s, signal_number);
	if (done == pid && status != 0)
		fail_status(app, pid, status);
}

/*
 * bench_fail() without the error text it ends with: that of bench.c, which is in every program and so
 * in every cell's identity. A child says it into memory, and all but the text is copied from there.
 */
static void fail_with(const char *reason)
{
	static char text[256 * 1024];
	char end[128];
	int memory = memfd_create("fail", 0), status;
	ssize_t size;
	size_t tail;
	pid_t child = fork();

	if (child == 0) {
		dup2(memory, STDOUT_FILENO);
		errno = 0;
		bench_fail(reason);
	}
	waitpid(child, &status, 0);
	size = pread(memory, text, sizeof(text), 0);
	tail = (size_t)snprintf(end, sizeof(end), ": %s\n", strerror(0));
	if (size < (ssize_t)tail)
		bench_fail(reason);
	text[(size_t)size - tail] = '\n';
	for (size_t done = 0, all = (size_t)size - tail + 1; done < all;) {
		ssize_t put = write(STDOUT_FILENO, text + done, all - done);

		if (put <= 0)
			break;
		done += (size_t)put;
	}
	_exit(1);
}

void app_fail_plain(const char *format, ...)
{
	char reason[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	fail_with(reason);
	_exit(1);
}

/*
 * Prints the end of the log, each line named; a line that might pass for a result is left out.
 * Returns the last line that says something.
 */
static const char *last_words(const struct app *app)
{
	static char text[TAIL_SIZE], last[512];
	int fd = open(log_of(app), O_RDONLY | O_CLOEXEC), skip = 0;
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t from = size > TAIL_SIZE - 1 ? size - (TAIL_SIZE - 1) : 0;
	ssize_t got = fd < 0 ? 0 : pread(fd, text, TAIL_SIZE - 1, from);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	snprintf(last, sizeof(last), "it says nothing");
	for (const char *at = text; *at; at++)
		skip += *at == '\n';
	skip -= TAIL_LINES;
	for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n")) {
		if (strstr(line, "@rexen"))
			continue;
		if (skip-- <= 0)
			dprintf(STDOUT_FILENO, "%s: %s\n", app->name, line);
		snprintf(last, sizeof(last), "%s", line);
	}
	return last;
}

void app_fail(const struct app *app, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	app_fail_plain("%s %s: %s", app->name, what, last_words(app));
}
