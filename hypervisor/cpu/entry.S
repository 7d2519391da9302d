/* SPDX-License-Identifier: MIT */
/*
 * Every way into and out of the hypervisor.
 *
 * Guest kernel and guest applications both run in ring 3; cpu.hot.kernel_mode tells them apart.
 * GS is never ours: its two bases belong to the guest, and one swapgs is executed for each change
 * between guest kernel and application, nowhere else. Interrupts stay off until we leave.
 *
 * The three paths that applications feel most never reach C: their system call (a bounce to the
 * guest kernel), the guest kernel's iret back to them, and the exit from a hypercall.
 *
 * struct regs as the slow paths build it, from the top down:
 *
 *   offset        pushed by                       content
 *   REGS_ss       processor, or by hand           guest SS
 *   REGS_rsp      "                               guest RSP
 *   REGS_rflags   "                               guest RFLAGS
 *   REGS_cs       "                               guest CS
 *   REGS_rip      "                               guest RIP
 *   REGS_error    processor or stub               error code or 0
 *   REGS_vector   stub                            vector, VECTOR_HYPERCALL, VECTOR_SYSCALL(32)
 *   0..           SAVE_REGISTERS                  rdi ... r15, r15 lowest
 */
#include <asm-offsets.h>
#include <hv/asm.h>
#include <hv/descriptors.h>
#include <hv/extable.h>
#include <hv/processor.h>

.macro SAVE_REGISTERS
	push %rdi
	push %rsi
	push %rdx
	push %rcx
	push %rax
	push %r8
	push %r9
	push %r10
	push %r11
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
.endm

.macro RESTORE_REGISTERS
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rax
	pop %rcx
	pop %rdx
	pop %rsi
	pop %rdi
	add $16, %rsp				/* vector and error */
.endm

	.text

/*
 * The 256 gates of the interrupt table, 16 bytes each.
 * In: ring 3 or 0, any CR3, stack of the task state (or an IST stack for vectors 1, 2, 8, 18).
 */
	.balign 16
	.globl entry_stubs
entry_stubs:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector == TRAP_PF
	jmp entry_page_fault
	.endif
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21)
	.else
	push $0
	.endif
	push $vector
	.if vector == TRAP_DB
	jmp entry_debug
	.elseif vector == TRAP_NMI
	jmp entry_nmi
	.elseif vector == TRAP_DF
	jmp entry_double_fault
	.else
	jmp entry_trap
	.endif
	.set vector, vector + 1
	.endr
	.balign 16

/* Common to all traps. Stack: struct regs without its registers. */
FUNC(entry_trap)
	cld
	SAVE_REGISTERS
	mov %rsp, %rdi				/* struct regs * */
	testb $3, REGS_cs(%rsp)
	jz trap_while_ours
	call trap_from_guest
	jmp return_to_guest
trap_while_ours:
	call trap_from_hypervisor
	RESTORE_REGISTERS
	iretq
END(entry_trap)

/*
 * Page fault. Stack: error code, then the processor's frame; no vector yet.
 *
 * From an application, with its events unmasked as usual, it is bounced here: the guest kernel's
 * stack receives SS, RSP, RFLAGS, CS, RIP, error, r11, rcx. What was said of pushing to that stack
 * at entry_syscall holds here too. All other cases go to C.
 *
 *   offset from rax while pushing: 0 rcx, 8 rax, 16 error, 24 rip, 32 cs, 40 rflags, 48 rsp, 56 ss
 */
FUNC(entry_page_fault)
	cmpb $0, cpu+CPU_kernel_mode(%rip)	/* 1 also while the fault is ours */
	jne page_fault_in_c
	testb $3, 16(%rsp)
	jz page_fault_in_c
	push %rax
	push %rcx
	mov cpu+CPU_vcpu_info(%rip), %rcx
	cmpb $0, VCPU_INFO_upcall_mask(%rcx)
	jne page_fault_pop
	cmpq $0, cpu+CPU_page_fault_entry(%rip)
	je page_fault_pop
	mov %cr2, %rax
	mov %rax, VCPU_INFO_cr2(%rcx)
	movb $1, VCPU_INFO_upcall_mask(%rcx)
	mov cpu+CPU_kernel_cr3(%rip), %rax
	mov %rax, %cr3
	swapgs
	movb $1, cpu+CPU_kernel_mode(%rip)
	mov %rsp, %rax
	mov cpu+CPU_kernel_sp(%rip), %rsp
	.globl page_fault_push
page_fault_push:
	push 56(%rax)
	push 48(%rax)
	push 40(%rax)
	push 32(%rax)
	push 24(%rax)
	push 16(%rax)
	push %r11
	push 0(%rax)
	.globl page_fault_pushed
page_fault_pushed:
	mov 40(%rax), %r11
	and $~(X86_EFLAGS_TF | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC), %r11d
	mov cpu+CPU_page_fault_entry(%rip), %rcx	/* canonical: checked when it was set */
	mov 8(%rax), %rax
	sysretq
page_fault_pop:
	pop %rcx
	pop %rax
page_fault_in_c:
	push $TRAP_PF
	jmp entry_trap
END(entry_page_fault)

/* Debug trap, on its own stack: from a guest, move to the ordinary one, where C may switch. */
FUNC(entry_debug)
	cld
	SAVE_REGISTERS
	mov %rsp, %rdi
	testb $3, REGS_cs(%rsp)
	jz trap_while_ours
	mov %rsp, %rsi
	mov cpu+CPU_stack_top(%rip), %rdi
	sub $REGS_sizeof, %rdi
	mov %rdi, %rax
	mov $REGS_sizeof / 8, %ecx
	rep movsq
	mov %rax, %rsp
	mov %rsp, %rdi				/* struct regs * */
	call trap_from_guest
	jmp return_to_guest
END(entry_debug)

/* No source of NMIs is enabled; one that comes anyway is dropped wherever it hit. */
FUNC(entry_nmi)
	add $16, %rsp
	iretq
END(entry_nmi)

/* On its own stack. Survived only if a guest kernel's stack refused the system-call frame. */
FUNC(entry_double_fault)
	cld
	SAVE_REGISTERS
	mov %rsp, %rdi				/* struct regs * */
	call double_fault_is_guests
	mov cpu+CPU_stack_top(%rip), %rsp
	sub $REGS_sizeof, %rsp			/* where the report looks for the registers */
	call guest_stack_crash			/* does not return */
	ud2
END(entry_double_fault)

/*
 * LSTAR: `syscall` in 64-bit guest code.
 * In: ring 0, guest CR3 and RSP; rcx = return address, r11 = flags; IF DF TF NT AC RF clear.
 *
 * From the guest kernel it is a hypercall. From an application it is bounced to the guest kernel,
 * whose stack receives, from the top down: SS, RSP, RFLAGS, CS, RIP, r11, rcx.
 * We push with the guest kernel's stack pointer in RSP. That is safe: stack_switch keeps it out of
 * our half, CR0.WP refuses read-only pages, and a push that faults cannot write its exception frame
 * there either, so it becomes a double fault, which has its own stack and ends the domain.
 */
FUNC(entry_syscall)
	mov %rsp, cpu+CPU_scratch_rsp(%rip)
	cmpb $0, cpu+CPU_kernel_mode(%rip)
	jne hypercall
	swapgs
	mov cpu+CPU_kernel_cr3(%rip), %rsp
	mov %rsp, %cr3
	mov cpu+CPU_kernel_sp(%rip), %rsp
	.globl syscall_bounce_push
	/*
	 * That kernel_sp is a multiple of 16 carries the argument above. The processor aligns rsp down
	 * to 16 before it pushes an exception frame. With rsp 8 bytes above the start of a bad page, it
	 * would skip the very word that faulted, write the frame to the page below, which may be good,
	 * and run our handler on the guest's stack. From a multiple of 16, the first push into a page
	 * leaves rsp where the frame would begin in that same page.
	 */
syscall_bounce_push:
	push $ABI_FLAT_SS
	push cpu+CPU_scratch_rsp(%rip)
	push %r11
	push $ABI_FLAT_CS64
	push %rcx
	push %r11
	push %rcx
	.globl syscall_bounce_pushed
syscall_bounce_pushed:
	mov cpu+CPU_vcpu_info(%rip), %rcx
	movb $1, cpu+CPU_kernel_mode(%rip)
	and $~(X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC), %r11d
	movb $1, VCPU_INFO_upcall_mask(%rcx)
	mov cpu+CPU_syscall_entry(%rip), %rcx	/* canonical: checked when it was registered */
	sysretq

/* A hypercall: rax = number, arguments in rdi rsi rdx r10 r8; rsp still the guest's. */
hypercall:
	cmp $ABI_HYPERCALL_iret, %eax
	je iret_short
	mov cpu+CPU_stack_top(%rip), %rsp
	push $ABI_FLAT_SS
	push cpu+CPU_scratch_rsp(%rip)
	push %r11
	push $ABI_FLAT_CS64
	push %rcx
	sub $REGS_rip, %rsp			/* what C preserves is saved only when needed, below */
	mov %rdi, REGS_rdi(%rsp)
	mov %rsi, REGS_rsi(%rsp)
	mov %rdx, REGS_rdx(%rsp)
	mov %rax, REGS_rax(%rsp)
	mov %r8, REGS_r8(%rsp)
	mov %r9, REGS_r9(%rsp)
	mov %r10, REGS_r10(%rsp)
	mov %eax, %eax				/* the guest may have set the upper half */
	cmp $ABI_NR_HYPERCALLS, %eax
	jae hypercall_unknown
	lea hypercall_table(%rip), %r11
	mov %r10, %rcx				/* fourth argument */
	call *(%r11, %rax, 8)
hypercall_done:
	mov cpu+CPU_vcpu_info(%rip), %rcx
	cmpb $0, (%rcx)				/* event pending? */
	jne hypercall_work
	cmpb $0, cpu+CPU_exit_work(%rip)
	jne hypercall_work
	mov REGS_r10(%rsp), %r10
	mov REGS_r9(%rsp), %r9
	mov REGS_r8(%rsp), %r8
	mov REGS_rdx(%rsp), %rdx
	mov REGS_rsi(%rsp), %rsi
	mov REGS_rdi(%rsp), %rdi
	mov REGS_rflags(%rsp), %r11		/* nothing of ours is left in a register */
	mov REGS_rip(%rsp), %rcx
	add $REGS_rip, %rsp
	jmp iret_to_guest
hypercall_work:
	/* Now all of struct regs is needed: callee-saved registers still hold the guest's values. */
	mov %rax, REGS_rax(%rsp)
	mov REGS_rip(%rsp), %rcx
	mov %rcx, REGS_rcx(%rsp)
	mov REGS_rflags(%rsp), %r11
	mov %r11, REGS_r11(%rsp)
	mov %rbx, REGS_rbx(%rsp)
	mov %rbp, REGS_rbp(%rsp)
	mov %r12, REGS_r12(%rsp)
	mov %r13, REGS_r13(%rsp)
	mov %r14, REGS_r14(%rsp)
	mov %r15, REGS_r15(%rsp)
	jmp work_before_return
hypercall_unknown:
	mov $-ABI_ENOSYS, %rax
	jmp hypercall_done
END(entry_syscall)

/*
 * The way back to a guest from C. Stack: struct regs, at rsp.
 */
FUNC(return_to_guest)
	mov cpu+CPU_vcpu_info(%rip), %rcx
	cmpb $0, (%rcx)				/* event pending? */
	jne work_before_return
	cmpb $0, cpu+CPU_exit_work(%rip)
	jne work_before_return
restore_and_return:
	RESTORE_REGISTERS
	.globl iret_to_guest
iret_to_guest:
	iretq
	EXTABLE(iret_to_guest, iret_refused)
work_before_return:
	mov %rsp, %rdi				/* struct regs * */
	call guest_exit_work
	jmp restore_and_return

/* The guest's frame was bad. Its registers are live, the frame is at rsp. */
iret_refused:
	push $0
	push $TRAP_GP
	SAVE_REGISTERS
	mov %rsp, %rdi				/* struct regs * */
	call guest_iret_fault
	jmp return_to_guest
END(return_to_guest)

/*
 * The iret hypercall: rsp still the guest's (and in scratch_rsp) and points to rax, r11, rcx, flags, rip, cs, rflags,
 * rsp, ss (struct iret_context). Here only the common case, a return to an application with events
 * unmasked and none pending; all else goes to C, which starts from the frame again.
 */
FUNC(iret_short)
	mov %rsp, %rcx
	shr $ABI_HV_HOLE_SHIFT, %rcx
	cmp $ABI_HV_HOLE, %ecx			/* a stack pointer into our half? */
	je iret_slow
	mov %rsp, %rcx				/* the guest's frame */
	mov cpu+CPU_stack_top(%rip), %rsp
	cmpq $0, cpu+CPU_user_cr3(%rip)
	je iret_slow
iret_load_0:
	testb $3, IRET_cs(%rcx)
	jz iret_slow
iret_load_1:
	mov IRET_rflags(%rcx), %r11
	mov cpu+CPU_vcpu_info(%rip), %rax
	bt $9, %r11d				/* events to be unmasked? */
	jnc iret_slow
	cmpb $0, (%rax)				/* one pending? */
	jne iret_slow
iret_load_2:
	push IRET_ss(%rcx)
iret_load_3:
	push IRET_rsp(%rcx)
	and $ABI_IRET_FLAGS, %r11d
	push %r11
iret_load_4:
	push IRET_cs(%rcx)
iret_load_5:
	push IRET_rip(%rcx)
	movb $0, VCPU_INFO_upcall_mask(%rax)
iret_load_6:
	mov IRET_r11(%rcx), %r11
iret_load_7:
	push IRET_rax(%rcx)
iret_load_8:
	mov IRET_rcx(%rcx), %rcx
	movb $0, cpu+CPU_kernel_mode(%rip)
	mov cpu+CPU_user_cr3(%rip), %rax
	mov %rax, %cr3
	swapgs
	pop %rax
	jmp iret_to_guest
iret_slow:
	/* rcx and r11 are free: the frame replaces both. */
	mov cpu+CPU_stack_top(%rip), %rsp
	push $ABI_FLAT_SS
	push cpu+CPU_scratch_rsp(%rip)
	push $X86_EFLAGS_IF | X86_EFLAGS_FIXED
	push $ABI_FLAT_CS64
	push %rcx
	push $0
	push $ABI_VECTOR_HYPERCALL
	SAVE_REGISTERS
	mov %rsp, %rdi				/* struct regs * */
	call guest_iret_slow
	jmp return_to_guest
	EXTABLE(iret_load_0, iret_slow)
	EXTABLE(iret_load_1, iret_slow)
	EXTABLE(iret_load_2, iret_slow)
	EXTABLE(iret_load_3, iret_slow)
	EXTABLE(iret_load_4, iret_slow)
	EXTABLE(iret_load_5, iret_slow)
	EXTABLE(iret_load_6, iret_slow)
	EXTABLE(iret_load_7, iret_slow)
	EXTABLE(iret_load_8, iret_slow)
END(iret_short)

/*
 * With option stats, LSTAR and the page-fault gate point here instead: the same paths, counted.
 * Flags are free: r11 or the processor's frame holds the guest's.
 */
FUNC(entry_syscall_counted)
	cmpb $0, cpu+CPU_kernel_mode(%rip)
	jne 1f
	incq cpu+CPU_nr_syscall(%rip)
	jmp *cpu+CPU_syscall_path(%rip)
1:	cmp $ABI_HYPERCALL_iret, %eax
	jne 2f
	incq cpu+CPU_nr_iret(%rip)
2:	jmp *cpu+CPU_syscall_path(%rip)
END(entry_syscall_counted)

FUNC(entry_page_fault_counted)
	incq cpu+CPU_nr_page_fault(%rip)
	jmp entry_page_fault
END(entry_page_fault_counted)

/* `syscall` as a trap: struct regs on our stack, then C. In: as entry_syscall. */
.macro SYSCALL_IN_C cs, vector
	mov %rsp, cpu+CPU_scratch_rsp(%rip)
	mov cpu+CPU_stack_top(%rip), %rsp
	push $ABI_FLAT_SS
	push cpu+CPU_scratch_rsp(%rip)
	push %r11
	push $\cs
	push %rcx
	push $0
	push $\vector
	SAVE_REGISTERS
	mov %rsp, %rdi				/* struct regs * */
	call syscall_from_guest
	jmp return_to_guest
.endm

/*
 * LSTAR of a vCPU for which the short paths do not hold (cpu/descriptors.c): system calls of
 * applications and iret go to C, all other hypercalls are as ever.
 * In: as entry_syscall.
 */
FUNC(entry_syscall_careful)
	cmpb $0, cpu+CPU_kernel_mode(%rip)
	je 1f
	cmp $ABI_HYPERCALL_iret, %eax
	jne entry_syscall
	mov %rsp, cpu+CPU_scratch_rsp(%rip)
	jmp iret_slow
1:	SYSCALL_IN_C ABI_FLAT_CS64, ABI_VECTOR_SYSCALL
END(entry_syscall_careful)

/*
 * CSTAR: `syscall` in 32-bit guest code.
 * In: as entry_syscall.
 */
FUNC(entry_syscall32)
	SYSCALL_IN_C ABI_FLAT_CS32, ABI_VECTOR_SYSCALL32
END(entry_syscall32)

	.section .note.GNU-stack, "", @progbits
