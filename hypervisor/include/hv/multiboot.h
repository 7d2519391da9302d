/* SPDX-License-Identifier: MIT */
/* What the loader hands over: command line, memory map, modules. */
#ifndef HV_MULTIBOOT_H
#define HV_MULTIBOOT_H

#include <hv/frame.h>
#include <hv/types.h>

#define MAX_MODULES  16
#define MAX_BOOTLINE 1024

struct boot_module {
	paddr_t start;
	u64 size;
	char line[MAX_BOOTLINE]; /* arguments, without the file name */
};

struct boot_info {
	char cmdline[MAX_BOOTLINE]; /* without the file name */
	unsigned int nr_modules;
	struct boot_module module[MAX_MODULES];
	struct memory_map map; /* .reserved holds nothing yet */
};

/*
 * Copies everything out of the loader's structures, which lie in memory that will be used.
 * Returns NULL, or a sentence that names what is wrong.
 */
__must_check const char *multiboot_read(struct boot_info *b, u64 magic, paddr_t info);

#endif
