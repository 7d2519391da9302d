// SPDX-License-Identifier: MIT
/*
 * A block device for a plain front end: what was written is read again, a flush is answered after
 * what came before it, an answer comes when the disk's time is over; and for a front end that is
 * out for trouble: sectors beyond the end, grants that are revoked, read-only or of another's
 * page, a request that changes after it was pushed, a ring with indices that cannot be. Each costs
 * the guest itself an error or its device, and what is granted shows as used only while it is.
 */
#include "front.h"

#define LATENCY 100000

static u8 out[PAGE_SIZE] __page_aligned, in[PAGE_SIZE] __page_aligned;

static void data(struct block *b)
{
	u64 start = clock_ns();

	memset(in, 0, PAGE_SIZE);
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		out[i] = (u8)(i * 7 + i / 512);
	grant(9, out, true);
	grant(10, in, false);
	expect(block_do(b, BLKIF_OP_WRITE, 64, 9, 0, 7), BLKIF_RSP_OKAY);
	check(clock_ns() - start >= LATENCY);
	expect(block_do(b, BLKIF_OP_READ, 65, 10, 2, 4), BLKIF_RSP_OKAY);
	check(memcmp(in + 2 * 512, out + 512, 3 * 512) == 0);
	check(in[2 * 512 - 1] == 0 && in[5 * 512] == 0);
	expect(block_do(b, BLKIF_OP_WRITE, b->sectors - 8, 9, 0, 7), BLKIF_RSP_OKAY);
	expect(block_do(b, BLKIF_OP_READ, b->sectors - 8, 10, 0, 7), BLKIF_RSP_OKAY);
	check(memcmp(in, out, PAGE_SIZE) == 0);
	expect(block_do(b, BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0, 0), BLKIF_RSP_OKAY);
	check(!(grant_entry(9)->flags & (GTF_reading | GTF_writing)));
	check(!(grant_entry(10)->flags & (GTF_reading | GTF_writing)));
	check(grant_entry(8)->flags & GTF_writing); /* the ring is */
}

static void many(struct block *b)
{
	for (unsigned int i = 0; i < 15; i++)
		block_put(b, BLKIF_OP_WRITE, i * 8, 9, 0, 7);
	block_put(b, BLKIF_OP_FLUSH_DISKCACHE, 999, 0, 0, 0);
	for (unsigned int i = 0; i < 15; i++)
		block_put(b, BLKIF_OP_READ, i * 8, 10, 0, 7);
	block_push(b);
	for (unsigned int i = 0; i < 31; i++) {
		check((RING_GET_RESPONSE(&b->ring, b->ring.rsp_cons)->id == 999) == (i == 15) ||
		      READ_ONCE(b->sring->rsp_prod) == b->ring.rsp_cons);
		expect(block_wait(b), BLKIF_RSP_OKAY);
	}
}

static void bad_requests(struct block *b)
{
	expect(block_do(b, BLKIF_OP_READ, b->sectors, 10, 0, 0), BLKIF_RSP_ERROR);
	expect(block_do(b, BLKIF_OP_READ, b->sectors - 4, 10, 0, 7), BLKIF_RSP_ERROR);
	expect(block_do(b, BLKIF_OP_WRITE, ~0ull - 3, 9, 0, 7), BLKIF_RSP_ERROR);
	expect(block_do(b, BLKIF_OP_WRITE, 0, 9, 7, 0), BLKIF_RSP_ERROR);
	expect(block_do(b, BLKIF_OP_WRITE, 0, 9, 0, 200), BLKIF_RSP_ERROR);
	expect(block_do(b, BLKIF_OP_READ, 0, 9, 0, 7), BLKIF_RSP_ERROR); /* read-only */
	expect(block_do(b, BLKIF_OP_READ, 0, 0xffffffff, 0, 7), BLKIF_RSP_ERROR);
	expect(block_do(b, BLKIF_OP_READ, 0, 11, 0, 7), BLKIF_RSP_ERROR); /* none */
	expect(block_do(b, BLKIF_OP_INDIRECT, 0, 10, 0, 7), BLKIF_RSP_EOPNOTSUPP);
	expect(block_do(b, 200, 0, 10, 0, 7), BLKIF_RSP_EOPNOTSUPP);
	grant(11, in, false);
	grant_entry(11)->frame = 1; /* the hypervisor's */
	expect(block_do(b, BLKIF_OP_READ, 0, 11, 0, 7), BLKIF_RSP_ERROR);
	grant_entry(11)->frame = (u32)(pte_address(VIRT_BASE, 1) >> PAGE_SHIFT); /* a page table */
	expect(block_do(b, BLKIF_OP_READ, 0, 11, 0, 7), BLKIF_RSP_ERROR);
	grant_entry(11)->frame = (u32)(si->shared_info >> PAGE_SHIFT); /* ours, but lent by Xen */
	expect(block_do(b, BLKIF_OP_READ, 0, 11, 0, 7), BLKIF_RSP_ERROR);
	grant(11, in, false);
	grant_entry(11)->domid = 1; /* granted, not to the back end */
	expect(block_do(b, BLKIF_OP_READ, 0, 11, 0, 7), BLKIF_RSP_ERROR);
}

/* The grant goes and the page becomes something else, while the disk takes its time. */
static void revoked_in_flight(struct block *b)
{
	static u8 page[PAGE_SIZE] __page_aligned;

	grant(12, page, false);
	block_put(b, BLKIF_OP_READ, 64, 12, 0, 7);
	block_push(b);
	check(!(grant_entry(12)->flags & GTF_writing));
	grant_entry(12)->flags = 0;
	memset(page, 0, PAGE_SIZE);
	expect(remap(page, RO(va_to_mfn(page))), 0);
	expect(mmuext(MMUEXT_PIN_L1_TABLE, va_to_mfn(page), 0), 0);
	expect(block_wait(b), BLKIF_RSP_OKAY);
	for (unsigned int i = 0; i < PAGE_SIZE; i++)
		if (page[i])
			check(!"a page that is a table now was written");
	expect(mmuext(MMUEXT_UNPIN_TABLE, va_to_mfn(page), 0), 0);
}

/* Requests that change once they are pushed are what they were when they were taken. */
static void changed_when_pushed(struct block *b)
{
	block_put(b, BLKIF_OP_READ, 64, 10, 0, 7);
	block_push(b);
	memset(b->sring->ring, 0xff, 32 * sizeof(b->sring->ring[0]));
	expect(block_wait(b), BLKIF_RSP_OKAY);
}

static void wild_index(struct block *b)
{
	b->sring->req_prod += 1000;
	expect(send_event(b->port), 0);
	check(store_get("/local/domain/0/backend/vbd/1/51728/state") ||
	      store_get("/local/domain/0/backend/vbd/2/51728/state"));
	check(store_answer[0] == '5');
	check(!(grant_entry(8)->flags & (GTF_reading | GTF_writing)));
	b->sring->req_prod -= 1001;
	expect(send_event(b->port), 0); /* nobody listens */
}

void test_main(void)
{
	struct block b;

	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	check(block_connect(&b));
	check(b.sectors > 1000);
	data(&b);
	many(&b);
	bad_requests(&b);
	revoked_in_flight(&b);
	changed_when_pushed(&b);
	data(&b);
	wild_index(&b);
	check(!store_put("/local/domain/0/backend/vbd/1/51728/state", "4"));
	check(store_put("device/vbd/51728/state", "1")); /* all over again */
	check(block_connect(&b));
	data(&b);
}
