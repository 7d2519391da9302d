// SPDX-License-Identifier: MIT
/*
 * Init of a stock guest that does what debuggers and old drivers do: a child under ptrace stops at
 * hardware breakpoints on data and on an instruction; ports fault, until ioperm or iopl opens them.
 * Prints RESULT SUCCESS if all went as it should, and powers off.
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEBUGREG(n) offsetof(struct user, u_debugreg[n])
/* Breakpoint 0 on a write of 8 bytes, breakpoint 1 on an instruction. */
#define CONTROL (1ul << 0 | 1ul << 2 | 1ul << 16 | 2ul << 18)
#define HIT(n)	(1ul << (n))

static volatile long watched, unwatched;
static unsigned int failures;

static void check(int ok, const char *what)
{
	if (ok)
		return;
	failures++;
	printf("failed: %s\n", what);
}

static __attribute__((noinline)) void target(void)
{
	unwatched++;
}

static void debuggee(void)
{
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	for (int i = 0; i < 3; i++) {
		watched = i;
		unwatched = i;
	}
	target();
	_exit(7);
}

static void expect_stop(pid_t child, unsigned long hit)
{
	int status;

	ptrace(PTRACE_CONT, child, 0, 0);
	waitpid(child, &status, 0);
	check(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP, "stopped at a breakpoint");
	check((ptrace(PTRACE_PEEKUSER, child, DEBUGREG(6), 0) & 0xf) == (long)hit, "which one");
}

static void breakpoints(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		debuggee();
	waitpid(child, &status, 0);
	check(!ptrace(PTRACE_POKEUSER, child, DEBUGREG(0), &watched), "address of data");
	check(!ptrace(PTRACE_POKEUSER, child, DEBUGREG(1), target), "address of an instruction");
	check(!ptrace(PTRACE_POKEUSER, child, DEBUGREG(7), CONTROL), "control");
	for (int i = 0; i < 3; i++)
		expect_stop(child, HIT(0));
	expect_stop(child, HIT(1));
	ptrace(PTRACE_CONT, child, 0, 0);
	waitpid(child, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "ran to its end");
}

/* Whether a child that may use ports as allow() says can read this one, on an empty bus. */
static int can_read(int (*allow)(void), unsigned short port)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(allow() ? 2 : inb(port) != 0xff);
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int nothing(void)
{
	return 0;
}

static int one_port(void)
{
	return ioperm(0x80, 1, 1);
}

static int all_ports(void)
{
	return iopl(3);
}

int main(void)
{
	int console;

	mkdir("/dev", 0755);
	mount("dev", "/dev", "devtmpfs", 0, "");
	console = open("/dev/console", O_RDWR);
	dup2(console, STDOUT_FILENO);
	setvbuf(stdout, NULL, _IONBF, 0);
	breakpoints();
	check(!can_read(nothing, 0x80), "closed at first");
	check(can_read(one_port, 0x80), "opened by ioperm");
	check(!can_read(one_port, 0x81), "its neighbour is not");
	check(can_read(all_ports, 0x378), "opened by iopl");
	printf("RESULT %s\n", failures ? "FAILURE" : "SUCCESS");
	reboot(RB_POWER_OFF);
	return EXIT_FAILURE;
}
