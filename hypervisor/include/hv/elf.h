/* SPDX-License-Identifier: MIT */
/* A guest kernel image: its load segments, its entry point and its Xen notes. */
#ifndef HV_ELF_H
#define HV_ELF_H

#include <hv/types.h>

#define ELF_MAX_SEGMENTS 16
#define ELF_NOTE_NUMBERS 20

struct elf_segment {
	u64 offset; /* in the file */
	u64 paddr;  /* guest physical address: p_paddr less the PADDR_OFFSET note */
	u64 filesz; /* bytes that come from the file */
	u64 memsz;  /* bytes in memory; the rest is zero */
};

struct elf_image {
	const u8 *file;
	u64 size;
	unsigned int nr_segments;
	struct elf_segment segment[ELF_MAX_SEGMENTS];
	u64 entry;	       /* of the ELF header */
	unsigned int nr_notes; /* owned by "Xen", of any kind; or what stands for one */
	/* Numeric Xen notes by type: value valid if the bit in has_note is set. */
	u32 has_note;
	u64 note[ELF_NOTE_NUMBERS];
	char loader[16], guest_os[16], xen_version[16]; /* cut off if longer */
};

/*
 * Reads headers and notes of the image at file. Every offset is checked against size, whatever
 * the file holds. Returns NULL, or a sentence that names what is wrong.
 */
__must_check const char *elf_parse(struct elf_image *image, const void *file, u64 size);

static inline bool elf_has_note(const struct elf_image *image, unsigned int type)
{
	return image->has_note & (1u << type);
}

#endif
