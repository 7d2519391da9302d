// SPDX-License-Identifier: MIT
/*
 * init.c: the guest's first process, the same binary on every system.
 *
 * One boot does one thing, named by one word of the kernel command line:
 *   rexen.run=<workload>,key=value,...   measure: run /workloads/<workload>/run key=value ...
 *   rexen.host=<program>                 first level of a nested system: start the inner guest
 *   rexen.shell                          a person at the console
 * It ends with power off, whatever happened. What it prints is described in workloads/README.md.
 * Nothing here runs while a workload measures: init sleeps until the workload prints or ends.
 */
#include "init.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CMDLINE_MAX 4096
#define ARGS_MAX    64

/* Returns the value of `key=value`, "" for a bare `key`, NULL if the word is not there. */
static const char *cmdline_word(const char *key)
{
	static char line[CMDLINE_MAX];
	size_t length = strlen(key);
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return NULL;
	line[got] = '\0';
	for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
		if (strncmp(word, key, length) != 0)
			continue;
		if (word[length] == '=')
			return word + length + 1;
		if (word[length] == '\0')
			return "";
	}
	return NULL;
}

/* A name is one path component: it cannot leave /workloads. */
static bool name_is_sane(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

static void end(int status, uint64_t samples)
{
	console_printf("@rexen end %d %llu\n", status, (unsigned long long)samples);
}

static void run_workload(const char *word, uint64_t boot_ns)
{
	static char text[CMDLINE_MAX], path[CMDLINE_MAX + 32];
	char *argv[ARGS_MAX + 1];
	uint64_t quiet_ns, samples = 0;
	int argc = 0, status;

	snprintf(text, sizeof(text), "%s", word ? word : "");
	for (char *arg = strtok(text, ","); arg && argc < ARGS_MAX; arg = strtok(NULL, ","))
		argv[argc++] = arg;
	argv[argc] = NULL;
	if (argc == 0 || !name_is_sane(argv[0])) {
		console_printf("@rexen begin 1 -\n"
			       "@rexen fail - no workload: want rexen.run=NAME,key=value,...\n");
		end(STATUS_NO_WORD, 0);
		return;
	}
	snprintf(path, sizeof(path), "/workloads/%s/run", argv[0]);
	quiet_ns = guest_wait_quiet();
	console_printf("@rexen begin 1 %s\n@rexen boot %llu %llu\n", argv[0],
		       (unsigned long long)boot_ns, (unsigned long long)quiet_ns);
	guest_print_facts("@rexen fact");
	argv[0] = path;
	if (access(path, X_OK) != 0) {
		console_printf("@rexen fail - no workload of this name in the guest root\n");
		end(STATUS_NO_EXEC, 0);
		return;
	}
	status = job_run_measured(argv, &samples);
	if (status > 128)
		console_printf("@rexen fail - workload died of signal %d\n", status - 128);
	end(status, samples);
}

/*
 * The program finds rexen.run= in /proc/cmdline; it is its first argument as well. It writes to
 * the console itself: the lines of the inner guest's own init pass through it untouched. The first
 * level settles too, or its change of clock source would fall into the inner guest's measurement.
 */
static void run_host(const char *program, const char *word, uint64_t boot_ns)
{
	char *argv[] = {(char *)program, *word ? (char *)word : NULL, NULL};
	uint64_t quiet_ns = guest_wait_quiet();
	int status;

	console_printf("@rexen host boot %llu %llu\n", (unsigned long long)boot_ns,
		       (unsigned long long)quiet_ns);
	guest_print_facts("@rexen host fact");
	status = job_run_plain(argv, cmdline_word("rexen.shell") != NULL);
	console_printf("@rexen host end %d\n", status);
}

int main(void)
{
	static char program[CMDLINE_MAX], run[CMDLINE_MAX];
	const char *value;
	uint64_t boot_ns = guest_boottime_ns();

	guest_mount();
	guest_seed_random();
	guest_loopback_up();
	signal(SIGPIPE, SIG_IGN);
	value = cmdline_word("rexen.run");
	snprintf(run, sizeof(run), "%s", value ? value : "");
	value = cmdline_word("rexen.host");
	snprintf(program, sizeof(program), "%s", value ? value : "");
	if (*program)
		run_host(program, run, boot_ns);
	else if (cmdline_word("rexen.shell")) /* of the inner guest, in a nested system */
		job_run_shell();
	else
		run_workload(run, boot_ns);
	sync();
	console_drain();
	guest_power_off();
}
