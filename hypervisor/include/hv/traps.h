/* SPDX-License-Identifier: MIT */
/* The saved registers, and the doors between entry.S and C. */
#ifndef HV_TRAPS_H
#define HV_TRAPS_H

#include <hv/types.h>

/* As entry.S pushes them; the last five are the processor's own frame. */
struct regs {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	u64 rax, rcx, rdx, rsi, rdi;
	u64 vector; /* or VECTOR_HYPERCALL, VECTOR_SYSCALL, VECTOR_SYSCALL32 */
	u64 error;
	u64 rip, cs, rflags, rsp, ss;
};

#define VECTOR_HYPERCALL 0x100
#define VECTOR_SYSCALL	 0x101
#define VECTOR_SYSCALL32 0x102

#define IRQ_BASE	0x20 /* sixteen vectors of the old interrupt controllers */
#define VECTOR_DEVICE	0x30 /* and up: interrupts that devices send as messages */
#define VECTOR_TIMER	0xf0
#define VECTOR_SPURIOUS 0xff

/* How the machine ends: what is written to the debug-exit port (QEMU's status is 2 * it + 1). */
#define EXIT_CLEAN	  0x10 /* every domain powered off */
#define EXIT_GUEST_FAILED 0x11 /* a domain crashed or asked for a reboot */
#define EXIT_REFUSED	  0x12 /* bad input: no guest was started */
#define EXIT_DEATH	  0x20 /* the hypervisor died */

/* Ends the machine; never returns. */
void machine_exit(unsigned int code) __noreturn;

void print_regs(const struct regs *regs);

/* From entry.S: a trap taken while we ran ourselves. Returns if execution can go on. */
void trap_from_hypervisor(struct regs *regs);

/*
 * From entry.S: a double fault. Returns true if it was a guest kernel stack that could not take
 * the frame of an application's system call; dies otherwise.
 */
bool double_fault_is_guests(struct regs *regs);

/* Hooks that higher layers define. */
void trap_from_guest(struct regs *regs);    /* pv/trap.c */
void syscall_from_guest(struct regs *regs); /* pv/trap.c: no short path for it */
void guest_iret_slow(struct regs *regs);    /* pv/iret.c: iret that the short path left alone */
void guest_iret_fault(struct regs *regs);   /* pv/iret.c: our iretq refused the guest's frame */
void guest_exit_work(struct regs *regs);    /* pv/trap.c: events, rescheduling */
void guest_stack_crash(void);		    /* pv/trap.c: after double_fault_is_guests() */
void device_interrupt(unsigned int vector); /* dev/lapic.c */

#endif
