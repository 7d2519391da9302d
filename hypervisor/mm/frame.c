// SPDX-License-Identifier: MIT
/*
 * The frame table and the frame allocator.
 *
 * Invariants: every machine frame below max_mfn has a record. No domain ever sees another's data,
 * nor what RAM holds at power-on: every frame is cleared when it is handed out. type and counts of
 * guests' frames belong to pv/page_type.c.
 */
#include <hv/frame.h>
#include <hv/printk.h>
#include <hv/string.h>

struct frame *frame_table;
u64 *m2p_table;
u64 max_mfn;
u64 nr_free_frames;

#define LINK_END   0xffffffffu
#define LOW_MEMORY 0x100000 /* firmware data and device holes: never used */

static u32 free_head = LINK_END;

/* Finds room for the tables at the top of RAM below limit, above every module. */
static u64 place_tables(const struct memory_map *map, u64 bytes, u64 limit)
{
	u64 best = 0;
	u64 floor = LOW_MEMORY;

	for (unsigned int i = 0; i < map->nr_reserved; i++)
		floor = MAX(floor, map->reserved[i].end);
	for (unsigned int i = 0; i < map->nr_modules; i++)
		floor = MAX(floor, map->module[i].end);
	for (unsigned int i = 0; i < map->nr_ram; i++) {
		u64 end = MIN(map->ram[i].end, limit) & PAGE_MASK;

		if (end > map->ram[i].start && end >= bytes &&
		    end - bytes >= MAX(map->ram[i].start, floor))
			best = MAX(best, end - bytes);
	}
	if (!best)
		panic("too little memory: no room for %lu KiB of frame tables\n", bytes >> 10);
	return best;
}

static void set_owner(u64 start, u64 end, u16 owner)
{
	for (u64 n = start >> PAGE_SHIFT; n < PFN_UP(end) && n < max_mfn; n++)
		frame_table[n].owner = owner;
}

static void add_free(u64 n)
{
	frame_table[n] = (struct frame){.owner = OWNER_FREE, .next_free = free_head};
	free_head = (u32)n;
	nr_free_frames++;
}

void frame_init(const struct memory_map *map, u64 early_limit)
{
	u64 table_bytes, m2p_bytes, base;

	for (unsigned int i = 0; i < map->nr_ram; i++)
		max_mfn = MAX(max_mfn, map->ram[i].end >> PAGE_SHIFT);
	table_bytes = PFN_UP(max_mfn * sizeof(struct frame)) << PAGE_SHIFT;
	m2p_bytes = PFN_UP(max_mfn * sizeof(u64)) << PAGE_SHIFT;
	base = place_tables(map, table_bytes + m2p_bytes, early_limit);
	frame_table = paddr_to_virt(paddr(base));
	m2p_table = paddr_to_virt(paddr(base + table_bytes));
	memset(m2p_table, 0xff, m2p_bytes);
	memset(frame_table, 0, table_bytes);
	set_owner(0, max_mfn << PAGE_SHIFT, OWNER_ABSENT);
	for (unsigned int i = 0; i < map->nr_ram; i++)
		set_owner(PFN_UP(map->ram[i].start) << PAGE_SHIFT, map->ram[i].end & PAGE_MASK,
			  OWNER_FREE);
	for (unsigned int i = 0; i < map->nr_reserved; i++)
		set_owner(map->reserved[i].start, map->reserved[i].end, OWNER_HYPERVISOR);
	for (unsigned int i = 0; i < map->nr_modules; i++)
		set_owner(map->module[i].start, map->module[i].end, OWNER_MODULE);
	set_owner(0, LOW_MEMORY, OWNER_HYPERVISOR);
	set_owner(base, base + table_bytes + m2p_bytes, OWNER_HYPERVISOR);
	for (u64 n = max_mfn; n--;)
		if (frame_table[n].owner == OWNER_FREE)
			add_free(n);
}

mfn_t frame_alloc(u16 owner)
{
	mfn_t m = mfn(free_head);
	struct frame *f;

	if (free_head == LINK_END)
		return MFN_INVALID;
	f = frame_of(m);
	free_head = f->next_free;
	memset(mfn_to_virt(m), 0, PAGE_SIZE);
	*f = (struct frame){.refs = 1, .owner = owner};
	nr_free_frames--;
	return m;
}

void frame_free(mfn_t m)
{
	BUG_ON(frame_of(m)->owner == OWNER_FREE);
	m2p_table[m.n] = M2P_INVALID;
	add_free(m.n);
}

void *page_alloc(void)
{
	mfn_t m = frame_alloc(OWNER_HYPERVISOR);

	return m.n == MFN_INVALID.n ? NULL : mfn_to_virt(m);
}

void page_free(void *page)
{
	frame_free(virt_to_mfn(page));
}
