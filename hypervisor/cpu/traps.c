// SPDX-License-Identifier: MIT
/*
 * Traps taken by the hypervisor itself, and how it dies.
 *
 * A fault of ours is expected only at an instruction listed in the exception table (guest memory,
 * guest selectors, our last iretq). Anything else is our bug: registers, the reason and the return
 * addresses found on the stack are printed, and the machine ends with EXIT_DEATH.
 */
#include <hv/traps.h>
#include <hv/extable.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/processor.h>
#include <hv/public.h>
#include <hv/string.h>

extern char text_start[], text_end[];
/* Where entry.S pushes to the guest kernel's stack. */
extern char syscall_bounce_push[], syscall_bounce_pushed[];
extern char page_fault_push[], page_fault_pushed[];

#define EXIT_PORT	0xf4
#define PM1A_CONTROL	0x604 /* of QEMU's PIIX4; sleep type 0 is soft off */
#define PM_SLEEP_ENABLE 0x2000

void machine_exit(unsigned int code)
{
	outl(EXIT_PORT, code);
	outw(PM1A_CONTROL, PM_SLEEP_ENABLE);
	for (;;)
		asm volatile("cli; hlt");
}

void print_regs(const struct regs *r)
{
	print_error("rip %04lx:%016lx rflags %08lx rsp %04lx:%016lx\n", r->cs, r->rip, r->rflags,
		    r->ss, r->rsp);
	print_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx,
		    r->rdx);
	print_error("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", r->rsi, r->rdi, r->rbp, r->r8);
	print_error("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", r->r9, r->r10, r->r11, r->r12);
	print_error("r13 %016lx r14 %016lx r15 %016lx\n", r->r13, r->r14, r->r15);
}

/* Frames have no links to follow: every word that looks like one of our addresses is shown. */
static void print_stack_trace(u64 sp)
{
	unsigned int shown = 0;

	for (u64 *p = (u64 *)(sp & ~7ull); ((u64)p & ~PAGE_MASK) && shown < 24; p++) {
		if (*p >= (u64)text_start && *p < (u64)text_end) {
			print_error("  called from %016lx\n", *p);
			shown++;
		}
	}
}

void machine_die(void)
{
	u64 sp;

	asm volatile("mov %%rsp, %0" : "=r"(sp));
	print_stack_trace(sp);
	print_error("dead\n");
	machine_exit(EXIT_DEATH);
}

static void __noreturn die(const struct regs *regs, const char *why)
{
	log_level = MAX(log_level, LOG_ERROR);
	print_error("hypervisor died: %s, vector %lu error %lx cr2 %016lx cr3 %016lx\n", why,
		    regs->vector, regs->error, read_cr2(), read_cr3());
	print_regs(regs);
	print_stack_trace(regs->rsp);
	print_error("dead\n");
	machine_exit(EXIT_DEATH);
}

void trap_from_hypervisor(struct regs *regs)
{
	u64 fixup;

	if (regs->vector >= IRQ_BASE) {
		device_interrupt((unsigned int)regs->vector);
		return;
	}
	if (regs->vector == TRAP_DB) { /* a guest's breakpoint on data that we touch for it */
		write_dr6(DR6_RESET);
		return;
	}
	if (regs->vector == TRAP_NMI) /* there is no source of any */
		return;
	fixup = extable_find(regs->rip);
	if (!fixup)
		die(regs, "unexpected trap");
	regs->rip = fixup;
}

/*
 * The application's registers are put where those of a guest are expected. After a system call they
 * are all known; after a page fault the processor's frame is there already.
 */
bool double_fault_is_guests(struct regs *regs)
{
	struct regs *guest = (struct regs *)cpu.stack_top - 1;
	u64 rip = regs->rip;

	if (rip >= (u64)syscall_bounce_push && rip < (u64)syscall_bounce_pushed) {
		*guest = *regs;
		guest->rip = regs->rcx;
		guest->cs = FLAT_USER_CS;
		guest->ss = FLAT_USER_SS;
		guest->rflags = regs->r11;
		guest->rsp = cpu.scratch_rsp;
		return true;
	}
	if (rip >= (u64)page_fault_push && rip < (u64)page_fault_pushed) {
		memcpy(guest, regs, offsetof(struct regs, vector));
		return true;
	}
	die(regs, "double fault");
}
