// SPDX-License-Identifier: MIT
/*
 * Grants between domains. A page that is mapped or copied is what its owner lent and nothing else;
 * while it is mapped, the owner sees the entry in use and cannot give the page up; a mapping that
 * was overwritten, or is left at the end, is given back once. Could break: rights, counts, what is
 * left in the TLB, the owner's end.
 *
 * Alone it lends to itself. Two of them: lend=ID (and die=1: ends while its pages are mapped) and
 * map=ID (and keep=1: ends without unmapping).
 */
#include "front.h"

#define REF_RW 20
#define REF_RO 21
#define WORD   0x600d600d600d600dull
#define ANSWER 0xa5a5a5a5a5a5a5a5ull
#define MS     1000000ull

static u64 lent[2][512] __page_aligned, window[4][512] __page_aligned, page[512] __page_aligned;
static u32 self;

static void lend(u32 ref, const void *p, domid_t to, u16 flags)
{
	struct grant_entry_v1 *e = grant_entry(ref);

	e->domid = to;
	e->frame = (u32)va_to_mfn(p);
	barrier();
	WRITE_ONCE(e->flags, (u16)(GTF_permit_access | flags));
}

static u16 uses(u32 ref)
{
	return READ_ONCE(grant_entry(ref)->flags) & (GTF_reading | GTF_writing);
}

static struct gnttab_map_grant_ref last;

static int map(u64 host_addr, u32 flags, u32 ref, u32 dom)
{
	last = (struct gnttab_map_grant_ref){
	    .host_addr = host_addr, .flags = flags, .ref = ref, .dom = (domid_t)dom, .status = 77};
	expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &last, 1), 0);
	return last.status;
}

static int unmap(u64 host_addr, u32 handle)
{
	struct gnttab_unmap_grant_ref op = {
	    .host_addr = host_addr, .handle = handle, .status = 77};

	expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, &op, 1), 0);
	return op.status;
}

static void read_word(u64 va)
{
	(void)*(volatile u64 *)va;
}

static void write_word(u64 va)
{
	*(volatile u64 *)va = ANSWER;
}

static void bad_maps(void)
{
	u64 at = (u64)window[0];
	u64 entry = pte_address(at, 1);
	u32 host = GNTMAP_host_map, pte = GNTMAP_host_map | GNTMAP_contains_pte;

	lend(REF_RO, lent[1], (domid_t)self, GTF_readonly);
	expect(map(at, 0, REF_RO, self), GNTST_general_error);
	expect(map(at, host | GNTMAP_device_map, REF_RO, self), GNTST_general_error);
	expect(map(at, host | 0x100, REF_RO, self), GNTST_general_error);
	expect(map(at, host, REF_RO, self), GNTST_permission_denied); /* not to be written */
	expect(map(at, host | GNTMAP_readonly, REF_RO, 0), GNTST_bad_domain);
	expect(map(at, host | GNTMAP_readonly, REF_RO, 15), GNTST_bad_domain);
	expect(map(at, host | GNTMAP_readonly, 512, self), GNTST_bad_gntref);
	expect(map(at, host | GNTMAP_readonly, ~0u, self), GNTST_bad_gntref);
	expect(map(at, host | GNTMAP_readonly, 30, self), GNTST_permission_denied); /* not lent */
	lend(30, lent[1], (domid_t)(self + 1), 0);
	expect(map(at, host, 30, self), GNTST_permission_denied); /* to somebody else */
	lend(30, (void *)si->pt_base, (domid_t)self, 0);
	expect(map(at, host, 30, self), GNTST_bad_page); /* a table */
	lend(30, lent[1], (domid_t)self, 0);
	grant_entry(30)->frame = 1;
	expect(map(at, host, 30, self), GNTST_bad_page); /* not ours */
	grant_entry(30)->frame = (u32)(si->shared_info >> PAGE_SHIFT);
	expect(map(at, host, 30, self), GNTST_bad_page);
	host |= GNTMAP_readonly;
	pte |= GNTMAP_readonly;
	expect(map(0xffff830000000000, host, REF_RO, self), GNTST_bad_virt_addr);
	expect(map(0x12345678000, host, REF_RO, self), GNTST_bad_virt_addr); /* no table */
	expect(map(entry + 4, pte, REF_RO, self), GNTST_bad_virt_addr);
	expect(map(va_to_mfn(page) << PAGE_SHIFT, pte, REF_RO, self), GNTST_bad_virt_addr);
	expect(map(pte_address(at, 2), pte, REF_RO, self), GNTST_bad_virt_addr);
	expect(map(1 << PAGE_SHIFT, pte, REF_RO, self), GNTST_bad_virt_addr);
	expect(map(~0ull << 3, pte, REF_RO, self), GNTST_bad_virt_addr);
	expect(uses(REF_RO) | uses(30), 0);
	check(window[0][0] == 0 && pte_value(at, 1) >> PAGE_SHIFT != 0);
	expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, 8, 1), -EFAULT);
	expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, &last, ~0u), -EINVAL);
}

static void map_and_unmap(void)
{
	u64 at = (u64)window[0], other = (u64)window[1];
	u64 entry = pte_address(other, 1);
	u32 writable, readable;

	lend(REF_RW, lent[0], (domid_t)self, 0);
	lent[0][0] = lent[1][0] = WORD;
	expect(remap(window[0], 0) | remap(window[1], 0), 0);
	expect(map(at, GNTMAP_host_map, REF_RW, self), GNTST_okay);
	writable = last.handle;
	check(last.dev_bus_addr == va_to_mfn(lent[0]) << PAGE_SHIFT);
	expect(uses(REF_RW), GTF_reading | GTF_writing);
	expect(map(entry, GNTMAP_host_map | GNTMAP_contains_pte | GNTMAP_readonly | 5u << 16,
		   REF_RW, DOMID_SELF),
	       GNTST_okay);
	readable = last.handle;
	expect(pte_value(other, 1) >> 9 & 7, 5);
	check(*(u64 *)at == WORD && *(u64 *)other == WORD);
	write_word(at);
	check(lent[0][0] == ANSWER && *(u64 *)other == ANSWER);
	expect(catch_trap(write_word, other), 14);
	expect(unmap(at, readable), GNTST_bad_virt_addr);
	expect(unmap(0, writable), GNTST_bad_virt_addr);
	expect(unmap(at, writable), GNTST_okay);
	expect(uses(REF_RW), GTF_reading);
	expect(catch_trap(read_word, at), 14);
	expect(unmap(at, writable), GNTST_bad_handle);
	expect(unmap(at, ~0u), GNTST_bad_handle);
	expect(unmap(entry, readable), GNTST_okay);
	expect(catch_trap(read_word, other), 14);
	expect(uses(REF_RW), 0);
	expect(remap(window[0], RW(va_to_mfn(window[0]))), 0);
	expect(remap(window[1], RW(va_to_mfn(window[1]))), 0);
}

/* By what was there before, by another mapping, and by nothing. */
static void overwritten(void)
{
	u64 at = (u64)window[0];
	u32 first;

	expect(map(at, GNTMAP_host_map, REF_RW, self), GNTST_okay);
	first = last.handle;
	expect(remap(window[0], RW(va_to_mfn(window[0]))), 0);
	expect(uses(REF_RW), GTF_reading | GTF_writing);
	window[0][0] = 5;
	expect(map(at, GNTMAP_host_map | GNTMAP_readonly, REF_RO, self), GNTST_okay);
	expect(unmap(at, first), GNTST_okay); /* the entry is another's now */
	expect(uses(REF_RW), 0);
	check(*(u64 *)at == WORD);
	expect(remap(window[0], 0), 0);
	expect(unmap(at, last.handle), GNTST_okay);
	expect(uses(REF_RO), 0);
	expect(remap(window[0], RW(va_to_mfn(window[0]))), 0);
	check(window[0][0] == 5);
}

/* All handles there are, and then one more; given back in another order. */
static void many(void)
{
	static u32 handle[4096];
	u64 at = (u64)window[2];
	u32 n = 0;

	while (n < 4096 && map(at, GNTMAP_host_map | GNTMAP_readonly, REF_RO, self) == GNTST_okay)
		handle[n++] = last.handle;
	expect(n, 1024);
	expect(last.status, GNTST_no_space);
	for (u32 i = 0; i < n; i++)
		expect(unmap(at, handle[i * 7 % n]), GNTST_okay);
	expect(uses(REF_RO), 0);
	expect(map(at, GNTMAP_host_map | GNTMAP_readonly, REF_RO, self), GNTST_okay);
	expect(unmap(at, last.handle), GNTST_okay);
	expect(remap(window[2], RW(va_to_mfn(window[2]))), 0);
}

static int copy(struct gnttab_copy op)
{
	op.status = 77;
	expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_copy, &op, 1), 0);
	return op.status;
}

/* len bytes from a grant of `from` to a page of ours, or the other way; offsets of both are given.
 */
static int copy_in(u32 ref, domid_t from, u16 source, u16 dest, u16 len)
{
	return copy((struct gnttab_copy){.source = {{.ref = ref}, from, source},
					 .dest = {{.gmfn = va_to_mfn(page)}, DOMID_SELF, dest},
					 .len = len,
					 .flags = GNTCOPY_source_gref});
}

static int copy_out(u32 ref, domid_t to, u16 source, u16 dest, u16 len)
{
	return copy((struct gnttab_copy){.source = {{.gmfn = va_to_mfn(page)}, DOMID_SELF, source},
					 .dest = {{.ref = ref}, to, dest},
					 .len = len,
					 .flags = GNTCOPY_dest_gref});
}

static void copies(void)
{
	domid_t to = (domid_t)self;
	struct gnttab_copy own = {.source = {{.gmfn = va_to_mfn(lent[0])}, DOMID_SELF, 0},
				  .dest = {{.gmfn = va_to_mfn(page)}, DOMID_SELF, 0},
				  .len = 8};

	lent[0][511] = ANSWER;
	page[0] = 0;
	expect(copy_in(REF_RW, to, 4088, 0, 8), GNTST_okay);
	check(page[0] == ANSWER && page[1] == 0);
	page[1] = WORD;
	expect(copy_out(REF_RW, to, 8, 16, 8), GNTST_okay);
	check(lent[0][2] == WORD && lent[0][3] == 0);
	expect(copy_in(REF_RW, to, 0, 0, 0), GNTST_okay);
	expect(copy_in(REF_RW, to, 4096, 4096, 0), GNTST_okay);
	expect(copy_in(REF_RW, to, 4089, 0, 8), GNTST_bad_copy_arg);
	expect(copy_in(REF_RW, to, 0, 4089, 8), GNTST_bad_copy_arg);
	expect(copy_in(REF_RW, to, 0xffff, 0, 2), GNTST_bad_copy_arg);
	expect(copy_in(REF_RW, to, 0, 0xffff, 0xffff), GNTST_bad_copy_arg);
	expect(copy_out(REF_RO, to, 0, 0, 8), GNTST_permission_denied);
	expect(copy_in(REF_RO, to, 0, 0, 8), GNTST_okay);
	expect(copy_in(31, to, 0, 0, 8), GNTST_permission_denied);
	expect(copy_in(5000, to, 0, 0, 8), GNTST_bad_gntref);
	expect(copy_in(REF_RW, 15, 0, 0, 8), GNTST_bad_domain);
	expect(copy_in(REF_RW, 0, 0, 0, 8), GNTST_bad_domain);
	expect(copy_in(30, to, 0, 0, 8), GNTST_bad_page); /* see bad_maps() */
	expect(copy_out(30, to, 0, 0, 8), GNTST_bad_page);
	expect(copy(own), GNTST_okay);
	own.dest.domid = 15;
	expect(copy(own), GNTST_permission_denied);
	own.dest.domid = (domid_t)self;
	own.dest.u.gmfn = va_to_mfn((void *)si->pt_base); /* readable, not writable */
	expect(copy(own), GNTST_bad_page);
	own.dest.u.gmfn = ~0ull;
	expect(copy(own), GNTST_bad_page);
	own.source.u.gmfn = 1;
	expect(copy(own), GNTST_bad_page);
	expect(uses(REF_RW) | uses(REF_RO) | uses(30), 0);
}

/* A page is given up only when nobody maps it. */
static long give_up(const void *p)
{
	xen_pfn_t n = va_to_mfn(p);
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, &n);
	expect(remap((void *)p, 0), 0);
	return call2(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r);
}

static void wait_until(u32 ref, u16 wanted)
{
	u64 start = clock_ns();

	while (uses(ref) != wanted && clock_ns() - start < 500 * MS)
		call2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	expect(uses(ref), wanted);
}

static void lender(u32 to)
{
	for (unsigned int i = 0; i < 512; i++)
		lent[0][i] = lent[1][i] = WORD + i;
	grant_entry(0);
	lend(REF_RO, lent[1], (domid_t)to, GTF_readonly);
	lend(REF_RW, lent[0], (domid_t)to, 0);
	wait_until(REF_RW, GTF_reading | GTF_writing);
	wait_until(REF_RO, GTF_reading);
	if (number_option("die", 0))
		return;
	grant_entry(REF_RO)->flags = 0; /* too late: it is mapped */
	expect(give_up(lent[1]), 0);
	wait_until(REF_RW, 0);
	check(lent[0][0] == 77 && lent[0][1] == ANSWER);
	expect(give_up(lent[1]), 1);
	expect(give_up(lent[0]), 1);
}

/* What was lent stays what it is, though its owner may be gone. */
static void look_for_a_while(const u64 *p, u64 first)
{
	for (u64 start = clock_ns(); clock_ns() - start < 40 * MS;) {
		bool same = true;

		for (unsigned int i = first; i < 512; i++)
			same &= p[i] == WORD + i;
		if (!same) {
			check(!"a page that is mapped has changed");
			return;
		}
		call2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	}
}

/* Both ways, while the same pages are mapped. */
static void copies_between(domid_t from)
{
	page[0] = 0;
	expect(copy_in(REF_RO, from, 5 * 8, 0, 8), GNTST_okay);
	check(page[0] == WORD + 5);
	page[1] = 77;
	expect(copy_out(REF_RW, from, 8, 0, 8), GNTST_okay);
	check(window[0][0] == 77 && window[0][1] == ANSWER && window[0][2] == WORD + 2);
	expect(copy_out(REF_RO, from, 8, 0, 8), GNTST_permission_denied);
	check(window[1][0] == WORD);
}

static void mapper(u32 from)
{
	u64 rw = (u64)window[0], ro = (u64)window[1], frame;
	u32 handle;
	u64 start = clock_ns();

	while (map(rw, GNTMAP_host_map, REF_RW, from) != GNTST_okay &&
	       clock_ns() - start < 500 * MS)
		call2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	expect(last.status, GNTST_okay);
	handle = last.handle;
	window[0][1] = ANSWER;
	expect(map(pte_address(ro, 1), GNTMAP_host_map | GNTMAP_contains_pte | GNTMAP_readonly,
		   REF_RO, from),
	       GNTST_okay);
	frame = last.dev_bus_addr >> PAGE_SHIFT;
	expect(remap(window[2], RO(frame)), -EPERM); /* once lent is not owned */
	expect(remap(window[1], RW(frame)), -EPERM); /* nor may more be done than lent */
	expect(mmu_update(frame << PAGE_SHIFT, 0), -EPERM);
	expect(mmu_update(frame << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0), -EPERM);
	expect(mmuext(MMUEXT_PIN_L1_TABLE, frame, 0), -EPERM);
	expect(catch_trap(write_word, ro), 14);
	copies_between((domid_t)from);
	look_for_a_while(window[0], 2);
	look_for_a_while(window[1], 0);
	say("lets go\n");
	if (number_option("keep", 0))
		return;
	expect(unmap(pte_address(ro, 1), last.handle), GNTST_okay);
	expect(unmap(rw, handle), GNTST_okay);
	expect(catch_trap(read_word, rw), 14);
	expect(catch_trap(read_word, ro), 14);
}

void test_main(void)
{
	const char *s = store_answer;
	u64 n = 0;

	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	check(store_get("domid") && str_to_u64(&s, &n));
	self = (u32)n;
	if (number_option("lend", 0)) {
		lender((u32)number_option("lend", 0));
		return;
	}
	if (number_option("map", 0)) {
		mapper((u32)number_option("map", 0));
		return;
	}
	bad_maps();
	map_and_unmap();
	overwritten();
	copies();
	many();
	expect(map((u64)window[0], GNTMAP_host_map, REF_RW, self), GNTST_okay); /* left so */
	expect(map((u64)window[1], GNTMAP_host_map | GNTMAP_readonly, REF_RW, self), GNTST_okay);
}
