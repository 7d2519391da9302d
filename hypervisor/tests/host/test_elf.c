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

#define SIZE 512

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
	for (size_t n = 0; n < 344; n++)
		EXPECT(parse(&image, f, n) != NULL);
	srand(1);
	for (int i = 0; i < 100000; i++) {
		make_image(f);
		for (int k = 0; k < 4; k++)
			f[rand() % 348] = (u8)rand();
		(void)parse(&image, f, SIZE);
	}
	return unit_failures != 0;
}
