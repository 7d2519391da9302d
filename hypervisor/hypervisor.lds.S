/* SPDX-License-Identifier: MIT */
/*
 * Section layout. The image is linked at IMAGE_BASE plus its physical load address, so that
 * "virtual minus IMAGE_BASE" is physical. It is loaded as one piece by the Multiboot addresses in
 * head.S, so the file must be contiguous in memory order: one segment.
 */
#include <asm-offsets.h>
#define LOAD_ADDRESS 0x100000

OUTPUT_ARCH(i386:x86-64)
ENTRY(entry_32)

PHDRS
{
	image PT_LOAD FLAGS(7);
}

SECTIONS
{
	. = ABI_IMAGE_BASE + LOAD_ADDRESS;
	image_start = .;
	.text : AT(ADDR(.text) - ABI_IMAGE_BASE) {
		*(.multiboot)			/* the loader looks in the first 8 KB of the file */
		text_start = .;
		*(.text .text.*)
		. = ALIGN(4096);		/* page rights change here */
		text_end = .;
	} :image
	.rodata : AT(ADDR(.rodata) - ABI_IMAGE_BASE) {
		*(.rodata .rodata.*)
		. = ALIGN(8);
		extable_start = .;
		*(.extable)
		extable_end = .;
		. = ALIGN(4096);		/* page rights change here */
		rodata_end = .;
	} :image
	.data : AT(ADDR(.data) - ABI_IMAGE_BASE) {
		*(.data .data.*)
		. = ALIGN(4096);
		load_end = .;
	} :image
	.bss : AT(ADDR(.bss) - ABI_IMAGE_BASE) {
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);		/* whole pages are reserved */
		image_end = .;
	} :image
	/DISCARD/ : { *(.comment .note.* .eh_frame) }
}
