// SPDX-License-Identifier: MIT
/*
 * Grants against a model: three domains lend, map, unmap, copy, overwrite what they mapped and drop
 * the tables it is in; back ends hold pages meanwhile. After each step the uses of every frame are
 * counted anew from tables and handles, and what the processor may still have in its TLB must be
 * held: an owner that sees its grant free may use the page again at once. And how domains end that
 * have lent or mapped something.
 */
#include "unit.h"
#include <hv/grant.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DOMAINS 3
#define OWN	12 /* frames of each, the first TABLES of them pinned L1 tables most of the time */
#define TABLES	2
#define FRAMES	(1 + DOMAINS * OWN)
#define POOL	40 /* ours from there on */
#define ALL	160
#define REFS	16u
#define HANDLES 64
#define SLOTS	8
#define ROUNDS	60000

extern void (*fake_flush_hook)(void);
extern bool fake_impatient;

struct model {
	bool used, write;
	unsigned int owner;
	u32 ref;
	u64 frame, host_addr;
};

static struct vcpu vcpu[DOMAINS + 1];
static struct domain dom[DOMAINS + 1];
static struct model model[DOMAINS + 1][HANDLES];
static struct held back_end;
static bool held;
static bool in_tlb[FRAMES]; /* reached by the running domain, and no flush since */
static unsigned int seen[8], removed, buried, flushes, pool_used;
static bool in_pool[ALL];

void *domain_page_alloc(struct domain *d)
{
	for (u64 n = POOL; n < ALL; n++) {
		if (in_pool[n])
			continue;
		in_pool[n] = true;
		pool_used++;
		(void)d;
		frame_table[n] = (struct frame){.refs = 1, .owner = OWNER_HYPERVISOR};
		return memset(mfn_to_virt(mfn(n)), 0, PAGE_SIZE);
	}
	return NULL;
}

void page_free(void *page)
{
	u64 n = virt_to_mfn(page).n;

	EXPECT(n < ALL && in_pool[n]);
	in_pool[n] = false;
	frame_table[n] = (struct frame){.owner = OWNER_HYPERVISOR};
	pool_used--;
}

void sched_bury(struct vcpu *v)
{
	buried |= 1u << v->domain->id;
}

void sched_remove(struct vcpu *v)
{
	removed |= 1u << v->domain->id;
}

static void flushed(void)
{
	flushes++;
	memset(in_tlb, 0, sizeof(in_tlb));
}

static u64 first_of(unsigned int id)
{
	return 1 + (id - 1) * OWN;
}

static u64 *page(u64 n)
{
	return mfn_to_virt(mfn(n));
}

static bool table(u64 n)
{
	return frame_of(mfn(n))->type_refs && frame_of(mfn(n))->type == FT_L1;
}

static void run(unsigned int id)
{
	if (cpu.running == &vcpu[id])
		return;
	flushed();
	cpu.running = &vcpu[id];
}

static unsigned int running(void)
{
	return current->domain->id;
}

static struct grant_entry_v1 *entry(unsigned int id, u32 ref)
{
	static struct grant_entry_v1 *frame[DOMAINS + 1];

	if (!frame[id]) {
		xen_pfn_t n;
		struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = 1};

		run(id);
		op.frame_list.p = &n;
		EXPECT(do_grant_table_op(GNTTABOP_setup_table, (u64)&op, 1) == 0 && !op.status);
		frame[id] = mfn_to_virt(mfn(n));
	}
	return &frame[id][ref];
}

static bool holds(unsigned int id, u64 frame)
{
	for (unsigned int i = 0; i < HANDLES; i++)
		if (model[id][i].used && model[id][i].frame == frame)
			return true;
	return false;
}

static void count(u32 *refs, u32 *type_refs)
{
	for (u64 n = 1; n < FRAMES; n++) {
		bool pinned = frame_of(mfn(n))->flags & FRAME_PINNED;

		refs[n] += 1u + pinned;
		type_refs[n] += pinned;
		for (unsigned int i = 0; table(n) && i < PTES_PER_PAGE; i++) {
			u64 to = page(n)[i] >> PAGE_SHIFT & 0xff;
			unsigned int user = frame_of(mfn(n))->owner;

			if (!(page(n)[i] & PTE_P))
				continue;
			EXPECT(to && to < FRAMES);
			EXPECT(frame_of(mfn(to))->owner == user || holds(user, to));
			refs[to]++;
			type_refs[to] += !!(page(n)[i] & PTE_RW);
			if (user == running() && frame_of(mfn(to))->owner != user)
				in_tlb[to] = true;
		}
	}
	for (unsigned int i = 0; i < DOMAINS * HANDLES; i++) {
		const struct model *m = &model[1 + i / HANDLES][i % HANDLES];

		refs[m->frame] += m->used;
		type_refs[m->frame] += m->used && m->write;
	}
	if (held) {
		refs[back_end.mfn.n]++;
		type_refs[back_end.mfn.n] += back_end.write;
	}
}

static void compare(void)
{
	u32 refs[FRAMES] = {0}, type_refs[FRAMES] = {0};

	for (u64 n = 1; n < FRAMES; n++)
		EXPECT(!in_tlb[n] || holds(running(), n));
	count(refs, type_refs);
	for (u64 n = 1; n < FRAMES; n++) {
		EXPECT(frame_of(mfn(n))->refs == refs[n]);
		EXPECT(frame_of(mfn(n))->type_refs == type_refs[n]);
	}
}

/* Whether the marks of an entry that nobody overwrote are those of its uses. */
static void marks(unsigned int id, u32 ref)
{
	u16 expected = 0;

	for (unsigned int i = 0; i < DOMAINS * HANDLES; i++) {
		const struct model *m = &model[1 + i / HANDLES][i % HANDLES];

		if (m->used && m->owner == id && m->ref == ref)
			expected |= GTF_reading | (m->write ? GTF_writing : 0);
	}
	if (held && back_end.owner == id && back_end.ref == ref)
		expected |= GTF_reading | (back_end.write ? GTF_writing : 0);
	EXPECT((entry(id, ref)->flags & (GTF_reading | GTF_writing)) == expected);
}

/* Never of an entry in use: then the marks would be its owner's own business. */
static void lend(unsigned int id)
{
	u32 ref = (u32)rand() % REFS;
	struct grant_entry_v1 *e = entry(id, ref);

	if (e->flags & (GTF_reading | GTF_writing))
		return;
	e->domid = (domid_t)(rand() % (DOMAINS + 1));
	e->frame = (u32)(rand() % 8 ? first_of(id) + (u64)rand() % OWN : (u64)rand() % ALL);
	e->flags = (u16)(rand() % 8 ? GTF_permit_access : (unsigned int)rand() % 4);
	e->flags |= rand() % 3 ? 0 : GTF_readonly;
}

static void map(unsigned int id)
{
	u64 at = (first_of(id) + (u64)rand() % (TABLES + 1)) << PAGE_SHIFT;
	struct gnttab_map_grant_ref op = {
	    .host_addr = at + (u64)rand() % SLOTS * 8,
	    .flags = GNTMAP_host_map | GNTMAP_contains_pte | (rand() % 2 ? GNTMAP_readonly : 0),
	    .ref = (u32)rand() % (REFS + 1),
	    .dom = (domid_t)(rand() % (DOMAINS + 2)),
	};

	EXPECT(do_grant_table_op(GNTTABOP_map_grant_ref, (u64)&op, 1) == 0);
	if (op.status != GNTST_okay)
		return;
	EXPECT(op.handle < HANDLES && !model[id][op.handle].used);
	seen[op.dom == id ? 0 : 1]++;
	model[id][op.handle] = (struct model){.used = true,
					      .write = !(op.flags & GNTMAP_readonly),
					      .owner = op.dom,
					      .ref = op.ref,
					      .frame = op.dev_bus_addr >> PAGE_SHIFT,
					      .host_addr = op.host_addr};
	EXPECT(entry(op.dom, op.ref)->frame == op.dev_bus_addr >> PAGE_SHIFT);
}

static void unmap(unsigned int id)
{
	struct gnttab_unmap_grant_ref op[3];
	unsigned int nr = 1 + (unsigned int)rand() % 3;

	for (unsigned int i = 0; i < nr; i++) {
		u32 handle = (u32)rand() % HANDLES;

		op[i] = (struct gnttab_unmap_grant_ref){
		    .handle = handle,
		    .host_addr = model[id][handle].host_addr + (rand() % 8 ? 0 : 8),
		};
	}
	EXPECT(do_grant_table_op(GNTTABOP_unmap_grant_ref, (u64)op, nr) == 0);
	for (unsigned int i = 0; i < nr; i++) {
		struct model *m = &model[id][op[i].handle];

		EXPECT((op[i].status == GNTST_okay) ==
		       (m->used && op[i].host_addr == m->host_addr));
		if (op[i].status != GNTST_okay)
			continue;
		m->used = false;
		seen[2]++;
	}
	for (unsigned int i = 0; i < nr; i++)
		if (op[i].status == GNTST_okay)
			marks(model[id][op[i].handle].owner, model[id][op[i].handle].ref);
}

static void copy(unsigned int id)
{
	bool out = rand() % 2;
	u64 own = first_of(id) + (u64)rand() % OWN;
	struct gnttab_copy op = {.source = {{.ref = (u32)rand() % REFS}, 0, 0},
				 .dest = {{.gmfn = own}, DOMID_SELF, 0},
				 .len = 16,
				 .flags = GNTCOPY_source_gref};

	op.source.domid = (domid_t)(1 + rand() % DOMAINS);
	if (out) {
		struct gnttab_copy in = op;

		memcpy(&op.source, &in.dest, sizeof(op.source));
		memcpy(&op.dest, &in.source, sizeof(op.dest));
		op.flags = GNTCOPY_dest_gref;
	}
	EXPECT(do_grant_table_op(GNTTABOP_copy, (u64)&op, 1) == 0);
	seen[3] += op.status == GNTST_okay;
}

static void write_entry(unsigned int id)
{
	struct frame *f = frame_of(mfn(first_of(id) + (u64)rand() % TABLES));
	u64 *at = &page((u64)(f - frame_table))[rand() % SLOTS];
	u64 old = *at;
	u64 to = rand() % 4 ? first_of(id) + (u64)rand() % OWN : 1 + (u64)rand() % (FRAMES - 1);
	u64 val = rand() % 3 ? to << PAGE_SHIFT | PTE_P | (rand() % 2 ? PTE_RW : 0) : 0;

	if (!f->type_refs || f->type != FT_L1)
		return;
	if (rand() % 4 == 0 && (old & PTE_P))
		val = old ^ PTE_RW;
	if (page_write_entry(&dom[id], f, at, val, false) == 0 && (old & PTE_P))
		seen[4] += frame_of(pte_mfn(old))->owner != id;
}

static void hold_or_release(unsigned int id)
{
	if (held) {
		grant_release(&back_end);
		held = false;
		marks(back_end.owner, back_end.ref);
		return;
	}
	held = grant_hold(&dom[id], (u32)rand() % REFS, rand() % 2, &back_end) == GNTST_okay;
	seen[5] += held;
}

/* What an old table holds of others is refused when it becomes one again. */
static void pin_or_unpin(unsigned int id)
{
	u64 n = first_of(id) + (u64)rand() % TABLES;

	if (rand() % 8 == 0)
		seen[6] += page_unpin(&dom[id], mfn(n)) == 0;
	else if (page_pin(&dom[id], mfn(n), FT_L1) < 0 && !frame_of(mfn(n))->type_refs)
		memset(page(n), 0, PAGE_SIZE);
}

static void step(void)
{
	unsigned int id = running();

	switch (rand() % 10) {
	case 0:
		run(1 + (unsigned int)rand() % DOMAINS);
		break;
	case 1:
		lend(id);
		break;
	case 2:
	case 3:
		map(id);
		break;
	case 4:
		unmap(id);
		break;
	case 5:
		copy(id);
		break;
	case 6:
		hold_or_release(id);
		break;
	case 7:
		pin_or_unpin(id);
		break;
	default:
		write_entry(id);
	}
}

static void unpin_all(unsigned int id)
{
	for (u64 n = first_of(id); n < first_of(id) + OWN; n++)
		if (frame_of(mfn(n))->flags & FRAME_PINNED)
			EXPECT(page_unpin(&dom[id], mfn(n)) == 0);
}

/* One stands between the last use through a mapping and whatever the owner does with the page. */
static void flush_before_the_owner_knows(void)
{
	u64 at = first_of(2) << PAGE_SHIFT;
	struct gnttab_map_grant_ref m = {
	    .host_addr = at, .flags = GNTMAP_host_map | GNTMAP_contains_pte, .dom = 1};
	struct gnttab_unmap_grant_ref u = {.host_addr = at};
	unsigned int before;

	entry(1, 0)->frame = (u32)first_of(1) + 5;
	entry(1, 0)->domid = 2;
	entry(1, 0)->flags = GTF_permit_access;
	run(2);
	EXPECT(page_pin(&dom[2], mfn(first_of(2)), FT_L1) == 0);
	EXPECT(do_grant_table_op(GNTTABOP_map_grant_ref, (u64)&m, 1) == 0 && !m.status);
	EXPECT(page_pin(&dom[1], mfn(first_of(1) + 5), FT_L1) == -EBUSY);
	u.handle = m.handle;
	before = flushes;
	EXPECT(do_grant_table_op(GNTTABOP_unmap_grant_ref, (u64)&u, 1) == 0 && !u.status);
	EXPECT(flushes == before + 1 && !(page(first_of(2))[0] & PTE_P));
	EXPECT(page_pin(&dom[1], mfn(first_of(1) + 5), FT_L1) == 0);
	EXPECT(page_unpin(&dom[1], mfn(first_of(1) + 5)) == 0);
	unpin_all(2);
}

/* All end; each is out of its tables first, as boot/parts.c has it, and some wait for others. */
static void end(void)
{
	unsigned int left = 0;

	if (held)
		grant_release(&back_end);
	for (unsigned int id = 1; id <= DOMAINS; id++) {
		unpin_all(id);
		dom[id].state = DOMAIN_DYING;
		left += !grant_table_release(&dom[id]);
	}
	for (unsigned int i = 0; left && i < 100; i++)
		for (unsigned int id = 1; id <= DOMAINS; id++)
			if (dom[id].grants && grant_table_release(&dom[id]))
				left--;
	EXPECT(left == 0 && pool_used == 0);
	EXPECT(removed && (buried & removed) == removed); /* who waited was woken */
	for (u64 n = 1; n < FRAMES; n++)
		EXPECT(frame_of(mfn(n))->refs == 1 && frame_of(mfn(n))->type_refs == 0);
}

static void make(void)
{
	max_mfn = ALL;
	frame_table = calloc(ALL, sizeof(*frame_table));
	if (mmap((void *)DIRECT_MAP_BASE, ALL * PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) != (void *)DIRECT_MAP_BASE)
		abort();
	for (unsigned int n = 0; n < ALL; n++)
		frame_table[n].owner = OWNER_HYPERVISOR;
	for (unsigned int id = 1; id <= DOMAINS; id++) {
		dom[id] = (struct domain){
		    .id = (u16)id, .state = DOMAIN_RUNNING, .vcpu = &vcpu[id]};
		vcpu[id].domain = &dom[id];
		domains[id] = &dom[id];
		for (u64 n = first_of(id); n < first_of(id) + OWN; n++)
			frame_table[n] = (struct frame){.refs = 1, .owner = (u16)id};
	}
	fake_flush_hook = flushed;
}

int main(void)
{
	srand(5);
	make();
	flush_before_the_owner_knows();
	for (unsigned int i = 0; i < ROUNDS && unit_failures < 10; i++) {
		step();
		compare();
	}
	for (unsigned int i = 0; i < 7; i++)
		if (seen[i] < 50) {
			fprintf(stderr, "only %u times: %u\n", seen[i], i);
			unit_failures++;
		}
	end();
	free(frame_table);
	return unit_failures != 0;
}
