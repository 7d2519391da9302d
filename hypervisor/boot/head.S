/* SPDX-License-Identifier: MIT */
/*
 * Entry from the loader: 32-bit protected mode, paging off, eax = Multiboot magic, ebx = its
 * information. Builds first page tables, enters 64-bit mode at the linked address, calls start().
 *
 * The Multiboot header carries load addresses ("a.out kludge"), so that this 64-bit ELF file can be
 * given to QEMU as it is: the loader would refuse to interpret its program headers.
 */
#include <asm-offsets.h>
#include <hv/asm.h>
#include <hv/processor.h>

#define PHYS(symbol)	((symbol) - ABI_IMAGE_BASE)
#define MB_MAGIC	0x1badb002
#define MB_FLAGS	0x00010003		/* page-aligned modules, memory map, addresses given */
#define BOOT_STACK	16384
#define CR0_VALUE	0x80010033		/* PG WP NE ET MP PE */
#define CR4_VALUE	0x620			/* PAE OSFXSR OSXMMEXCPT */

	.section .multiboot, "ax"
	.balign 4
multiboot_header:
	.long MB_MAGIC
	.long MB_FLAGS
	.long -(MB_MAGIC + MB_FLAGS)
	.long PHYS(multiboot_header)
	.long PHYS(image_start)
	.long PHYS(load_end)
	.long PHYS(image_end)
	.long PHYS(entry_32)

	.code32
	.globl entry_32
entry_32:
	cli
	cld
	mov %eax, %ebp
	mov %ebx, %esi
	/* One gigabyte by 2 MB pages, seen at 0 (for the next instructions), at the image and at the direct map. */
	mov $PHYS(boot_l3), %eax
	or $3, %eax
	mov %eax, PHYS(boot_l4)
	mov %eax, PHYS(boot_l4) + 257 * 8
	mov %eax, PHYS(boot_l4) + 262 * 8
	mov $PHYS(boot_l2), %eax
	or $3, %eax
	mov %eax, PHYS(boot_l3)
	mov $PHYS(boot_l2), %edi
	mov $0x83, %eax
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	cmp $PHYS(boot_l2) + 4096, %edi
	jne 1b
	mov $CR4_VALUE, %eax
	mov %eax, %cr4
	mov $PHYS(boot_l4), %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $(EFER_LME | EFER_NXE), %eax
	wrmsr
	mov $CR0_VALUE, %eax
	mov %eax, %cr0
	lgdt PHYS(boot_gdt_register)
	ljmp $8, $PHYS(entry_64_low)

	.code64
entry_64_low:
	movabs $entry_64, %rax
	jmp *%rax

	.text
entry_64:
	lea boot_stack_top(%rip), %rsp
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %ebp, %edi				/* magic */
	mov %esi, %esi				/* information */
	call start
	ud2

	.section .data
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff
boot_gdt_register:
	.word 15
	.long PHYS(boot_gdt)

	.section .bss
	.balign 4096
boot_l4:
	.skip 4096
boot_l3:
	.skip 4096
boot_l2:
	.skip 4096
	.skip BOOT_STACK
	.globl boot_stack_top
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
