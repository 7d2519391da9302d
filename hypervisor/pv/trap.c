// SPDX-License-Identifier: MIT
/*
 * What to do with a trap taken while a guest ran, and what remains to be done before going back.
 *
 * Few traps are ours: page-table writes and privileged instructions of the guest kernel that this
 * ABI still emulates. All others are the guest kernel's own business and are bounced.
 */
#include <hv/bounce.h>
#include <hv/domain.h>
#include <hv/emulate.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/processor.h>
#include <hv/pt_emulate.h>
#include <hv/sched.h>
#include <hv/traps.h>
#include <hv/vcpu.h>

#define SYSCALL_LENGTH 2
#define INT_N_LENGTH   2
#define TRAP_DPL_MASK  3
#define ERROR_IDT      2 /* the fault names a gate: `int n` */

static void page_fault(struct regs *regs)
{
	u64 address = read_cr2();
	u64 error = regs->error;

	if (cpu.hot.kernel_mode && (error & (PF_PRESENT | PF_WRITE)) == (PF_PRESENT | PF_WRITE) &&
	    pt_emulate_write(regs, address))
		return;
	bounce_page_fault(regs, address, error);
}

/* Whether `int n` may reach the guest's gate from where it is: its kernel counts as ring 1. */
static bool gate_open(const struct trap_entry *t)
{
	unsigned int ring = cpu.hot.kernel_mode ? 1 : 3;

	return t->address && (t->flags & TRAP_DPL_MASK) >= ring;
}

static void general_protection(struct regs *regs)
{
	unsigned int vector = (regs->error >> 3) & 0xff;

	if ((regs->error & 7) == ERROR_IDT) {
		if (gate_open(&current->traps[vector])) {
			regs->rip += INT_N_LENGTH;
			bounce_trap(regs, vector, 0);
			return;
		}
	} else if (regs->error == 0 && emulate_privileged(regs)) {
		return;
	}
	bounce_trap(regs, TRAP_GP, regs->error);
}

static void device_not_available(struct regs *regs)
{
	current->task_switched = false;
	write_cr0(read_cr0() & ~X86_CR0_TS);
	bounce_trap(regs, TRAP_NM, 0);
}

void trap_from_guest(struct regs *regs)
{
	if (likely(regs->vector == TRAP_PF)) {
		page_fault(regs);
		return;
	}
	switch (regs->vector) {
	case TRAP_GP:
		general_protection(regs);
		break;
	case TRAP_UD:
		if (!emulate_invalid_opcode(regs))
			bounce_trap(regs, TRAP_UD, 0);
		break;
	case TRAP_DB:
		debug_take_status(&current->debug);
		bounce_trap(regs, TRAP_DB, 0);
		break;
	case TRAP_NM:
		device_not_available(regs);
		break;
	case 0x80:
		if (current->traps[0x80].address) {
			bounce_trap(regs, 0x80, 0);
		} else { /* as if our own gate were closed, which would be a fault */
			regs->rip -= INT_N_LENGTH;
			bounce_trap(regs, TRAP_GP, 0x80 * 8 + ERROR_IDT);
		}
		break;
	case TRAP_MC:
		panic("machine check\n");
	default:
		if (regs->vector < IRQ_BASE)
			bounce_trap(regs, (unsigned int)regs->vector, regs->error);
		else
			device_interrupt((unsigned int)regs->vector);
	}
}

/* An application's `syscall`, or one in 32-bit code: the callback for it, or an invalid opcode. */
void syscall_from_guest(struct regs *regs)
{
	const struct callback *to =
	    regs->vector == VECTOR_SYSCALL32 ? &current->syscall32 : &current->syscall;

	if (cpu.hot.kernel_mode || !to->address) {
		regs->rip -= SYSCALL_LENGTH;
		bounce_trap(regs, TRAP_UD, 0);
		return;
	}
	bounce_callback(regs, to);
	regs->rflags &= ~(u64)X86_EFLAGS_DF;
}

/* May call schedule(): returns when this guest may really run. */
void guest_exit_work(struct regs *regs)
{
	for (;;) {
		struct vcpu_info *info = cpu.hot.vcpu_info;

		if (unlikely(current->domain->registers_wanted)) {
			print_regs(regs);
			current->domain->registers_wanted = false;
		}
		if (cpu.exit_work) {
			if (current->iret_due) {
				current->iret_due = false;
				guest_iret_slow(regs);
				continue;
			}
			schedule();
			continue;
		}
		if (!READ_ONCE(info->evtchn_upcall_pending) ||
		    READ_ONCE(info->evtchn_upcall_mask) || !current->event.address)
			return;
		current->domain->nr_events++;
		bounce_callback(regs, &current->event);
	}
}

/* After a double fault of entry.S on the guest kernel's stack; we are on the vCPU's own again. */
void guest_stack_crash(void)
{
	domain_crash(current->domain, "no stack at %016lx for a trap from an application",
		     cpu.hot.kernel_sp);
	guest_exit_work(guest_regs()); /* does not return: the domain is not picked again */
	panic("a crashed domain runs\n");
}
