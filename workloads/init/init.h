/* SPDX-License-Identifier: MIT */
/*
 * init.h: what the files of the guest's first process share.
 *
 * init.c is the order of events, guest.c knows the machine (mounts, facts, quiet, power),
 * job.c runs one program and forwards what it prints, perturb.c moves it to other places.
 */
#ifndef WORKLOADS_INIT_INIT_H
#define WORKLOADS_INIT_INIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	STATUS_BAD_WORD = 2,  /* as a program that refuses a parameter */
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

/* perturb.c; the fields are what a seed stands for. */
struct perturbation {
	uint64_t seed; /* 0: this boot is not perturbed */
	uint32_t pages, phase_ns, environment;
};

bool perturb_parse(const char *text, struct perturbation *p);
bool perturb_place(const struct perturbation *p);
void perturb_wait_phase(const struct perturbation *p);
void perturb_print_fact(const struct perturbation *p);

/* job.c */
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void console_drain(void);
pid_t job_start_bystander(void);
bool job_is_alive(pid_t pid);
int job_run_measured(char *const argv[], uint64_t *samples);
int job_run_plain(char *const argv[], bool interactive);
int job_run_shell(void);

#endif
