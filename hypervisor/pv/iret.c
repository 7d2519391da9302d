// SPDX-License-Identifier: MIT
/*
 * The iret hypercall where the short path of entry.S does not apply: returns within the guest
 * kernel, returns that leave events masked or have one pending, and everything malformed.
 */
#include <hv/bounce.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/processor.h>
#include <hv/public.h>
#include <hv/traps.h>
#include <hv/vcpu.h>

#define FLAGS_ALLOWED 0x250dd5ull /* arithmetic, TF, DF, RF, AC, ID; IF is forced */

void guest_iret_slow(struct regs *regs)
{
	struct iret_context ctx;

	if (!copy_from_guest(&ctx, vaddr(regs->rsp), sizeof(ctx))) {
		domain_crash(current->domain, "iret with an unreadable frame at %016lx", regs->rsp);
		return;
	}
	if ((ctx.cs & 3) == 3 && !cpu.hot.user_cr3) {
		domain_crash(current->domain, "iret to an application without page tables");
		return;
	}
	regs->rax = ctx.rax;
	regs->r11 = ctx.r11;
	regs->rcx = ctx.rcx;
	regs->rip = ctx.rip;
	regs->cs = (ctx.cs & 0xffff) | 3;
	regs->rflags = (ctx.rflags & FLAGS_ALLOWED) | X86_EFLAGS_IF | X86_EFLAGS_FIXED;
	if (current->architectural_iopl)
		current->iopl = ctx.rflags & X86_EFLAGS_IOPL;
	regs->rsp = ctx.rsp;
	regs->ss = (ctx.ss & 0xffff) | 3;
	cpu.hot.vcpu_info->evtchn_upcall_mask = !(ctx.rflags & X86_EFLAGS_IF);
	if ((ctx.cs & 3) == 3)
		vcpu_enter_user_mode();
}

/* Our iretq refused a selector or an address: the guest's general protection fault. */
void guest_iret_fault(struct regs *regs)
{
	bounce_trap(regs, TRAP_GP, 0);
}

/*
 * Only as an entry of a multicall does iret come here. The exit path carries it out, where all
 * registers of the guest are in their frame. Returns the RAX that it will restore; if the frame
 * cannot be read, guest_iret_slow() will say so.
 */
long do_iret(void)
{
	u64 rax;

	if (!copy_arg_from(&rax, guest_regs()->rsp))
		rax = 0;
	current->iret_due = true;
	cpu.exit_work = 1;
	return (long)rax;
}
