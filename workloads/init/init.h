/* SPDX-License-Identifier: MIT */
/*
 * init.h: what the files of the guest's first process share.
 *
 * init.c is the order of events, guest.c knows the machine (mounts, facts, quiet, power),
 * job.c runs one program and forwards what it prints.
 */
#ifndef WORKLOADS_INIT_INIT_H
#define WORKLOADS_INIT_INIT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	STATUS_NO_EXEC = 127, /* as a shell reports a program that cannot be started */
	STATUS_NO_WORD = 125, /* the kernel command line names nothing to run */
};

/* guest.c */
void guest_mount(void);
void guest_seed_random(void);
void guest_loopback_up(void);
uint64_t guest_wait_quiet(void);
uint64_t guest_boottime_ns(void);
void guest_print_facts(const char *prefix);
void guest_power_off(void) __attribute__((noreturn));

/* job.c */
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_drain(void);
int job_run_measured(char *const argv[], uint64_t *samples);
int job_run_plain(char *const argv[], bool interactive);
int job_run_shell(void);

#endif
