// SPDX-License-Identifier: MIT
/*
 * Reads the Multiboot 1 information that QEMU's loader leaves for -kernel, -append and -initrd.
 * Each module's string is "file arguments", as given on QEMU's command line.
 */
#include <hv/multiboot.h>
#include <hv/string.h>

#define LOADER_MAGIC 0x2badb002
#define HAS_CMDLINE  (1u << 2)
#define HAS_MODULES  (1u << 3)
#define HAS_MAP	     (1u << 6)
#define MAP_RAM	     1

struct mb_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
	u32 syms[4];
	u32 mmap_length, mmap_addr;
};

struct mb_module {
	u32 start, end, string, reserved;
};

struct mb_mmap {
	u32 size;
	u64 addr, len;
	u32 type;
} __attribute__((packed));

/* Copies the string at pa without its first word. Returns false if it is too long. */
static bool copy_arguments(char *dst, u32 pa)
{
	const char *s = paddr_to_virt(paddr(pa));

	dst[0] = '\0';
	if (!pa)
		return true;
	while (*s && *s != ' ')
		s++;
	while (*s == ' ')
		s++;
	return str_copy(dst, s, MAX_BOOTLINE) < MAX_BOOTLINE;
}

static const char *read_modules(struct boot_info *b, const struct mb_info *mb)
{
	const struct mb_module *m = paddr_to_virt(paddr(mb->mods_addr));

	if (mb->mods_count > MAX_MODULES)
		return "too many modules";
	for (u32 i = 0; i < mb->mods_count; i++) {
		struct boot_module *out = &b->module[i];

		if (m[i].end <= m[i].start)
			return "an empty module";
		out->start = paddr(m[i].start);
		out->size = m[i].end - m[i].start;
		if (!copy_arguments(out->line, m[i].string))
			return "a module's command line is too long";
		b->map.module[i] = (struct memory_range){m[i].start, m[i].end};
	}
	b->nr_modules = b->map.nr_modules = mb->mods_count;
	return NULL;
}

static void read_map(struct boot_info *b, const struct mb_info *mb)
{
	u64 at = mb->mmap_addr;

	while (at < (u64)mb->mmap_addr + mb->mmap_length && b->map.nr_ram < MAX_RANGES) {
		const struct mb_mmap *e = paddr_to_virt(paddr(at));

		if (e->type == MAP_RAM)
			b->map.ram[b->map.nr_ram++] =
			    (struct memory_range){e->addr, e->addr + e->len};
		at += e->size + sizeof(e->size);
	}
}

const char *multiboot_read(struct boot_info *b, u64 magic, paddr_t info)
{
	const struct mb_info *mb = paddr_to_virt(info);

	if ((u32)magic != LOADER_MAGIC)
		return "not started by a Multiboot loader";
	if (!(mb->flags & HAS_MAP))
		return "the loader gave no memory map";
	if ((mb->flags & HAS_CMDLINE) && !copy_arguments(b->cmdline, mb->cmdline))
		return "the command line is too long";
	read_map(b, mb);
	if (!(mb->flags & HAS_MODULES) || !mb->mods_count)
		return "no module: give a guest kernel with -initrd \"vmlinux ARGUMENTS,ramdisk\"";
	return read_modules(b, mb);
}
