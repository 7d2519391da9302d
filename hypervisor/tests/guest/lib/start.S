/* SPDX-License-Identifier: MIT */
/*
 * A test guest's first instruction, and the stubs that exceptions, events and system calls arrive
 * at.
 */
	.text
	.globl guest_entry
guest_entry:
	lea guest_stack_top(%rip), %rsp
	mov %rsi, %rdi				/* struct start_info * */
	call guest_start
	ud2

/*
 * One stub for each of the first 32 vectors. The hypervisor pushed, from low to high: rcx, r11,
 * [error], rip, cs, rflags, rsp, ss. We make it: 15 registers, vector, error, then the rest.
 */
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set vector, 0
	.rept 32
	.balign 16
	pop %rcx
	pop %r11
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21)
	.else
	push $0
	.endif
	push $vector
	jmp trap_common
	.set vector, vector + 1
	.endr

/* int 0x80 */
	.globl int80_stub
int80_stub:
	pop %rcx
	pop %r11
	push $0
	push $0x80
	jmp trap_common

	.globl event_stub
event_stub:
	pop %rcx
	pop %r11
	push $0
	push $0x100
	jmp trap_common

	.globl syscall_stub
syscall_stub:
	pop %rcx
	pop %r11
	push $0
	push $0x101
	jmp trap_common

trap_common:
	cld
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
	mov %rsp, %rdi
	call guest_trap
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
	add $16, %rsp
	/* struct iret_context: rax, r11, rcx, flags below rip */
	push $0
	push %rcx
	push %r11
	push %rax
	mov $23, %eax
	syscall
	ud2

/* Leaves to an application: iret with the frame at rdi (struct iret_context). */
	.globl guest_iret
guest_iret:
	mov %rdi, %rsp
	mov $23, %eax
	syscall
	ud2

	.balign 4096
	.globl hypercall_page
hypercall_page:
	.skip 4096

	.bss
	.balign 4096
	.skip 16384
	.globl guest_stack_top
guest_stack_top:

	.section .note.GNU-stack, "", @progbits
