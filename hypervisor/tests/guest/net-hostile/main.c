// SPDX-License-Identifier: MIT
/*
 * A network front end that does not keep to the protocol. It lies in the store, puts anything into
 * its rings and changes it, revokes grants of what is on its way, grants page tables and what it
 * does not own, never takes what arrives, and ends with packets in flight. Each costs at most its
 * own interface; after each, a connection made anew must work.
 */
#include "netfront.h"

static struct interface n, m;
static u64 seed = 1;

static u32 noise(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33);
}

static void good_packet(void)
{
	address(n.out[0], m.mac, n.mac);
	request(&n, 0, 0, 1000, 0);
	show(&n);
	check(settle(&n) >= 1);
}

static void again(void)
{
	leave(&n);
	prepare(&n, 0);
	join(&n);
	good_packet();
}

static void lies_in_the_store(void)
{
	static const char *const numbers[] = {
	    "", "x", "-1", "4294967296", "8x", "99999999999999999999", "0"};

	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
		front_write(&n, "tx-ring-ref", numbers[i]);
		front_write_number(&n, "rx-ring-ref", rx_ring_ref(&n));
		front_write_number(&n, "event-channel", n.port);
		front_write(&n, "request-rx-copy", "1");
		front_write_number(&n, "state", XenbusStateConnected);
		expect(back_state(&n), XenbusStateClosing);
		leave(&n);
	}
	announce(&n, tx_ring_ref(&n), 511, n.port); /* never granted */
	expect(back_state(&n), XenbusStateClosing);
	leave(&n);
	announce(&n, tx_ring_ref(&n), rx_ring_ref(&n), 0x7fffffff);
	expect(back_state(&n), XenbusStateClosing);
	leave(&n);
	announce(&n, tx_ring_ref(&n), rx_ring_ref(&n), si->console.domU.evtchn);
	expect(back_state(&n), XenbusStateClosing);
	leave(&n);
	grant(tx_ring_ref(&n), n.tx_page, GTF_readonly);
	announce(&n, tx_ring_ref(&n), rx_ring_ref(&n), n.port);
	expect(back_state(&n), XenbusStateClosing);
	leave(&n);
	grants[tx_ring_ref(&n)].frame = 1; /* not ours */
	grants[tx_ring_ref(&n)].flags = GTF_permit_access;
	announce(&n, tx_ring_ref(&n), rx_ring_ref(&n), n.port);
	expect(back_state(&n), XenbusStateClosing);
	leave(&n);
	grants[tx_ring_ref(&n)].frame = (u32)va_to_mfn((void *)si->pt_base); /* a page table */
	announce(&n, tx_ring_ref(&n), rx_ring_ref(&n), n.port);
	expect(back_state(&n), XenbusStateClosing);
	leave(&n);
	for (unsigned int i = 0; i < 20; i++)
		front_write_number(&n, "state", noise() % 12);
	leave(&n);
	prepare(&n, 0);
	join(&n);
	good_packet();
}

static void wild_indices(void)
{
	static const u32 ahead[] = {257, 1000, 0x7fffffff, 0x80000000, 0xffffffff};

	for (unsigned int i = 0; i < ARRAY_SIZE(ahead); i++) {
		n.tx.sring->req_prod = n.tx.req_prod_pvt + ahead[i];
		send_event(n.port);
		expect(back_state(&n), XenbusStateClosing);
		again();
	}
	n.tx.sring->rsp_prod = 0xdeadbeef; /* what is ours to write is not read back */
	n.tx.sring->req_event = 0x12345678;
	n.rx.sring->rsp_prod = 0xdeadbeef;
	request(&n, 0, 0, 1000, 0);
	show(&n);
	pause_a_little();
	again();
	for (unsigned int i = 0; i < 100; i++) /* a chain longer than any packet */
		request(&n, 0, 0, 10, NETTXF_more_data);
	show(&n);
	expect(back_state(&n), XenbusStateClosing);
	again();
}

/* Any request may be refused, none may hurt; while the card reads, requests and grants change. */
static void ring_of_noise(void)
{
	for (unsigned int round = 0; round < 300; round++) {
		unsigned int count = 1 + noise() % 8;

		for (unsigned int i = 0; i < count; i++) {
			struct netif_tx_request *r = request(&n, noise() % PAGES, 0, 1000, 0);

			if (noise() % 2) {
				r->gref = noise() % 3 ? noise() % 520 : noise();
				r->offset = (u16)noise();
				r->size = (u16)(noise() % 3 ? noise() % 2000 : noise());
			}
			if (i + 1 < count && noise() % 3 == 0)
				r->flags = (u16)(noise() & 15);
			if (noise() % 4 == 0)
				address(n.out[noise() % PAGES], m.mac, n.mac);
		}
		show(&n);
		memset(n.tx.sring->ring, (int)noise(), 128);
		grants[out_ref(&n, noise() % PAGES)].flags = 0;
		n.out[noise() % PAGES][noise() % 100] = (u8)noise();
		for (unsigned int i = 0; i < PAGES; i++)
			grant(out_ref(&n, i), n.out[i], GTF_readonly);
		if (round % 16 == 15) {
			pause_a_little();
			if (back_state(&n) == XenbusStateClosing ||
			    n.tx.sring->rsp_prod != n.tx.req_prod_pvt)
				again();
			else
				n.tx.rsp_cons = n.tx.sring->rsp_prod;
		}
	}
	again();
}

/*
 * More than the other card has memory for. Nobody takes it: if no other domain is there, the card
 * keeps it, and we hold up ourselves.
 */
static void fill_the_wire(void)
{
	address(n.out[0], m.mac, n.mac);
	for (unsigned int round = 0; round < 4; round++) {
		for (unsigned int i = 0; i < 100; i++)
			request(&n, 0, 0, 1000, 0);
		show(&n);
		for (unsigned int i = 0; i < 20; i++)
			pause_a_little();
	}
}

/* Receive buffers that are no buffers, and then none at all, under a stream of packets. */
static void a_bad_receiver(void)
{
	struct netif_rx_request *r;
	u32 refs[] = {0, 511, 0xffffffff, in_ref(&m, 0), in_ref(&m, 1), in_ref(&m, 2)};

	prepare(&m, 1);
	join(&m);
	grant(in_ref(&m, 0), m.in[0], GTF_readonly);
	grants[in_ref(&m, 1)].frame = (u32)va_to_mfn((void *)si->pt_base);
	grants[in_ref(&m, 2)].frame = 2;
	for (unsigned int i = 0; i < ARRAY_SIZE(refs); i++) {
		r = RING_GET_REQUEST(&m.rx, m.rx.req_prod_pvt++);
		*r = (struct netif_rx_request){.id = 3, .gref = refs[i]};
	}
	RING_PUSH_REQUESTS(&m.rx);
	for (unsigned int i = 0; i < 12; i++)
		good_packet();
	pause_a_little();
	for (unsigned int i = 0; i < ARRAY_SIZE(refs); i++)
		expect(RING_GET_RESPONSE(&m.rx, i)->status, NETIF_RSP_ERROR);
	fill_the_wire();
	m.rx.sring->req_prod += 257;
	send_event(m.port);
	good_packet(); /* it is the fault of m alone */
	expect(back_state(&m), XenbusStateClosing);
	again();
}

/* Ends with both directions full: the one waits for the other, and must not hold up the end. */
static void end_in_flight(void)
{
	prepare(&m, 1);
	leave(&m);
	join(&m);
	fill_the_wire();
}

void test_main(void)
{
	map_store_and_grants();
	prepare(&n, 0);
	prepare(&m, 1);
	lies_in_the_store();
	wild_indices();
	ring_of_noise();
	a_bad_receiver();
	end_in_flight();
}
