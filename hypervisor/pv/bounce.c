// SPDX-License-Identifier: MIT
/*
 * Bounce frames.
 *
 * The guest kernel's handler finds on its stack, from low to high: rcx, r11, an error code for the
 * vectors that have one, and what the processor would push: rip, cs, rflags, rsp, ss. The cs word
 * also carries the previous event mask in bits 32..39, and tells by its ring whether an application
 * was interrupted. From an application the stack is the one of stack_switch, else the current one.
 */
#include <hv/bounce.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/percpu.h>
#include <hv/processor.h>
#include <hv/public.h>

#define FLAGS_CLEARED                                                                              \
	(X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_VM)
#define HAS_ERROR                                                                                  \
	(1u << TRAP_DF | 1u << TRAP_TS | 1u << TRAP_NP | 1u << TRAP_SS | 1u << TRAP_GP |           \
	 1u << TRAP_PF | 1u << TRAP_AC | 1u << TRAP_CP)
#define TRAP_MASKS_EVENTS 4

/* Pushes the frame and points regs at the handler. Crashes the domain if its stack refuses. */
static void deliver(struct regs *regs, u64 handler, bool masks_events, bool has_error, u64 error)
{
	struct vcpu_info *info = cpu.hot.vcpu_info;
	bool kernel = cpu.hot.kernel_mode;
	u64 mask = READ_ONCE(info->evtchn_upcall_mask) & 1;
	u64 frame[8];
	u64 *f = frame;
	u64 sp = regs->rsp;

	*f++ = regs->rcx;
	*f++ = regs->r11;
	if (has_error)
		*f++ = error;
	*f++ = regs->rip;
	*f++ = (kernel ? regs->cs & 0xfffc : regs->cs & 0xffff) | mask << 32;
	*f = (regs->rflags & ~(X86_EFLAGS_IF | X86_EFLAGS_IOPL)) | (mask ? 0 : X86_EFLAGS_IF);
	*f++ |= current->architectural_iopl ? current->iopl : 0;
	*f++ = regs->rsp;
	*f++ = regs->ss;
	if (!kernel) {
		vcpu_enter_kernel_mode();
		sp = cpu.hot.kernel_sp;
	}
	sp = (sp & ~15ull) - (u64)((u8 *)f - (u8 *)frame);
	if (unlikely(!copy_to_guest(vaddr(sp), frame, (u64)((u8 *)f - (u8 *)frame)))) {
		domain_crash(current->domain, "no stack at %016lx for a trap at %016lx", sp,
			     regs->rip);
		return;
	}
	regs->rip = handler;
	regs->cs = FLAT_KERNEL_CS;
	regs->rsp = sp;
	regs->ss = FLAT_KERNEL_SS;
	regs->rflags = (regs->rflags & ~FLAGS_CLEARED) | X86_EFLAGS_IF;
	if (masks_events)
		info->evtchn_upcall_mask = 1;
}

void bounce_trap(struct regs *regs, unsigned int vector, u64 error)
{
	const struct trap_entry *t = &current->traps[vector & 0xff];
	bool has_error = vector < 32 && (HAS_ERROR >> vector & 1);

	if (unlikely(!t->address)) {
		domain_crash(current->domain, "exception %u (error %lx) without a handler", vector,
			     error);
		return;
	}
	deliver(regs, t->address, t->flags & TRAP_MASKS_EVENTS, has_error, error);
}

void bounce_callback(struct regs *regs, const struct callback *to)
{
	deliver(regs, to->address, to->masks_events, false, 0);
}

void bounce_page_fault(struct regs *regs, u64 address, u64 error)
{
	/* Both modes are ring 3; only the guest's own user mode counts as one. */
	if (cpu.hot.kernel_mode)
		error &= ~(u64)PF_USER;
	cpu.hot.vcpu_info->arch.cr2 = address;
	bounce_trap(regs, TRAP_PF, error);
}
