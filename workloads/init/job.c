// SPDX-License-Identifier: MIT
/*
 * job.c: the console, and the one program a boot runs.
 *
 * A measured program writes into a pipe that init copies to the console, counting sample lines.
 * The console is slow (a serial byte costs about 71 ns of virtual time), so workloads print only
 * when all timing is over; a pipe keeps even that from ending in a half-printed line.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MARK	    "@rexen "
#define SAMPLE_WORD MARK "sample "

/* Where the copy of the program's output stands: enough to count lines, nothing is kept. */
struct copy_state {
	size_t matched; /* characters of SAMPLE_WORD seen */
	bool decided;	/* what this line is, is known already */
	bool at_start;	/* the last byte copied was a newline */
	uint64_t samples;
};

static void write_all(const char *data, size_t size)
{
	while (size > 0) {
		ssize_t put = write(STDOUT_FILENO, data, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return; /* a lost console cannot be reported anywhere */
		data += put;
		size -= (size_t)put;
	}
}

void console_printf(const char *format, ...)
{
	char text[2048];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length > 0)
		write_all(text, strlen(text));
}

/* Nothing may still trickle out of the UART, interrupt by interrupt, while a workload runs. */
void console_drain(void)
{
	tcdrain(STDOUT_FILENO);
}

/* The first mark of a line makes it a result line, whatever stands before it. */
static void copy_count(struct copy_state *state, const char *data, size_t size)
{
	static const char word[] = SAMPLE_WORD;

	for (size_t i = 0; i < size; i++) {
		state->at_start = data[i] == '\n';
		if (state->at_start) {
			state->matched = 0;
			state->decided = false;
		} else if (state->decided) {
			continue;
		} else if (data[i] == word[state->matched]) {
			if (!word[++state->matched]) {
				state->samples++;
				state->decided = true;
			}
		} else if (state->matched >= strlen(MARK)) {
			state->decided = true;
		} else {
			state->matched = data[i] == word[0];
		}
	}
}

/* Returns false at end of file or when a non-blocking pipe is empty. */
static bool copy_some(int fd, struct copy_state *state)
{
	char data[4096];
	ssize_t got = read(fd, data, sizeof(data));

	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0)
		return false;
	copy_count(state, data, (size_t)got);
	write_all(data, (size_t)got);
	return true;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* As process 1 init inherits orphans too: they are reaped and forgotten. */
static bool reap(pid_t child, int *status, int flags)
{
	int raw;
	pid_t pid;

	while ((pid = waitpid(-1, &raw, flags)) > 0) {
		if (pid == child) {
			*status = exit_status(raw);
			return true;
		}
	}
	return false;
}

static void on_child(int signal_number)
{
	(void)signal_number;
}

/* The child's side of fork: signals as any program expects them, then the program. */
static void start_program(char *const argv[], int in, int out)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	if (in > STDERR_FILENO) {
		dup2(in, STDIN_FILENO);
		close(in);
	}
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execv(argv[0], argv);
	dprintf(STDERR_FILENO, "@rexen fail - cannot start %s: %s\n", argv[0], strerror(errno));
	_exit(STATUS_NO_EXEC);
}

/*
 * Starts a shell that waits for a line from us that never comes, so that a process which maps the C
 * library is alive, as on any living system: where none is, exec costs 9 % more natively. It sleeps
 * in read() by the time the kernel is quiet. Returns its pid, or -1.
 */
pid_t job_start_bystander(void)
{
	static int ends[2]; /* the write end stays open, here alone */
	char *argv[] = {"/bin/sh", "-c", "read -r line", NULL};
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	child = fork();
	if (child == 0)
		start_program(argv, ends[0], STDOUT_FILENO);
	close(ends[0]);
	return child;
}

/* True while the process has not ended. */
bool job_is_alive(pid_t pid)
{
	return pid > 0 && waitpid(pid, NULL, WNOHANG) == 0;
}

/*
 * Runs argv[0] and forwards its output; returns its exit status, 128 + n if signal n ended it.
 * The end is the program's own: a child it left behind may hold the pipe open for ever.
 */
int job_run_measured(char *const argv[], uint64_t *samples)
{
	struct copy_state state = {.at_start = true};
	struct sigaction action = {.sa_handler = on_child};
	sigset_t child_mask, wait_mask;
	int ends[2], status = STATUS_NO_EXEC;
	pid_t child;

	sigemptyset(&child_mask);
	sigaddset(&child_mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child_mask, &wait_mask);
	sigaction(SIGCHLD, &action, NULL);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return status;
	console_drain();
	child = fork();
	if (child == 0)
		start_program(argv, open("/dev/null", O_RDONLY), ends[1]);
	close(ends[1]);
	while (child > 0) {
		struct pollfd want = {.fd = ends[0], .events = POLLIN};

		if (reap(child, &status, WNOHANG))
			break;
		if (ppoll(&want, 1, NULL, &wait_mask) > 0 && !copy_some(ends[0], &state)) {
			reap(child, &status, 0);
			break;
		}
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while (copy_some(ends[0], &state))
		;
	close(ends[0]);
	if (!state.at_start)
		console_printf("\n");
	*samples = state.samples;
	return status;
}

/* Runs argv[0] on the console; only a person's program may read from it. */
int job_run_plain(char *const argv[], bool interactive)
{
	int status = STATUS_NO_EXEC;
	pid_t child = fork();

	if (child == 0)
		start_program(argv, interactive ? STDIN_FILENO : open("/dev/null", O_RDONLY),
			      STDOUT_FILENO);
	if (child > 0)
		reap(child, &status, 0);
	return status;
}

int job_run_shell(void)
{
	char *argv[] = {"-sh", NULL};
	char *environment[] = {"PATH=/bin:/sbin", "HOME=/", "TERM=vt100", "PS1=guest# ", NULL};
	int status = STATUS_NO_EXEC;
	pid_t child = fork();

	if (child == 0) {
		setsid();
		ioctl(STDIN_FILENO, TIOCSCTTY, 1);
		signal(SIGPIPE, SIG_DFL);
		execve("/bin/sh", argv, environment);
		_exit(STATUS_NO_EXEC);
	}
	if (child > 0)
		reap(child, &status, 0);
	return status;
}
