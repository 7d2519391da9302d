// SPDX-License-Identifier: MIT
/*
 * iret as an entry of a multicall: the entries before it are carried out and answered, it is itself
 * answered with the RAX it restores, the entries after it are not touched, and the guest goes on
 * where the frame says. Could break: rax, rcx or r11 overwritten by the way back from a hypercall,
 * a register that C preserves lost, an event missed that became deliverable, another list run on.
 */
#include "guest.h"

#define POISON 0x5a5a5a5a5a5a5a5aull

static struct multicall_entry list[3];
static u8 stack[PAGE_SIZE] __page_aligned;
static struct iret_context frame;

/* Registers as they were on landing, in this order: rax rcx r11 rbx rbp r12 r13 r14 r15 rdi rsi
 * rsp rflags. */
static u64 seen[13];
extern char multicall_landing[], multicall_landing_ud2[];
void multicall_leave(void);

/*
 * Makes the call with RSP at the frame and values in every register that must survive. The landing
 * saves all it finds and raises an exception that the test waits for.
 */
asm(".pushsection .text\n"
    "multicall_leave:\n\t"
    "lea frame(%rip), %rsp\n\t"
    "mov $0xb0b, %ebx\n\t"
    "mov $0xb9, %ebp\n\t"
    "mov $0x12, %r12d\n\t"
    "mov $0x13, %r13d\n\t"
    "mov $0x14, %r14d\n\t"
    "mov $0x15, %r15d\n\t"
    "lea list(%rip), %rdi\n\t"
    "mov $3, %esi\n\t"
    "mov $13, %eax\n\t"
    "syscall\n\t"
    "hlt\n"
    "multicall_landing:\n\t"
    "mov %rax, seen(%rip)\n\t"
    "mov %rcx, seen + 8(%rip)\n\t"
    "mov %r11, seen + 16(%rip)\n\t"
    "mov %rbx, seen + 24(%rip)\n\t"
    "mov %rbp, seen + 32(%rip)\n\t"
    "mov %r12, seen + 40(%rip)\n\t"
    "mov %r13, seen + 48(%rip)\n\t"
    "mov %r14, seen + 56(%rip)\n\t"
    "mov %r15, seen + 64(%rip)\n\t"
    "mov %rdi, seen + 72(%rip)\n\t"
    "mov %rsi, seen + 80(%rip)\n\t"
    "mov %rsp, seen + 88(%rip)\n\t"
    "pushfq\n\t"
    "pop seen + 96(%rip)\n"
    "multicall_landing_ud2:\n\t"
    "ud2\n"
    ".popsection");

static void leave(u64 unused)
{
	(void)unused;
	multicall_leave();
}

static void prepare(u64 second)
{
	memset(seen, 0, sizeof(seen));
	for (unsigned int i = 0; i < 3; i++)
		list[i] =
		    (struct multicall_entry){.op = __HYPERVISOR_xen_version, .result = POISON};
	list[second].op = __HYPERVISOR_iret;
	frame = (struct iret_context){.rax = 0xaaaabbbbccccddddull,
				      .r11 = 0x1111222233334444ull,
				      .rcx = 0x5555666677778888ull,
				      .cs = FLAT_KERNEL_CS & ~3,
				      .ss = FLAT_KERNEL_SS,
				      .rflags = 0x2d7, /* arithmetic flags and IF */
				      .rip = (u64)multicall_landing,
				      .rsp = (u64)stack + 1024};
}

static void registers(void)
{
	expect(seen[0], frame.rax);
	expect(seen[1], frame.rcx);
	expect(seen[2], frame.r11);
	expect(seen[3], 0xb0b);
	expect(seen[4], 0xb9);
	expect(seen[5], 0x12);
	expect(seen[6], 0x13);
	expect(seen[7], 0x14);
	expect(seen[8], 0x15);
	expect(seen[9], (u64)list);
	expect(seen[10], 3);
	expect(seen[11], (u64)stack + 1024);
	expect(seen[12] & 0xcd5, 0xd5 & 0xcd5);
}

static void in_the_middle(void)
{
	prepare(1);
	expect(catch_trap(leave, 0), 6);
	check(last_trap.rip == (u64)multicall_landing_ud2);
	registers();
	expect(list[0].result, (4 << 16) | 20);
	expect(list[1].result, frame.rax);
	expect(list[2].result, POISON);
}

static void at_either_end(void)
{
	prepare(0);
	expect(catch_trap(leave, 0), 6);
	registers();
	expect(list[0].result, frame.rax);
	expect(list[1].result, POISON);
	prepare(2);
	expect(catch_trap(leave, 0), 6);
	registers();
	expect(list[1].result, (4 << 16) | 20);
	expect(list[2].result, frame.rax);
}

static struct guest_regs event;

static void note_event(struct guest_regs *r)
{
	event = *r;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
}

/* The frame unmasks events while one is pending: it arrives at the landing, not before. */
static void pending_event(void)
{
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	shared->vcpu_info[0].evtchn_upcall_pending = 1;
	prepare(1);
	trap_hook = note_event;
	expect(catch_trap(leave, 0), 6);
	trap_hook = NULL;
	expect(event.vector, VECTOR_EVENT);
	expect(event.rip, (u64)multicall_landing);
	expect(event.rax, frame.rax);
	registers();
	/* And a frame that masks them keeps it away. */
	memset(&event, 0, sizeof(event));
	shared->vcpu_info[0].evtchn_upcall_pending = 1;
	prepare(1);
	frame.rflags &= ~0x200ull;
	expect(catch_trap(leave, 0), 6);
	expect(event.vector, 0);
	registers();
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
}

/* A frame that the processor refuses is the guest's general protection fault. */
static void refused_frame(void)
{
	prepare(1);
	frame.cs = 0x1230;
	expect(catch_trap(leave, 0), 13);
	expect(list[1].result, frame.rax);
	expect(list[2].result, POISON);
	expect(call0(__HYPERVISOR_xen_version), (4 << 16) | 20);
}

static void user(void)
{
	asm volatile("mov %%rax, %%rbx; syscall; hlt" ::: "rax", "rbx", "rcx", "r11");
}

static void from_user(struct guest_regs *r)
{
	expect(r->vector, VECTOR_SYSCALL);
	expect(r->rax, frame.rax);
	check((r->cs & 3) == 3);
	expect(list[0].result, (4 << 16) | 20);
	expect(list[1].result, frame.rax);
	expect(list[2].result, POISON);
	finish();
}

/* To an application: its page tables, its ring, and the way back. */
static void to_user(void)
{
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn((void *)si->pt_base), 0), 0);
	expect(call2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS, guest_stack_top - 8192), 0);
	prepare(1);
	frame.cs = FLAT_USER_CS;
	frame.ss = FLAT_USER_SS;
	frame.rip = (u64)user;
	trap_hook = from_user;
	multicall_leave();
}

void test_main(void)
{
	in_the_middle();
	at_either_end();
	pending_event();
	refused_frame();
	to_user();
}
