// SPDX-License-Identifier: MIT
/*
 * lmbench-process: system calls, signals and process creation, the rows of the paper's Table 3.
 *
 * Written to the published definitions of lmbench 3 (lat_syscall, lat_select, lat_sig, lat_proc).
 * null_io is the mean of a one-byte read of /dev/zero and a one-byte write to /dev/null, as
 * lmbench's summary prints it; exec and sh contain the fork. The forked child ends by the system
 * call alone: what the C library does at exit is not the system's work.
 */
#include "bench.h"
#include "child.h"
#include "scratch.h"
#include "signals.h"
#include "tcp.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SELECT_FDS 100

static char stat_path[256];

static void null_call(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	bench_start(t);
	for (uint64_t i = 0; i < n; i++)
		getppid();
	bench_stop(t, n);
}

static void null_io(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	char byte = 0;

	(void)row;
	if (zero < 0 || null < 0)
		bench_fail("open /dev/zero and /dev/null");
	bench_start(t);
	for (uint64_t i = 0; i < n; i++)
		if (read(zero, &byte, 1) != 1)
			bench_fail("read /dev/zero");
	bench_stop(t, n);
	bench_start(t);
	for (uint64_t i = 0; i < n; i++)
		if (write(null, &byte, 1) != 1)
			bench_fail("write /dev/null");
	bench_stop(t, n);
	close(zero);
	close(null);
}

static void make_stat_file(const struct bench_row *row)
{
	(void)row;
	snprintf(stat_path, sizeof(stat_path), "%s", scratch_file("lmbench", 0));
}

static void stat_file(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	struct stat status;

	(void)row;
	bench_start(t);
	for (uint64_t i = 0; i < n; i++)
		if (stat(stat_path, &status) != 0)
			bench_fail("stat");
	bench_stop(t, n);
}

static void open_close(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	bench_start(t);
	for (uint64_t i = 0; i < n; i++) {
		int fd = open(stat_path, O_RDONLY);

		if (fd < 0)
			bench_fail("open");
		close(fd);
	}
	bench_stop(t, n);
}

static void remove_stat_file(const struct bench_row *row)
{
	(void)row;
	unlink(stat_path);
}

static pid_t select_peer;
static int select_fds[SELECT_FDS];
static int select_highest;
static fd_set select_set;

/* One connection, 100 descriptors of it. The peer holds its end open and sends nothing. */
static void select_begin(const struct bench_row *row)
{
	uint16_t port;
	int listener = tcp_listen(&port, 0), fd;

	(void)row;
	select_peer = child_start();
	if (select_peer == 0) {
		char byte;

		fd = tcp_accept(listener);
		_exit(read(fd, &byte, 1) == 1);
	}
	fd = tcp_connect(port, 0);
	close(listener);
	FD_ZERO(&select_set);
	select_highest = 0;
	for (int i = 0; i < SELECT_FDS; i++) {
		select_fds[i] = dup(fd);
		if (select_fds[i] < 0)
			bench_fail("dup");
		FD_SET(select_fds[i], &select_set);
		if (select_fds[i] > select_highest)
			select_highest = select_fds[i];
	}
	close(fd);
}

/* lmbench asks for writability, so that the call finds every descriptor ready and never sleeps. */
static void select_tcp(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	struct timeval none = {0};

	(void)row;
	bench_start(t);
	for (uint64_t i = 0; i < n; i++) {
		fd_set set = select_set;

		if (select(select_highest + 1, NULL, &set, NULL, &none) != SELECT_FDS)
			bench_fail("select");
	}
	bench_stop(t, n);
}

static void select_finish(const struct bench_row *row)
{
	(void)row;
	for (int i = 0; i < SELECT_FDS; i++)
		close(select_fds[i]);
	child_stop(select_peer);
}

static void sig_install(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	bench_start(t);
	for (uint64_t i = 0; i < n; i++)
		signals_install();
	bench_stop(t, n);
}

static void sig_handle(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	signals_time_catch(n, t);
}

enum { START_NOTHING, START_HELLO, START_SHELL };

static char hello_path[512];

/* hello lies beside this program, wherever that is. */
static void find_hello(const struct bench_row *row)
{
	ssize_t length = readlink("/proc/self/exe", hello_path, sizeof(hello_path) - 8);
	char *slash;

	(void)row;
	hello_path[length > 0 ? length : 0] = '\0';
	slash = strrchr(hello_path, '/');
	if (!slash)
		bench_fail("/proc/self/exe");
	strcpy(slash, "/hello");
	if (access(hello_path, X_OK) != 0)
		bench_fail(hello_path);
	signal(SIGCHLD, SIG_DFL);
}

static void run_child(long what)
{
	char *hello_argv[] = {hello_path, NULL};
	char *shell_argv[] = {"sh", "-c", hello_path, NULL};

	if (what == START_HELLO) {
		close(STDOUT_FILENO);
		execve(hello_path, hello_argv, environ);
	} else if (what == START_SHELL) {
		close(STDOUT_FILENO);
		execve("/bin/sh", shell_argv, environ);
	}
	_exit(1);
}

static void create_process(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	int expected = row->arg[0] == START_NOTHING ? 1 : 0;

	bench_start(t);
	for (uint64_t i = 0; i < n; i++) {
		pid_t child = fork();
		int status;

		if (child < 0)
			bench_fail("fork");
		if (child == 0)
			run_child(row->arg[0]);
		if (waitpid(child, &status, 0) != child || status != expected << 8)
			bench_fail("child process");
	}
	bench_stop(t, n);
}

static const struct bench_row rows[] = {
    {{"null_call"}, 90000, 100, null_call, NULL, NULL, {0}},
    {{"null_io"}, 30000, 100, null_io, NULL, NULL, {0}},
    {{"stat"}, 10000, 50, stat_file, make_stat_file, NULL, {0}},
    {{"open_close"}, 8000, 50, open_close, NULL, remove_stat_file, {0}},
    {{"select_tcp"}, 2000, 20, select_tcp, select_begin, select_finish, {0}},
    {{"sig_install"}, 60000, 100, sig_install, NULL, NULL, {0}},
    {{"sig_handle"}, 16000, 100, sig_handle, NULL, NULL, {0}},
    {{"fork"}, 160, 4, create_process, find_hello, NULL, {START_NOTHING}},
    {{"exec"}, 40, 2, create_process, find_hello, NULL, {START_HELLO}},
    {{"sh"}, 20, 2, create_process, find_hello, NULL, {START_SHELL}},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
