/* SPDX-License-Identifier: MIT */
/* The frame table: one record per machine frame, and the allocator of whole frames. */
#ifndef HV_FRAME_H
#define HV_FRAME_H

#include <hv/types.h>

/* What a guest's frame may be used as, one at a time while type_refs > 0. See pv/page_type.c. */
enum frame_type { FT_NONE, FT_L1, FT_L2, FT_L3, FT_L4, FT_SEGDESC, FT_WRITABLE };

/* Owners that are no domain. */
#define OWNER_ABSENT	 0xffff /* not RAM */
#define OWNER_FREE	 0xfffe
#define OWNER_HYPERVISOR 0xfffd
#define OWNER_MODULE	 0xfffc /* a boot module that no domain has taken yet */

#define FRAME_PINNED	1 /* a guest's pin holds one reference and one type reference */
#define FRAME_PARTIAL	8 /* a table checked up to entry .checked; one type reference keeps it so */
#define FRAME_RELEASING 16 /* a table on its owner's release list */
#define FRAME_SHARED	2  /* the hypervisor's, lent to the owner: not part of its memory */

struct frame {
	u32 refs;      /* all uses: 1 for being allocated, and every entry, pin and base */
	u32 type_refs; /* uses as .type */
	union {
		u32 next_free;	   /* owner OWNER_FREE */
		u32 checked;	   /* FRAME_PARTIAL: first entry that nothing is held for yet */
		u32 next_released; /* FRAME_RELEASING; 0 = none */
		u32 last_used;	   /* else: flush epoch in which type_refs fell to 0 */
	};
	u16 owner;
	u8 type;
	u8 flags;
	u64 occupied; /* of a table: bit n set if entries 8n .. 8n + 7 may be present */
};

struct memory_range {
	u64 start, end; /* bytes */
};

#define MAX_RANGES 48

struct memory_map {
	unsigned int nr_ram, nr_reserved, nr_modules;
	struct memory_range ram[MAX_RANGES];
	struct memory_range reserved[MAX_RANGES]; /* ours, inside RAM */
	struct memory_range module[MAX_RANGES];
};

extern struct frame *frame_table;
extern u64 max_mfn; /* first frame number beyond RAM */
extern u64 nr_free_frames;

/* The machine-to-guest table: what guests read at MACH2PHYS_VIRT_START. */
extern u64 *m2p_table;
#define M2P_INVALID (~0ull)

/* All RAM is mapped here, for us alone. (Host units give another address.) */
#ifndef DIRECT_MAP_BASE
#define DIRECT_MAP_BASE 0xffff830000000000ull
#endif

static inline void *mfn_to_virt(mfn_t m)
{
	return (void *)(DIRECT_MAP_BASE + (m.n << PAGE_SHIFT));
}

static inline void *paddr_to_virt(paddr_t p)
{
	return (void *)(DIRECT_MAP_BASE + p.n);
}

/* Precondition: p lies in the direct map. */
static inline mfn_t virt_to_mfn(const void *p)
{
	return mfn(((u64)p - DIRECT_MAP_BASE) >> PAGE_SHIFT);
}

/* Precondition: m.n < max_mfn. */
static inline struct frame *frame_of(mfn_t m)
{
	return &frame_table[m.n];
}

/*
 * Builds frame table, M2P and free list from map. Only RAM below early_limit is mapped yet; the
 * tables themselves are placed there. Panics if they do not fit.
 */
void frame_init(const struct memory_map *map, u64 early_limit);

/* Takes a free frame for owner, with one reference. Contents are zero. MFN_INVALID if none left. */
mfn_t frame_alloc(u16 owner);

/* Gives a frame back. Precondition: nothing refers to it any more. */
void frame_free(mfn_t m);

/* The same for the hypervisor's own pages; NULL if none left. */
void *page_alloc(void);
void page_free(void *page);

#endif
