/* SPDX-License-Identifier: MIT */
/* What the one processor is doing: read by entry.S without a base register. */
#ifndef HV_PERCPU_H
#define HV_PERCPU_H

#include <hv/types.h>

struct vcpu;
struct vcpu_info;

/*
 * The part of the running vCPU that the shortest paths touch. It lives in struct cpu while the
 * vCPU runs and in struct vcpu while it does not; domain/sched.c moves it.
 */
struct guest_hot {
	u64 kernel_mode;	     /* 1: guest kernel, 0: guest application */
	u64 kernel_cr3;		     /* page tables for guest kernel mode */
	u64 user_cr3;		     /* for application mode; 0 = none */
	u64 kernel_sp;		     /* stack for traps from applications, aligned to 16 */
	u64 syscall_entry;	     /* where `syscall` of an application goes */
	u64 page_fault_entry;	     /* where page faults of applications go; 0: by way of C */
	struct vcpu_info *vcpu_info; /* through our direct map, always writable */
};

struct cpu {
	struct guest_hot hot;
	u64 scratch_rsp; /* the guest's rsp during the first instructions of an entry */
	u64 stack_top;	 /* of the running vCPU's hypervisor stack */
	u64 exit_work;	 /* nonzero: call guest_exit_work() before returning to a guest */
	struct vcpu *running;
	u64 syscall_path; /* entry_syscall or entry_syscall_careful: what LSTAR leads to */
	/* Entries on the paths that never reach C, counted only with option stats. */
	u64 nr_syscall, nr_iret, nr_page_fault;
};

extern struct cpu cpu;

/* The running vCPU; the idle one while no guest runs. */
#define current (cpu.running)

#endif
