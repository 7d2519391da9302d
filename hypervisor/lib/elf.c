// SPDX-License-Identifier: MIT
/*
 * Reads an ELF64 guest kernel: load segments by physical address, and the notes owned by "Xen".
 * Notes are looked for in segments; where no segment has any in sections; where there are none at
 * all, the older section __xen_guest is read into the same places. All as Xen does.
 *
 * The file is a boot module and is not trusted: each range is checked before it is read, and
 * segment contents are only described here, never touched. Builds on the host for its tests.
 */
#include <hv/elf.h>
#include <hv/string.h>
#include <xen/elfnote.h>

struct elf_header {
	u8 ident[16];
	u16 type;
	u16 machine;
	u32 version;
	u64 entry;
	u64 phoff;
	u64 shoff;
	u32 flags;
	u16 ehsize;
	u16 phentsize;
	u16 phnum;
	u16 shentsize;
	u16 shnum;
	u16 shstrndx;
};

struct elf_program_header {
	u32 type;
	u32 flags;
	u64 offset;
	u64 vaddr;
	u64 paddr;
	u64 filesz;
	u64 memsz;
	u64 align;
};

struct elf_section_header {
	u32 name;
	u32 type;
	u64 flags;
	u64 addr;
	u64 offset;
	u64 size;
	u32 link;
	u32 info;
	u64 addralign;
	u64 entsize;
};

struct elf_note_header {
	u32 namesz;
	u32 descsz;
	u32 type;
};

#define PT_LOAD	   1
#define PT_NOTE	   4
#define SHT_NOTE   7
#define EM_X86_64  62
#define ELF_64_LSB "\177ELF\2\1"

/* No guest of ours needs more; keeps every later sum far from wrapping. */
#define MAX_GUEST_PADDR (1ull << 40)

static bool in_file(const struct elf_image *image, u64 offset, u64 len)
{
	return offset <= image->size && len <= image->size - offset;
}

static char *text_of_note(struct elf_image *image, u32 type)
{
	switch (type) {
	case XEN_ELFNOTE_LOADER:
		return image->loader;
	case XEN_ELFNOTE_GUEST_OS:
		return image->guest_os;
	case XEN_ELFNOTE_XEN_VERSION:
		return image->xen_version;
	default:
		return NULL;
	}
}

static void take_note(struct elf_image *image, u32 type, const u8 *desc, u32 len)
{
	char *text = text_of_note(image, type);
	u64 value = 0;

	image->nr_notes++;
	if (text) {
		u32 n = MIN(len, (u32)sizeof(image->loader) - 1);

		memcpy(text, desc, n);
		text[n] = '\0';
		return;
	}
	if (type >= ELF_NOTE_NUMBERS || (len != 4 && len != 8))
		return;
	memcpy(&value, desc, len);
	image->note[type] = value;
	image->has_note |= 1u << type;
}

static const char *read_notes(struct elf_image *image, u64 offset, u64 len)
{
	while (len >= sizeof(struct elf_note_header)) {
		struct elf_note_header n;
		u64 name, desc, total;

		memcpy(&n, image->file + offset, sizeof(n));
		name = sizeof(n);
		desc = name + ((n.namesz + 3ull) & ~3ull);
		total = desc + ((n.descsz + 3ull) & ~3ull);
		if (desc + n.descsz > len)
			return "a note runs past its segment";
		if (n.namesz == 4 && memcmp(image->file + offset + name, "Xen", 4) == 0)
			take_note(image, n.type, image->file + offset + desc, n.descsz);
		if (total >= len)
			break;
		offset += total;
		len -= total;
	}
	return NULL;
}

static const char *add_segment(struct elf_image *image, const struct elf_program_header *ph)
{
	struct elf_segment *s = &image->segment[image->nr_segments];

	if (ph->memsz == 0)
		return NULL;
	if (image->nr_segments == ELF_MAX_SEGMENTS)
		return "too many load segments";
	if (ph->filesz > ph->memsz)
		return "a load segment is larger in the file than in memory";
	*s = (struct elf_segment){ph->offset, ph->paddr, ph->filesz, ph->memsz};
	image->nr_segments++;
	return NULL;
}

static void take_pair(struct elf_image *image, const char *pair, size_t len)
{
	static const struct {
		const char *key;
		u32 type;
	} known[] = {
	    {"LOADER=", XEN_ELFNOTE_LOADER},
	    {"GUEST_OS=", XEN_ELFNOTE_GUEST_OS},
	    {"XEN_VER=", XEN_ELFNOTE_XEN_VERSION},
	    {"VIRT_BASE=", XEN_ELFNOTE_VIRT_BASE},
	    {"VIRT_ENTRY=", XEN_ELFNOTE_ENTRY},
	    {"ELF_PADDR_OFFSET=", XEN_ELFNOTE_PADDR_OFFSET},
	    {"HYPERCALL_PAGE=", XEN_ELFNOTE_HYPERCALL_PAGE},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++) {
		size_t key = strlen(known[i].key);
		const char *value = pair + key;
		u64 number;

		if (strncmp(pair, known[i].key, key) != 0)
			continue;
		if (text_of_note(image, known[i].type))
			take_note(image, known[i].type, (const u8 *)value, (u32)(len - key));
		else if (str_to_u64(&value, &number))
			take_note(image, known[i].type, (const u8 *)&number, sizeof(number));
	}
}

/* KEY=VALUE,KEY=VALUE... to the first zero byte; with defaults and units of its own. */
static void read_xen_guest(struct elf_image *image, u64 offset, u64 size)
{
	char text[512];
	const char *pair = text;
	u64 *note = image->note;

	size = MIN(size, sizeof(text) - 1);
	memcpy(text, image->file + offset, size);
	text[size] = '\0';
	while (*pair) {
		size_t len = 0;

		while (pair[len] && pair[len] != ',')
			len++;
		take_pair(image, pair, len);
		pair += len + (pair[len] == ',');
	}
	if (!elf_has_note(image, XEN_ELFNOTE_PADDR_OFFSET))
		note[XEN_ELFNOTE_PADDR_OFFSET] = note[XEN_ELFNOTE_VIRT_BASE];
	note[XEN_ELFNOTE_HYPERCALL_PAGE] <<= PAGE_SHIFT;
	note[XEN_ELFNOTE_HYPERCALL_PAGE] += note[XEN_ELFNOTE_VIRT_BASE];
}

/* A kernel without section headers, or with bad ones, has no such section. */
static const char *read_sections(struct elf_image *image, const struct elf_header *h)
{
	struct elf_section_header names, sh, found = {0};
	static const char legacy[] = "__xen_guest";

	if (h->shentsize != sizeof(sh) || h->shstrndx >= h->shnum ||
	    !in_file(image, h->shoff, (u64)h->shnum * sizeof(sh)))
		return NULL;
	memcpy(&names, image->file + h->shoff + h->shstrndx * sizeof(sh), sizeof(sh));
	for (unsigned int i = 0; i < h->shnum; i++) {
		const char *wrong = NULL;

		memcpy(&sh, image->file + h->shoff + i * sizeof(sh), sizeof(sh));
		if (sh.type == SHT_NOTE && in_file(image, sh.offset, sh.size))
			wrong = read_notes(image, sh.offset, sh.size);
		if (wrong)
			return wrong;
		if (sh.name < names.size && in_file(image, names.offset, names.size) &&
		    names.size - sh.name >= sizeof(legacy) &&
		    memcmp(image->file + names.offset + sh.name, legacy, sizeof(legacy)) == 0)
			found = sh;
	}
	if (!image->nr_notes && found.size && in_file(image, found.offset, found.size))
		read_xen_guest(image, found.offset, found.size);
	return NULL;
}

/* Segments in guest physical addresses. The note may come after them. */
static const char *apply_offset(struct elf_image *image)
{
	u64 offset = image->note[XEN_ELFNOTE_PADDR_OFFSET];

	for (unsigned int i = 0; i < image->nr_segments; i++) {
		struct elf_segment *s = &image->segment[i];

		if (s->paddr < offset)
			return "a load segment lies below the PADDR_OFFSET note";
		s->paddr -= offset;
		if (s->paddr >= MAX_GUEST_PADDR || s->memsz >= MAX_GUEST_PADDR)
			return "a load segment lies beyond any memory";
	}
	return NULL;
}

const char *elf_parse(struct elf_image *image, const void *file, u64 size)
{
	struct elf_header h;
	const char *wrong = NULL;

	memset(image, 0, sizeof(*image));
	image->file = file;
	image->size = size;
	if (size < sizeof(h))
		return "shorter than an ELF header";
	memcpy(&h, file, sizeof(h));
	if (memcmp(h.ident, ELF_64_LSB, 6) != 0 || h.machine != EM_X86_64)
		return "not an x86-64 ELF file";
	if (h.phentsize != sizeof(struct elf_program_header) ||
	    !in_file(image, h.phoff, (u64)h.phnum * h.phentsize))
		return "program headers lie outside the file (truncated?)";
	for (unsigned int i = 0; i < h.phnum; i++) {
		struct elf_program_header ph;

		memcpy(&ph, image->file + h.phoff + i * sizeof(ph), sizeof(ph));
		if (ph.type != PT_LOAD && ph.type != PT_NOTE)
			continue;
		if (!in_file(image, ph.offset, ph.filesz))
			return "a segment runs past the end of the file (truncated)";
		if (ph.type == PT_LOAD)
			wrong = add_segment(image, &ph);
		else
			wrong = read_notes(image, ph.offset, ph.filesz);
		if (wrong)
			return wrong;
	}
	if (!image->nr_segments)
		return "has no load segment";
	image->entry = h.entry;
	if (!image->nr_notes)
		wrong = read_sections(image, &h);
	return wrong ? wrong : apply_offset(image);
}
