/* SPDX-License-Identifier: MIT */
/* The one virtual processor of a domain. */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <hv/debug.h>
#include <hv/fpu.h>
#include <hv/percpu.h>
#include <hv/public.h>
#include <hv/traps.h>
#include <hv/types.h>
#include <xen/vcpu.h>

struct domain;

struct trap_entry {
	u64 address;
	u32 flags; /* of trap_info: DPL, and bit 2 masks events */
};

struct callback {
	u64 address; /* 0: none */
	bool masks_events;
};

#define GUEST_GDT_PAGES 14

struct vcpu {
	struct domain *domain; /* NULL: the idle one */
	struct vcpu_info *vcpu_info;

	/* While it is not loaded into the processor: */
	struct guest_hot saved_hot;
	u64 saved_rsp;
	u64 fs_base, gs_base, gs_base_inactive;
	u16 ds, es, fs, gs;
	struct fpu_state fpu;

	u64 stack_top;
	u64 gdt_va; /* its descriptor table in its per-domain area */

	struct trap_entry *traps; /* 256 of them, a page */
	struct callback event, failsafe, syscall, syscall32;
	bool short_syscalls; /* see descriptors_set_short_syscalls() */
	mfn_t gdt_frame[GUEST_GDT_PAGES];
	unsigned int nr_gdt_frames;
	mfn_t info_frame;   /* registered vcpu_info, or MFN_INVALID */
	bool task_switched; /* fpu_taskswitch(1): CR0.TS is set */
	struct debug_state debug;
	u64 iopl;		 /* virtual, at its place in the flags; see pv/ioport.c */
	bool architectural_iopl; /* the assist of that name */
	vaddr_t iobitmap;
	u32 iobitmap_ports; /* 0: no bitmap */
	u64 ldt_entries;    /* 0: no local descriptor table */

	struct multicall_entry *mc_entry; /* being carried out by do_multicall() */
	bool mc_continued;		  /* and to be made again */
	bool iret_due;			  /* the last one was iret; with cpu.exit_work */

	/* Scheduling */
	bool runnable;
	u64 timer_deadline; /* ns, 0 = none */
	struct vcpu *next;  /* run queue */
	bool queued;
	struct vcpu_runstate_info runstate;
	vaddr_t runstate_area; /* 0 = none */
};

/* The registers of the guest that entered the hypervisor last; valid for the running vCPU only. */
static inline struct regs *guest_regs(void)
{
	return (struct regs *)cpu.stack_top - 1;
}

/* Gives v stack, descriptor area and trap table. Returns -ENOMEM. */
__must_check int vcpu_init(struct vcpu *v);

/* Frees them. Precondition: v is not loaded. */
void vcpu_release(struct vcpu *v);

/* Puts a guest frame (MFN_INVALID: an empty page) at page i of v's descriptor table. */
void vcpu_map_gdt_page(struct vcpu *v, unsigned int i, mfn_t m);

/* Where v's local descriptor table is mapped, and loading it (v->ldt_entries of it) if v is loaded.
 */
u64 vcpu_ldt_va(const struct vcpu *v);
void vcpu_load_ldt(struct vcpu *v);

/* The state with which a new vCPU first leaves to its guest; copied onto its stack. */
void vcpu_set_entry(struct vcpu *v, const struct regs *regs);

/*
 * Makes v the loaded vCPU: segments, descriptor table, FPU, page tables, system-call state. The
 * previously loaded one is saved. v may be the loaded one already: then nothing happens.
 */
void vcpu_load(struct vcpu *v);

/* Saves the loaded vCPU if it is v, and leaves its page tables and descriptor table. */
void vcpu_unload(struct vcpu *v);

/* Switches between application and guest kernel mode: page tables and GS bases. */
void vcpu_enter_kernel_mode(void);
void vcpu_enter_user_mode(void);

/* Brings runstate accounting to time now and state; copies it to the guest if v is loaded. */
void vcpu_set_runstate(struct vcpu *v, int state, u64 now);
void vcpu_publish_runstate(struct vcpu *v);

#endif
