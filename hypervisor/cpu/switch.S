/* SPDX-License-Identifier: MIT */
/*
 * Switching between the hypervisor stacks of two vCPUs. Every vCPU has its own, so a hypercall
 * that blocks is simply a function that returns later.
 */
#include <hv/asm.h>

	.text

/*
 * void switch_stack(u64 *save_rsp (rdi), u64 load_rsp (rsi))
 * Mode: ring 0, interrupts off, any CR3 (our half is the same in all).
 * Saves the callee-saved registers and the stack pointer, continues where load_rsp was saved.
 */
FUNC(switch_stack)
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, (%rdi)
	mov %rsi, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
END(switch_stack)

/*
 * Where a new vCPU's first switch_stack() returns to: its stack holds a struct regs, at rsp.
 */
FUNC(switch_first_run)
	jmp return_to_guest
END(switch_first_run)

	.section .note.GNU-stack, "", @progbits
