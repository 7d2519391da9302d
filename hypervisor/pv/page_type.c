// SPDX-License-Identifier: MIT
/*
 * The safety argument of direct paging.
 *
 * Guests write machine frame numbers into page tables that the processor walks. What must never
 * happen: a translation, usable from ring 3, to a frame the domain does not own, or a writable one
 * to a frame the processor reads as a table or descriptor table.
 *
 * Each frame has an owner, a count of all its uses (refs), and a count of its uses as .type
 * (type_refs). We keep these true at every return to a guest:
 *
 *  1. A frame has one type at a time: the type changes only while type_refs is 0.
 *  2. Every present entry of a frame typed L1 refers to a frame owned by the domain, or to one of
 *     another that a grant mapping of the domain holds, and holds one ref of it; if the entry is
 *     writable, also one type ref as FT_WRITABLE.
 *  3. Every present entry of a frame typed Ln, n > 1, holds one type ref of a frame typed L(n-1).
 *     It never maps a large page. In an L4, slots 256..271 are ours, copied in when the frame
 *     becomes an L4 and never writable by the guest afterwards.
 *  4. The processor's CR3 holds a frame typed L4 and a type ref on it (both base pointers do).
 *  5. A frame leaves its owner only with refs == 1 and nothing in the TLB.
 *
 * By 1 and 2 no writable entry leads to a table; by 2, 3 and 4 every walk from CR3 passes only
 * checked tables and ends in the domain's own frames, in lent ones, or in our slots, which are
 * supervisor-only but for the read-only M2P. New entries are checked before they are stored and
 * the old entry's uses returned after, so a refused update changes nothing. Levels fall strictly
 * along a walk: a linear table, one that refers to itself or to another of its level, asks for a
 * second type and is refused by 1. (Xen allows read-only ones, but then each walk must ask at
 * which level it ended.)
 *
 * The TLB and the processor's walk caches may still hold what an entry said before. They matter
 * when the type of a frame changes (once writable, now a table; once a table, now writable): the
 * epoch in which type_refs fell to 0 is kept in .last_used, and the new type begins with a flush
 * unless one happened since. A frame that is given back is always preceded by a flush.
 *
 * .occupied only saves time: it may name a part of a table that is empty, never miss one with a
 * present entry. Bits are set when a table is validated and when an entry is written.
 *
 * Checking or releasing a large tree takes long, so both stop when a timer is due. A table checked
 * in part (FRAME_PARTIAL) has its type and one reference that nobody else holds: its first .checked
 * entries are held, the rest is not; nothing refers to it, it is not written, and whoever asks for
 * its type goes on with the check. A table being released (FRAME_RELEASING), after its last use or
 * because its check ended with a refusal, keeps its last reference until all entries are given
 * back; .occupied says what is left, and it can be neither used nor written. L1 tables are done in
 * one go. Beyond that, no half-done state is ever seen: we serve one guest at a time, with
 * interrupts off.
 */
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/sched.h>

static inline u64 *table_of(mfn_t m)
{
	return mfn_to_virt(m);
}

static inline bool is_table(enum frame_type type)
{
	return type >= FT_L1 && type <= FT_L4;
}

static inline bool hv_slot(enum frame_type level, unsigned int i)
{
	return level == FT_L4 && i >= L4_HV_FIRST && i <= L4_HV_LAST;
}

/*
 * The guest kernel runs in ring 3, so every entry needs the user bit, whatever the guest thinks.
 * And all its frames are RAM, which we read write-back when we check it: mapped in another way it
 * could show the processor something else, so the bits that ask for one are dropped.
 */
static inline u64 complete_entry(u64 pte, enum frame_type level)
{
	if (level == FT_L1)
		return (pte & ~(PTE_G | PTE_PWT | PTE_PCD | PTE_PAT)) | PTE_US;
	pte &= ~(PTE_PWT | PTE_PCD);
	if (level == FT_L4)
		return pte | PTE_US | PTE_A;
	return pte | PTE_US;
}

static inline int get_writable(struct frame *f)
{
	if (likely(f->type == FT_WRITABLE)) {
		f->type_refs++;
		f->refs++;
		return 0;
	}
	if (f->type_refs)
		return trace_error(-EBUSY);
	if (f->type != FT_NONE && f->last_used == tlb_epoch)
		tlb_flush();
	f->type = FT_WRITABLE;
	f->type_refs = 1;
	f->refs++;
	return 0;
}

/* A use becomes one without a type. */
static inline void drop_writer(struct frame *f)
{
	if (--f->type_refs == 0)
		f->last_used = tlb_epoch;
}

static inline void drop_type_ref(struct frame *f)
{
	f->refs--;
	drop_writer(f);
}

static inline int get_l1e(struct domain *d, u64 pte)
{
	struct frame *f = page_owned(d, pte_mfn(pte));

	if (unlikely(!f))
		return trace_error(-EPERM);
	if (unlikely(f->refs >= MAX_REFS))
		return trace_error(-EBUSY);
	if (pte & PTE_RW)
		return get_writable(f);
	f->refs++;
	return 0;
}

static inline void put_l1e(u64 pte)
{
	struct frame *f = frame_of(pte_mfn(pte));

	if (pte & PTE_RW)
		drop_type_ref(f);
	else
		f->refs--;
}

/* Takes what a present entry of a table at level refers to. */
static int get_entry(struct domain *d, u64 pte, enum frame_type level)
{
	if (level == FT_L1)
		return get_l1e(d, pte);
	if (pte & PTE_PS)
		return trace_error(-EINVAL);
	return page_get_type(d, pte_mfn(pte), level - 1);
}

static void put_entry(u64 pte, enum frame_type level)
{
	if (level == FT_L1)
		put_l1e(pte);
	else
		page_put_type(pte_mfn(pte));
}

static inline void mark_occupied(struct frame *f, const u64 *entry)
{
	f->occupied |= 1ull << (((u64)entry & ~PAGE_MASK) / (8 * sizeof(u64)));
}

/* One bit for each eight words that are not all zero. Most tables are mostly empty. */
static u64 find_occupied(const u64 *p)
{
	u64 bits = 0;

#pragma GCC unroll 8
	for (unsigned int i = 0; i < 64; i++, p += 8)
		if (p[0] | p[1] | p[2] | p[3] | p[4] | p[5] | p[6] | p[7])
			bits |= 1ull << i;
	return bits;
}

/* Gives back what the first `end` entries hold; `bits` as in .occupied. */
static void release_entries(u64 *table, enum frame_type level, u64 bits, unsigned int end)
{
	for (; bits; bits &= bits - 1) {
		unsigned int first = (unsigned int)__builtin_ctzll(bits) * 8;

		for (unsigned int i = first; i < first + 8 && i < end; i++)
			if ((table[i] & PTE_P) && !hv_slot(level, i))
				put_entry(table[i], level);
	}
}

/* L1 tables are by far the most: no levels, no slots of ours. */
static void release_l1(const struct frame *f, const u64 *table)
{
	for (u64 bits = f->occupied; bits; bits &= bits - 1) {
		const u64 *p = table + (unsigned int)__builtin_ctzll(bits) * 8;

		for (unsigned int i = 0; i < 8; i++)
			if (p[i] & PTE_P)
				put_l1e(p[i]);
	}
}

static void queue_release(struct frame *f, mfn_t m)
{
	struct domain *d = domains[f->owner];

	f->flags |= FRAME_RELEASING;
	f->next_released = d->release_head;
	d->release_head = (u32)m.n;
}

/* Tables below the one being released are put on the list in turn, so nothing here recurses. */
bool page_release_work(struct domain *d, bool may_stop)
{
	while (d->release_head) {
		mfn_t m = mfn(d->release_head);
		struct frame *f = frame_of(m);

		d->release_head = f->next_released;
		while (f->occupied) {
			u64 group = f->occupied & -f->occupied;

			release_entries(table_of(m), f->type, group, PTES_PER_PAGE);
			f->occupied &= ~group;
			if (may_stop && sched_should_preempt()) {
				queue_release(f, m);
				return false;
			}
		}
		f->flags &= ~FRAME_RELEASING;
		drop_type_ref(f);
	}
	return true;
}

/*
 * Gives up a table of which only the first `end` entries are held. Entries of a higher one may be
 * whole trees, so that is left to page_release_work(), but for the group that `end` cuts.
 */
static void abandon(struct frame *f, u64 *table, u64 occupied, unsigned int end)
{
	u64 cut = end < PTES_PER_PAGE ? 1ull << (end / 8) : 0;

	f->flags &= ~FRAME_PARTIAL;
	if (f->type == FT_L1) {
		release_entries(table, FT_L1, occupied, end);
		drop_type_ref(f);
		return;
	}
	release_entries(table, f->type, occupied & cut, end);
	f->occupied = occupied & (cut - 1);
	queue_release(f, virt_to_mfn(table));
}

static int validate_entry(struct domain *d, u64 *entry, enum frame_type level)
{
	u64 pte = *entry;
	int rc = level == FT_L1 ? get_l1e(d, pte) : get_entry(d, pte, level);

	if (likely(rc == 0))
		*entry = complete_entry(pte, level);
	return rc;
}

static int stop_at(struct frame *f, unsigned int i)
{
	f->flags |= FRAME_PARTIAL;
	f->checked = i;
	return -EAGAIN;
}

/*
 * Takes what the entries from `start` on hold and completes them. If one is refused, the table is
 * given up. The contents cannot have changed since an earlier part: the type forbids it.
 */
static int validate_table(struct domain *d, struct frame *f, u64 *table, unsigned int start)
{
	enum frame_type level = f->type;
	u64 occupied = find_occupied(table);

	for (u64 bits = occupied; bits; bits &= bits - 1) {
		unsigned int first = (unsigned int)__builtin_ctzll(bits) * 8;

		for (unsigned int i = MAX(first, start); i < first + 8; i++) {
			int rc;

			if (!(table[i] & PTE_P) || hv_slot(level, i))
				continue;
			rc = validate_entry(d, &table[i], level);
			if (unlikely(rc == -EAGAIN))
				return stop_at(f, i);
			if (unlikely(rc < 0)) {
				abandon(f, table, occupied, i);
				return rc;
			}
			if (level != FT_L1 && sched_should_preempt())
				return stop_at(f, i + 1);
		}
	}
	f->occupied = occupied;
	if (level == FT_L4)
		pagetable_fill_hv_slots(table);
	return 0;
}

/*
 * The one type reference goes to the caller, stays with the unfinished table, or is undone. Then
 * the type stays noted: the frame may have been such a table before, in this very epoch.
 */
static int validate(struct domain *d, struct frame *f, mfn_t m, unsigned int start)
{
	int rc = 0;

	f->flags &= ~FRAME_PARTIAL;
	if (is_table(f->type))
		return validate_table(d, f, table_of(m), start);
	if (f->type == FT_SEGDESC)
		rc = descriptor_validate_page(table_of(m));
	if (rc < 0)
		drop_type_ref(f);
	return rc;
}

/* Linear tables get the answer that Xen gives where it is told to refuse them. */
static inline int refusal(const struct frame *f, enum frame_type type)
{
	return is_table(type) && is_table(f->type) && f->type > type ? trace_error(-EINVAL)
								     : trace_error(-EBUSY);
}

int page_get_type(struct domain *d, mfn_t m, enum frame_type type)
{
	struct frame *f = page_owned(d, m);

	if (!f)
		return trace_error(-EPERM);
	if (f->refs >= MAX_REFS)
		return trace_error(-EBUSY);
	if (type == FT_WRITABLE)
		return get_writable(f);
	if (f->type_refs) {
		if (f->type != type || (f->flags & FRAME_RELEASING))
			return refusal(f, type);
		if (f->flags & FRAME_PARTIAL)
			return validate(d, f, m, f->checked);
		f->type_refs++;
		f->refs++;
		return 0;
	}
	if (f->type != type && f->type != FT_NONE && f->last_used == tlb_epoch)
		tlb_flush();
	f->type = type;
	f->type_refs = 1;
	f->refs++;
	return validate(d, f, m, 0);
}

void page_put_type(mfn_t m)
{
	struct frame *f = frame_of(m);

	BUG_ON(f->type_refs == 0);
	if (f->type_refs == 1 && is_table(f->type)) {
		if (f->type != FT_L1) {
			queue_release(f, m);
			return;
		}
		release_l1(f, table_of(m));
	}
	drop_type_ref(f);
}

void page_drop_partial(mfn_t m)
{
	struct frame *f = frame_of(m);

	abandon(f, table_of(m), find_occupied(table_of(m)), f->checked);
}

/* owner: of the frame that val refers to. */
static inline __attribute__((always_inline)) int
write_l1e(struct domain *owner, struct frame *table, u64 *entry, u64 val, bool keep_ad)
{
	u64 old = *entry;
	int rc;

	if (val & PTE_P) {
		val = complete_entry(val, FT_L1);
		if (keep_ad)
			val |= old & (PTE_A | PTE_D);
		/* Same frame: no use changes, or it is only no longer written to (a fork's every
		 * page). */
		if ((old & PTE_P) && !((old ^ val) & PTE_ADDR_MASK) &&
		    (old & PTE_RW) >= (val & PTE_RW)) {
			*entry = val;
			if ((old ^ val) & PTE_RW)
				drop_writer(frame_of(pte_mfn(val)));
			return 0;
		}
		rc = get_l1e(owner, val);
		if (unlikely(rc < 0))
			return rc;
		mark_occupied(table, entry);
	}
	*entry = val;
	if (old & PTE_P)
		put_l1e(old);
	return 0;
}

int page_write_l1e(struct domain *d, struct frame *table, u64 *entry, u64 val, bool keep_ad)
{
	return write_l1e(d, table, entry, val, keep_ad);
}

int page_map_lent(struct domain *owner, struct frame *table, u64 *entry, u64 val)
{
	return write_l1e(owner, table, entry, val, false);
}

int page_write_entry(struct domain *d, struct frame *table, u64 *entry, u64 val, bool keep_ad)
{
	enum frame_type level = table->type;
	u64 old = *entry;
	int rc;

	if (level == FT_L1)
		return page_write_l1e(d, table, entry, val, keep_ad);
	if (table->flags & (FRAME_PARTIAL | FRAME_RELEASING))
		return trace_error(-EBUSY);
	if (hv_slot(level, ((u64)entry & ~PAGE_MASK) / sizeof(u64)))
		return trace_error(-EPERM);
	if (val & PTE_P) {
		val = complete_entry(val, level);
		if (keep_ad)
			val |= old & (PTE_A | PTE_D);
		rc = get_entry(d, val, level);
		if (rc < 0)
			return rc;
		mark_occupied(table, entry);
	}
	*entry = val;
	if (old & PTE_P)
		put_entry(old, level);
	return 0;
}

int page_pin(struct domain *d, mfn_t m, enum frame_type type)
{
	struct frame *f = page_owned(d, m);
	int rc;

	if (!f)
		return trace_error(-EPERM);
	if (f->flags & FRAME_PINNED)
		return trace_error(-EBUSY);
	rc = page_get_type(d, m, type);
	if (rc == 0)
		f->flags |= FRAME_PINNED;
	return rc;
}

int page_unpin(struct domain *d, mfn_t m)
{
	struct frame *f = page_owned(d, m);

	if (!f)
		return trace_error(-EPERM);
	if (!(f->flags & FRAME_PINNED))
		return trace_error(-EINVAL);
	f->flags &= ~FRAME_PINNED;
	page_put_type(m);
	return 0;
}

void page_share(struct domain *d, void *page)
{
	struct frame *f = frame_of(virt_to_mfn(page));

	f->owner = d->id;
	f->flags = FRAME_SHARED;
	f->type = FT_WRITABLE; /* with a reference nobody returns: it can never become a table */
	f->type_refs = 1;
	f->refs++;
}

void page_unshare(struct domain *d, void *page)
{
	d->leaks += frame_of(virt_to_mfn(page))->refs != 2;
	page_free(page);
}

/* Tables hold no large pages and no foreign tables, so the walk needs no checks but presence. */
u64 *page_walk_l1(vaddr_t va, struct frame **table)
{
	u64 pte = cpu.hot.kernel_cr3;

	if (unlikely(!guest_range_ok(va, 1)))
		return NULL;
#pragma GCC unroll 4
	for (unsigned int level = 4; level > 1; level--) {
		pte = table_of(pte_mfn(pte))[pt_index(va.n, level)];
		if (unlikely(!(pte & PTE_P)))
			return NULL;
	}
	if (table)
		*table = frame_of(pte_mfn(pte));
	return &table_of(pte_mfn(pte))[pt_index(va.n, 1)];
}
