// SPDX-License-Identifier: MIT
/*
 * Frame types and counts against a model: random pins, unpins, entry writes and type requests on a
 * small machine; after each the counts of every frame are computed anew from all tables and must
 * agree, and no writable entry may lead to a table.
 */
#include "unit.h"
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/vcpu.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FRAMES	48
#define FOREIGN 4 /* the last ones belong to somebody else; so does frame 0, as in life */
#define ROUNDS	20000

static struct domain d = {.id = 1};
static unsigned int seen_partial, seen_releasing;
extern bool fake_impatient;
static u32 refs[FRAMES], type_refs[FRAMES];

static u64 *page(unsigned int n)
{
	return mfn_to_virt(mfn(n));
}

static bool table(const struct frame *f)
{
	return f->type_refs && f->type >= FT_L1 && f->type <= FT_L4;
}

/* Whether entry i of a table holds what it names: not all do in one half checked or half released.
 */
static bool holds(const struct frame *f, const u64 *p, unsigned int i)
{
	if (!(p[i] & PTE_P) || (f->type == FT_L4 && i >= 256 && i <= 271))
		return false;
	if (f->flags & FRAME_PARTIAL)
		return i < f->checked;
	return !(f->flags & FRAME_RELEASING) || (f->occupied >> (i / 8) & 1);
}

/* What an entry of a table at level claims. */
static void count_entry(u64 pte, unsigned int level)
{
	u64 n = pte_mfn(pte).n;

	EXPECT(n > 0 && n < FRAMES - FOREIGN);
	EXPECT(pte & PTE_US);
	EXPECT(!(pte & (PTE_PWT | PTE_PCD))); /* write-back, always */
	EXPECT(level != FT_L1 || !(pte & PTE_PAT));
	if (n >= FRAMES)
		return;
	refs[n]++;
	if (level == FT_L1 && !(pte & PTE_RW))
		return;
	type_refs[n]++;
	EXPECT(frame_of(mfn(n))->type == (level == FT_L1 ? FT_WRITABLE : level - 1));
}

static void compare(void)
{
	memset(refs, 0, sizeof(refs));
	memset(type_refs, 0, sizeof(type_refs));
	for (unsigned int n = 0; n < FRAMES; n++) {
		const struct frame *f = frame_of(mfn(n));

		unsigned int own =
		    !!(f->flags & FRAME_PINNED) + !!(f->flags & (FRAME_PARTIAL | FRAME_RELEASING));

		refs[n] += 1 + own;
		type_refs[n] += own;
		for (unsigned int i = 0; table(f) && i < PTES_PER_PAGE; i++)
			if (holds(f, page(n), i))
				count_entry(page(n)[i], f->type);
	}
	for (unsigned int n = 0; n < FRAMES; n++) {
		EXPECT(frame_of(mfn(n))->refs == refs[n]);
		EXPECT(frame_of(mfn(n))->type_refs == type_refs[n]);
	}
}

static u64 random_entry(void)
{
	u64 pte = (u64)(rand() % (FRAMES + 2)) << PAGE_SHIFT;

	pte |= rand() % 8 ? PTE_P : 0;
	pte |= rand() % 3 ? 0 : PTE_RW;
	pte |= rand() % 16 ? 0 : PTE_PS;
	pte |= rand() % 8 ? 0 : PTE_PCD;
	pte |= rand() % 8 ? 0 : PTE_PWT;
	return pte | (rand() % 2 ? PTE_G : 0);
}

static unsigned int random_slot(void)
{
	return rand() % 4 ? (unsigned int)rand() % 8 : (unsigned int)rand() % 512;
}

/* Writes through the call if the frame is a table, as plain memory if the guest could. */
static void write_somewhere(unsigned int n)
{
	struct frame *f = frame_of(mfn(n));
	unsigned int slot = random_slot();
	u64 before = page(n)[slot];
	u64 val = random_entry();

	if (!table(f))
		page(n)[slot] = val;
	else if (page_write_entry(&d, f, &page(n)[slot], val, rand() % 2) < 0)
		EXPECT(page(n)[slot] == before);
}

/* Most are carried to their end, some are left half done. */
static void pin(unsigned int n, enum frame_type type)
{
	int rc;

	do {
		rc = page_pin(&d, mfn(n), type);
		compare();
	} while (rc == -EAGAIN && rand() % 8);
	seen_partial += rc == -EAGAIN;
}

static void step(void)
{
	unsigned int n = (unsigned int)rand() % FRAMES;
	enum frame_type type = FT_L1 + (enum frame_type)(rand() % 4);

	/* More often than chance would: ask for what is just being released. */
	if (d.release_head && rand() % 2) {
		n = d.release_head;
		type = rand() % 2 ? (enum frame_type)frame_of(mfn(n))->type : type;
	}
	switch (rand() % 6) {
	case 0:
		pin(n, type);
		break;
	case 1:
		(void)!page_unpin(&d, mfn(n));
		break;
	case 2:
		if (rand() % 4 == 0 && !frame_of(mfn(n))->type_refs)
			memset(page(n), 0, PAGE_SIZE);
		break;
	default:
		write_somewhere(n);
	}
}

/*
 * A check that fails leaves a frame that was a table of this kind in the same epoch: the walk
 * caches may still hold it, so its next use as writable memory begins with a flush.
 */
static void refused_table_is_flushed_later(void)
{
	struct frame *f = frame_of(mfn(1));
	u32 epoch;

	EXPECT(page_get_type(&d, mfn(1), FT_L1) == 0);
	page_put_type(mfn(1));
	epoch = tlb_epoch;
	page(1)[0] = (u64)(FRAMES - 1) << PAGE_SHIFT | PTE_P;
	EXPECT(page_get_type(&d, mfn(1), FT_L1) == -EPERM);
	EXPECT(f->type_refs == 0 && f->refs == 1);
	EXPECT(tlb_epoch == epoch); /* the same kind again: nothing to flush yet */
	EXPECT(page_get_type(&d, mfn(1), FT_WRITABLE) == 0);
	EXPECT(tlb_epoch != epoch);
	page_put_type(mfn(1));
	page(1)[0] = 0;
}

/*
 * What the entries before a refused one hold may be a large tree: it is put on the release list,
 * where it is given back in steps, and not within the call that is refused.
 */
static void refused_tree_is_released_in_steps(void)
{
	const unsigned int tables = 20; /* frames 2..21, in two and a half groups of entries */
	struct frame *f = frame_of(mfn(1));
	unsigned int held = 0;

	for (unsigned int i = 0; i < tables; i++)
		page(1)[i] = (2ull + i) << PAGE_SHIFT | PTE_P;
	page(1)[tables] = (u64)(FRAMES - 1) << PAGE_SHIFT | PTE_P;
	EXPECT(page_get_type(&d, mfn(1), FT_L2) == -EPERM);
	EXPECT((f->flags & FRAME_RELEASING) && f->type_refs == 1);
	EXPECT(page_get_type(&d, mfn(1), FT_L2) == -EBUSY);
	for (unsigned int i = 0; i < tables; i++)
		held += frame_of(mfn(2 + i))->type_refs;
	EXPECT(held == 16);
	compare();
	EXPECT(page_release_work(&d, false));
	compare();
	EXPECT(f->type_refs == 0 && f->refs == 1 && !f->flags);
	memset(page(1), 0, PAGE_SIZE);
}

int main(void)
{
	unsigned int pinned = 0;

	srand(7);
	domains[1] = &d;
	max_mfn = FRAMES;
	frame_table = calloc(FRAMES, sizeof(*frame_table));
	if (mmap((void *)DIRECT_MAP_BASE, FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) != (void *)DIRECT_MAP_BASE)
		return 2;
	for (unsigned int n = 0; n < FRAMES; n++)
		frame_table[n] =
		    (struct frame){.refs = 1, .owner = n && n < FRAMES - FOREIGN ? 1 : 2};
	refused_table_is_flushed_later();
	refused_tree_is_released_in_steps();
	for (unsigned int i = 0; i < ROUNDS && unit_failures < 10; i++) {
		fake_impatient = i % 2;
		step();
		compare();
		if (rand() % 2)
			seen_releasing += !page_release_work(&d, true);
		compare();
	}
	for (unsigned int n = 0; n < FRAMES; n++) {
		pinned += !!(frame_table[n].flags & FRAME_PINNED);
		(void)!page_unpin(&d, mfn(n));
		if (frame_table[n].flags & FRAME_PARTIAL)
			page_drop_partial(mfn(n));
	}
	compare();
	EXPECT(page_release_work(&d, false));
	compare();
	EXPECT(pinned > 3 && seen_partial > 3 && seen_releasing > 3); /* else nothing was tried */
	for (unsigned int n = 0; n < FRAMES; n++)
		EXPECT(frame_table[n].refs == 1 && frame_table[n].type_refs == 0);
	free(frame_table);
	return unit_failures != 0;
}
