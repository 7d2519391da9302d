// SPDX-License-Identifier: MIT
/*
 * init.c: the guest's first process, the same binary on every system.
 *
 * One boot does one thing, named by one word of the kernel command line:
 *   rexen.run=<workload>,key=value,...   measure: run /workloads/<workload>/run key=value ...
 *   rexen.host=<program>                 first level of a nested system: start the inner guest
 *   rexen.shell                          a person at the console
 * A second word, rexen.perturb=SEED, moves what is measured to other places (perturb.c).
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

/* Ends the boot of a measurement that cannot begin; `name` is "-" where there is none. */
static void refuse(const char *name, int status, const char *reason)
{
	console_printf("@rexen begin 1 %s\n@rexen fail - %s\n", name, reason);
	end(status, 0);
}

/* Splits NAME,key=value,... in place into an argument vector; its length, 0 without a sane name. */
static int split_arguments(char *text, char *argv[ARGS_MAX + 1])
{
	int argc = 0;

	for (char *arg = strtok(text, ","); arg && argc < ARGS_MAX; arg = strtok(NULL, ","))
		argv[argc++] = arg;
	argv[argc] = NULL;
	return argc > 0 && name_is_sane(argv[0]) ? argc : 0;
}

/* The part that is measured: the kernel is quiet, the console says what runs. */
static void run_program(char *argv[], const struct perturbation *p)
{
	uint64_t samples = 0;
	int status;

	if (p->seed) {
		console_drain();
		perturb_wait_phase(p);
	}
	status = job_run_measured(argv, &samples);
	if (status > 128)
		console_printf("@rexen fail - workload died of signal %d\n", status - 128);
	end(status, samples);
}

/* `seed` is the text of rexen.perturb, NULL for a boot that is not perturbed. */
static void run_workload(const char *word, const char *seed, uint64_t boot_ns)
{
	static char text[CMDLINE_MAX], path[CMDLINE_MAX + 32];
	struct perturbation p = {0};
	char *argv[ARGS_MAX + 1];
	uint64_t quiet_ns;
	pid_t bystander;

	snprintf(text, sizeof(text), "%s", word);
	if (split_arguments(text, argv) == 0) {
		refuse("-", STATUS_NO_WORD, "no workload: want rexen.run=NAME,key=value,...");
		return;
	}
	if (seed && !perturb_parse(seed, &p)) {
		refuse(argv[0], STATUS_BAD_WORD, "bad rexen.perturb: want a whole number from 1");
		return;
	}
	if (seed && !perturb_place(&p)) {
		refuse(argv[0], STATUS_NO_EXEC, "no room for the perturbation's files");
		return;
	}
	bystander = job_start_bystander();
	quiet_ns = guest_wait_quiet();
	if (!job_is_alive(bystander)) {
		refuse(argv[0], STATUS_NO_EXEC, "the idle shell beside the workload has ended");
		return;
	}
	console_printf("@rexen begin 1 %s\n@rexen boot %llu %llu\n", argv[0],
		       (unsigned long long)boot_ns, (unsigned long long)quiet_ns);
	guest_print_facts("@rexen fact");
	if (p.seed)
		perturb_print_fact(&p);
	snprintf(path, sizeof(path), "/workloads/%s/run", argv[0]);
	argv[0] = path;
	if (access(path, X_OK) != 0) {
		console_printf("@rexen fail - no workload of this name in the guest root\n");
		end(STATUS_NO_EXEC, 0);
		return;
	}
	run_program(argv, &p);
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

/* Copies a word's value: the next look at the command line overwrites it. "" if it is not there. */
static const char *keep_word(const char *key, char text[CMDLINE_MAX])
{
	const char *value = cmdline_word(key);

	snprintf(text, CMDLINE_MAX, "%s", value ? value : "");
	return text;
}

int main(void)
{
	static char program[CMDLINE_MAX], run[CMDLINE_MAX];
	uint64_t boot_ns = guest_boottime_ns();

	guest_mount();
	guest_seed_random();
	guest_loopback_up();
	signal(SIGPIPE, SIG_IGN);
	keep_word("rexen.run", run);
	if (*keep_word("rexen.host", program))
		run_host(program, run, boot_ns);
	else if (cmdline_word("rexen.shell")) /* of the inner guest, in a nested system */
		job_run_shell();
	else
		run_workload(run, cmdline_word("rexen.perturb"), boot_ns);
	sync();
	console_drain();
	guest_power_off();
}
