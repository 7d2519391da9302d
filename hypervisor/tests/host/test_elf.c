// SPDX-License-Identifier: MIT
/*
 * The ELF reader on a good image, on every truncation of it, and on a hundred thousand mutations:
 * the sanitizer watches that it never reads outside the file.
 */
#include "unit.h"
#include <hv/elf.h>
#include <stdlib.h>
#include <string.h>
#include <xen/elfnote.h>

#define SIZE	 1024
#define LOADED	 344 /* bytes that the image needs */
#define SECTIONS 512
#define NAMES	 720
#define TEXT	 740

static void put(u8 *at, u64 v, size_t n)
{
	memcpy(at, &v, n);
}

/* One load segment of 64 bytes (128 in memory) at 1 MB, and an ENTRY note. */
static void make_image(u8 *f)
{
	memset(f, 0, SIZE);
	memcpy(f, "\177ELF\2\1\1", 7);
	put(f + 16, 2, 2);
	put(f + 18, 62, 2);
	put(f + 32, 64, 8); /* phoff */
	put(f + 54, 56, 2);
	put(f + 56, 2, 2);
	put(f + 64, 1, 4); /* PT_LOAD */
	put(f + 72, 256, 8);
	put(f + 88, 0x100000, 8);
	put(f + 96, 64, 8);
	put(f + 104, 128, 8);
	put(f + 120, 4, 4); /* PT_NOTE */
	put(f + 128, 320, 8);
	put(f + 152, 24, 8);
	put(f + 160, 24, 8);
	put(f + 320, 4, 4);
	put(f + 324, 8, 4);
	put(f + 328, XEN_ELFNOTE_ENTRY, 4);
	memcpy(f + 332, "Xen", 4);
	put(f + 336, 0xffffffff80100000ull, 8);
	put(f + 24, 0x100010, 8); /* entry */
}

/* A note of eight bytes or a text of at most eight at offset at; returns where the next one goes.
 */
static size_t add_note(u8 *f, size_t at, u32 type, const void *desc, u32 len)
{
	put(f + at, 4, 4);
	put(f + at + 4, len, 4);
	put(f + at + 8, type, 4);
	memcpy(f + at + 12, "Xen", 4);
	memcpy(f + at + 16, desc, len);
	return at + 16 + ((len + 3) & ~3u);
}

/* Three sections: notes, one called `name` that holds `text`, and the names. */
static void add_sections(u8 *f, const char *name, const char *text)
{
	put(f + 40, SECTIONS, 8); /* shoff */
	put(f + 58, 64, 2);
	put(f + 60, 3, 2);
	put(f + 62, 2, 2);
	put(f + SECTIONS + 4, 7, 4); /* SHT_NOTE */
	put(f + SECTIONS + 24, 320, 8);
	put(f + SECTIONS + 32, 24, 8);
	put(f + SECTIONS + 64, 5, 4);
	put(f + SECTIONS + 64 + 24, TEXT, 8);
	put(f + SECTIONS + 64 + 32, strlen(text), 8);
	put(f + SECTIONS + 128 + 24, NAMES, 8);
	put(f + SECTIONS + 128 + 32, 5 + strlen(name) + 1, 8);
	strcpy((char *)f + NAMES + 5, name);
	memcpy(f + TEXT, text, strlen(text));
}

/* The file in a block of its exact size, so that reading past it is seen. */
static const char *parse(struct elf_image *image, const u8 *f, size_t size)
{
	u8 *copy = malloc(size ? size : 1);
	const char *wrong;

	memcpy(copy, f, size);
	wrong = elf_parse(image, copy, size);
	free(copy);
	return wrong;
}

static void texts_and_offset(void)
{
	static const u64 base = 0xffffffff80000000ull;
	struct elf_image image;
	u8 f[SIZE];
	size_t end;

	make_image(f);
	end = add_note(f, 344, XEN_ELFNOTE_LOADER, "generic", 8);
	end = add_note(f, end, XEN_ELFNOTE_GUEST_OS, "linux", 6);
	end = add_note(f, end, XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
	end = add_note(f, end, XEN_ELFNOTE_PADDR_OFFSET, &base, 8);
	put(f + 152, end - 320, 8);
	EXPECT(parse(&image, f, SIZE) != NULL); /* the segment lies below the offset */
	put(f + 88, base + 0x100000, 8);
	EXPECT(parse(&image, f, SIZE) == NULL);
	EXPECT(image.nr_notes == 5);
	EXPECT(!strcmp(image.loader, "generic") && !strcmp(image.guest_os, "linux"));
	EXPECT(!strcmp(image.xen_version, "xen-3.0"));
	EXPECT(image.segment[0].paddr == 0x100000);
	put(f + 88, base + (1ull << 40), 8);
	EXPECT(parse(&image, f, SIZE) != NULL);
}

/* Sections count only where no segment has a note, and bad ones are as good as none. */
static void sections(void)
{
	struct elf_image image;
	u8 f[SIZE];

	make_image(f);
	add_sections(f, "__xen_guest", "LOADER=other");
	EXPECT(parse(&image, f, SIZE) == NULL);
	EXPECT(image.nr_notes == 1);
	put(f + 120, 0, 4); /* no note segment */
	EXPECT(parse(&image, f, SIZE) == NULL);
	EXPECT(image.nr_notes == 1 && !image.loader[0]);
	EXPECT(image.note[XEN_ELFNOTE_ENTRY] == 0xffffffff80100000ull);
	put(f + 40, ~0ull - 10, 8);
	EXPECT(parse(&image, f, SIZE) == NULL && image.nr_notes == 0);
}

/* A file whose only word on Xen is a __xen_guest section with this text. */
static const char *parse_legacy(struct elf_image *image, const char *name, const char *text)
{
	u8 f[SIZE];

	make_image(f);
	put(f + 120, 0, 4);
	add_sections(f, name, text);
	put(f + SECTIONS + 4, 0, 4);
	return parse(image, f, SIZE);
}

static void older_than_notes(void)
{
	static const char text[] = "GUEST_OS=Mini,XEN_VER=xen-3.0,VIRT_BASE=0x40000000,"
				   "ELF_PADDR_OFFSET=0x100000,VIRT_ENTRY=1073741840,"
				   "HYPERCALL_PAGE=0x2,LOADER=generic,PAE=yes,,=,X";
	struct elf_image image;

	EXPECT(parse_legacy(&image, "__xen_guest", text) == NULL);
	EXPECT(image.nr_notes == 7);
	EXPECT(!strcmp(image.loader, "generic") && !strcmp(image.guest_os, "Mini"));
	EXPECT(!strcmp(image.xen_version, "xen-3.0"));
	EXPECT(image.note[XEN_ELFNOTE_VIRT_BASE] == 0x40000000);
	EXPECT(image.note[XEN_ELFNOTE_ENTRY] == 1073741840);
	EXPECT(image.note[XEN_ELFNOTE_HYPERCALL_PAGE] == 0x40002000);
	EXPECT(image.segment[0].paddr == 0);
	/* Physical addresses are virtual ones unless it says otherwise. */
	EXPECT(parse_legacy(&image, "__xen_guest", "LOADER=generic,VIRT_BASE=0x100000") == NULL);
	EXPECT(image.segment[0].paddr == 0);
	EXPECT(!elf_has_note(&image, XEN_ELFNOTE_HYPERCALL_PAGE));
	EXPECT(parse_legacy(&image, "__xen_guest", "LOADER=generic") == NULL);
	EXPECT(image.segment[0].paddr == 0x100000);
	EXPECT(parse_legacy(&image, "__xen_guess", text) == NULL && !image.nr_notes);
	EXPECT(parse_legacy(&image, "__xen_guest", "VIRT_BASE=many") == NULL && !image.nr_notes);
}

int main(void)
{
	struct elf_image image;
	u8 f[SIZE];

	make_image(f);
	EXPECT(parse(&image, f, SIZE) == NULL);
	EXPECT(image.nr_segments == 1);
	EXPECT(image.segment[0].paddr == 0x100000 && image.segment[0].memsz == 128);
	EXPECT(elf_has_note(&image, XEN_ELFNOTE_ENTRY));
	EXPECT(image.note[XEN_ELFNOTE_ENTRY] == 0xffffffff80100000ull);
	EXPECT(!elf_has_note(&image, XEN_ELFNOTE_INIT_P2M));
	EXPECT(image.entry == 0x100010);
	for (size_t n = 0; n < LOADED; n++)
		EXPECT(parse(&image, f, n) != NULL);
	texts_and_offset();
	sections();
	older_than_notes();
	srand(1);
	for (int i = 0; i < 100000; i++) {
		make_image(f);
		add_sections(f, "__xen_guest", "LOADER=generic,VIRT_BASE=0x1,HYPERCALL_PAGE=2");
		if (i % 2)
			put(f + 120, 0, 4);
		if (i % 4 == 3)
			put(f + SECTIONS + 4, 0, 4);
		for (int k = 0; k < 4; k++)
			f[rand() % (i % 2 ? 800 : 348)] = (u8)rand();
		(void)parse(&image, f, SIZE);
	}
	return unit_failures != 0;
}
