/* SPDX-License-Identifier: MIT */
/* Frame types and counts: what a guest's frame may be used for. The argument is in the .c file. */
#ifndef HV_PAGE_TYPE_H
#define HV_PAGE_TYPE_H

#include <hv/domain.h>
#include <hv/frame.h>
#include <hv/pagetable.h>
#include <hv/types.h>

/* More uses than this of one frame are refused, long before the counter could wrap. */
#define MAX_REFS 0x7fffffffu

/* The record of m if it exists and belongs to d, else NULL. */
static inline struct frame *page_owned(const struct domain *d, mfn_t m)
{
	struct frame *f;

	if (unlikely(m.n >= max_mfn))
		return NULL;
	f = frame_of(m);
	return likely(f->owner == d->id) ? f : NULL;
}

/*
 * Takes one reference to m as type, checking and completing it first if it becomes a table.
 * -EPERM: not d's frame. -EBUSY: in use as something else. -EINVAL: its contents are refused, or
 * it is in use as a table of a higher level (a linear page table). -EAGAIN: a timer is due; what
 * was checked so far is kept, call again.
 */
__must_check int page_get_type(struct domain *d, mfn_t m, enum frame_type type);

/*
 * Returns such a reference. After the last one of an L1 its entries are given back at once; a
 * higher table goes to its owner's release list, for page_release_work().
 */
void page_put_type(mfn_t m);

/*
 * Works off d's release list. Returns true when it is empty, or false if may_stop is set and a
 * timer became due.
 */
bool page_release_work(struct domain *d, bool may_stop);

/* Gives up a table that was checked in part only, at the end of its domain. */
void page_drop_partial(mfn_t m);

/*
 * Changes one entry of a table in use. Validates the new value, stores it, then gives back the old
 * one; nothing changes on error. keep_ad: the old accessed and dirty bits survive.
 */
__must_check int page_write_entry(struct domain *d, struct frame *table, u64 *entry, u64 val,
				  bool keep_ad);

/* The same for an entry of a frame known to be an L1. */
__must_check int page_write_l1e(struct domain *d, struct frame *table, u64 *entry, u64 val,
				bool keep_ad);

/*
 * The same for a frame of `owner` that a grant mapping holds. From then on the entry is like any
 * other, but that the frame cannot be entered again by its number.
 */
__must_check int page_map_lent(struct domain *owner, struct frame *table, u64 *entry, u64 val);

/* Pins and unpins a table. */
__must_check int page_pin(struct domain *d, mfn_t m, enum frame_type type);
__must_check int page_unpin(struct domain *d, mfn_t m);

/* Makes a page of ours readable and writable for d by frame number, for good. */
void page_share(struct domain *d, void *page);

/* At d's end, when its tables are gone: frees such a page; what still refers to it is a leak. */
void page_unshare(struct domain *d, void *page);

/* The L1 entry that maps va in the running guest kernel's tables, or NULL; *table: its frame. */
u64 *page_walk_l1(vaddr_t va, struct frame **table);

/* Hook, defined by pv/descriptor.c: check a frame that becomes a descriptor table. */
__must_check int descriptor_validate_page(u64 *page);

#endif
