/* SPDX-License-Identifier: MIT */
/*
 * For the fuzzer: grants with wild values, and a block and a network front end that put anything
 * into their rings, change it and their grants while it is in use, and send the store strings of
 * all kinds. What breaks a connection is followed by a new one. Framing of the store's messages is
 * kept until the end, as the store listens to nobody who broke it.
 */
#ifndef RINGS_H
#define RINGS_H

#include "front.h"
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

enum { BLOCK, SEND, RECEIVE, RINGS };
#define RING_REF   8
#define FIRST_REF  16
#define NR_REFS	   32
#define NR_HANDLES 64

static u8 ring[RINGS][PAGE_SIZE] __page_aligned;
static u32 ring_port[2]; /* of the block device, and of the interface */
static u32 self;
static u64 mapped_at[NR_HANDLES];
static unsigned int answers[RINGS], messages, connections, maps, unmaps;

static struct start_info start; /* the page may be given away by a call */

/* Calls that would deafen us for good are left out. */
static bool is_our_port(u32 port)
{
	return port == start.store_evtchn || port == start.console.domU.evtchn ||
	       port == ring_port[0] || port == ring_port[1];
}

static u32 any_ref(void)
{
	return (u32)(draw() % 8 ? FIRST_REF + draw() % NR_REFS : draw());
}

static void change_a_grant(void)
{
	struct grant_entry_v1 *e = grant_entry(FIRST_REF + draw() % NR_REFS);

	e->domid = (domid_t)(draw() % 3 ? 0 : draw() % 4 ? self : draw());
	e->frame = (u32)any_frame();
	e->flags = (u16)(draw() % 8 ? GTF_permit_access | (draw() % 3 ? 0 : GTF_readonly) : draw());
}

/* Where a page may be mapped: never over what this test lives on. */
static u64 any_place(bool machine)
{
	u64 r = draw(), m = any_frame();

	if (machine)
		return draw() % 8 || m == table_frame[0] ? entry_at[r % 64]
							 : m << PAGE_SHIFT | (r & 0xff8);
	return draw() % 8 ? (u64)area[r % 64] : (r | 1ull << 47) << (r % 7);
}

static void fill_maps(struct gnttab_map_grant_ref *op)
{
	for (unsigned int i = 0; i < 8; i++) {
		u32 flags = (u32)draw() & (GNTMAP_readonly | GNTMAP_contains_pte);

		flags |= GNTMAP_host_map;
		if (draw() % 8 == 0)
			flags ^= (u32)draw() >> (draw() % 32);
		op[i] = (struct gnttab_map_grant_ref){
		    .host_addr = any_place(flags & GNTMAP_contains_pte),
		    .flags = flags,
		    .ref = any_ref(),
		    .dom = (domid_t)(draw() % 4 ? self : draw() % 2 ? DOMID_SELF : draw()),
		    .status = 77,
		};
	}
}

static void fill_unmaps(struct gnttab_unmap_grant_ref *op)
{
	for (unsigned int i = 0; i < 8; i++) {
		u32 handle = (u32)(draw() % NR_HANDLES);

		op[i] = (struct gnttab_unmap_grant_ref){
		    .host_addr = draw() % 8 ? mapped_at[handle] : any_value(),
		    .dev_bus_addr = draw() % 16 ? 0 : draw(),
		    .handle = draw() % 8 ? handle : (u32)draw(),
		    .status = 77,
		};
	}
}

static void fill_copies(struct gnttab_copy *op)
{
	for (unsigned int i = 0; i < 8; i++) {
		op[i] = (struct gnttab_copy){
		    .source = {.domid = (domid_t)(draw() % 4 ? self : draw()),
			       .offset = (u16)(draw() >> (draw() % 16))},
		    .dest = {.domid = (domid_t)(draw() % 4 ? self : draw()),
			     .offset = (u16)(draw() >> (draw() % 16))},
		    .len = (u16)(draw() >> (draw() % 16)),
		    .flags = (u16)(draw() % 8 ? draw() % 4 : draw()),
		    .status = 77,
		};
		if (op[i].flags & GNTCOPY_source_gref)
			op[i].source.u.ref = any_ref();
		else
			op[i].source.u.gmfn = any_frame();
		if (op[i].flags & GNTCOPY_dest_gref)
			op[i].dest.u.ref = any_ref();
		else
			op[i].dest.u.gmfn = any_frame();
	}
}

static void note_maps(const struct gnttab_map_grant_ref *op)
{
	for (unsigned int i = 0; i < 8; i++) {
		if (op[i].status != GNTST_okay)
			continue;
		maps++;
		if (op[i].handle < NR_HANDLES)
			mapped_at[op[i].handle] = op[i].host_addr;
	}
}

/* The structures of the three calls that take a list; false for other calls. */
static bool grant_call(u64 cmd)
{
	u64 count = draw() % 16 ? draw() % 9 : draw() | 0x80000000;

	switch (cmd) {
	case GNTTABOP_map_grant_ref:
		fill_maps((void *)buffer);
		break;
	case GNTTABOP_unmap_grant_ref:
		fill_unmaps((void *)buffer);
		break;
	case GNTTABOP_copy:
		fill_copies((void *)buffer);
		break;
	default:
		return false;
	}
	call3(__HYPERVISOR_grant_table_op, cmd, buffer, count);
	if (cmd == GNTTABOP_map_grant_ref)
		note_maps((void *)buffer);
	for (unsigned int i = 0; cmd == GNTTABOP_unmap_grant_ref && i < 8; i++)
		unmaps += ((struct gnttab_unmap_grant_ref *)buffer)[i].status == GNTST_okay;
	return true;
}

static void put(const char *dir, const char *node, u64 n)
{
	char path[64], text[24];

	format(path, sizeof(path), "%s/%s", dir, node);
	format(text, sizeof(text), "%lu", n);
	store_put(path, text);
}

static bool is_connected(const char *kind, const char *device)
{
	char path[96];

	format(path, sizeof(path), "/local/domain/0/backend/%s/%u/%s/state", kind, self, device);
	return store_get(path) && store_answer[0] == '0' + XenbusStateConnected;
}

static void reset_ring(unsigned int which)
{
	memset(ring[which], 0, PAGE_SIZE);
	((blkif_sring_t *)ring[which])->req_event = 1;
	((blkif_sring_t *)ring[which])->rsp_event = 1;
	grant(RING_REF + which, ring[which], false);
}

static void start_again(const char *dir, u32 port)
{
	put(dir, "state", XenbusStateClosing);
	put(dir, "state", XenbusStateClosed);
	put(dir, "state", XenbusStateInitialising);
	put(dir, "event-channel", port);
	connections++;
}

static void connect_rings(void)
{
	if (!is_connected("vbd", "51728")) {
		reset_ring(BLOCK);
		start_again("device/vbd/51728", ring_port[0]);
		put("device/vbd/51728", "ring-ref", RING_REF + BLOCK);
		put("device/vbd/51728", "state", XenbusStateInitialised);
	}
	if (!is_connected("vif", "0")) {
		reset_ring(SEND);
		reset_ring(RECEIVE);
		start_again("device/vif/0", ring_port[1]);
		put("device/vif/0", "tx-ring-ref", RING_REF + SEND);
		put("device/vif/0", "rx-ring-ref", RING_REF + RECEIVE);
		put("device/vif/0", "request-rx-copy", 1);
		put("device/vif/0", "state", XenbusStateConnected);
	}
}

/* How many requests still fit, or a few more than that. */
static u32 room(const blkif_sring_t *r, u32 size)
{
	u32 used = r->req_prod - READ_ONCE(r->rsp_prod);

	return used <= size ? size - used + (draw() % 256 == 0) : 1;
}

static void block_request(struct blkif_request *r)
{
	*r = (struct blkif_request){
	    .operation = (u8)(draw() % 8 ? draw() % 4 : draw()),
	    .nr_segments = (u8)(draw() % 8 ? draw() % 4 : draw()),
	    .id = draw(),
	    .sector_number = draw() % 4 ? draw() % 16384 : any_value(),
	};
	for (unsigned int i = 0; i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++) {
		u64 first = draw() % 8, last = draw() % 16 ? first + draw() % 4 : draw();

		r->seg[i].gref = any_ref();
		r->seg[i].first_sect = (u8)first;
		r->seg[i].last_sect = (u8)last;
	}
}

static void send_request(struct netif_tx_request *r)
{
	*r = (struct netif_tx_request){
	    .gref = any_ref(),
	    .offset = (u16)(draw() % 2 ? 0 : draw() % 8 ? draw() % 1000 : draw()),
	    .flags = (u16)(draw() % 4 ? 0 : draw() % 16),
	    .id = (u16)draw(),
	    .size = (u16)(draw() % 4 ? 60 + draw() % 1500 : draw()),
	};
}

/* Three rings of unlike requests whose heads are laid out alike. */
static void ask(unsigned int which)
{
	blkif_sring_t *r = (blkif_sring_t *)ring[which];
	u32 size = which == BLOCK ? 32 : 256;
	u32 n = (u32)MIN(room(r, size), draw() % 8);

	for (u32 i = 0; i < n; i++) {
		u32 at = (r->req_prod + i) % size;

		if (which == BLOCK)
			block_request(&r->ring[at].req);
		else if (which == SEND)
			send_request(&((netif_tx_sring_t *)r)->ring[at].req);
		else
			((netif_rx_sring_t *)r)->ring[at].req =
			    (struct netif_rx_request){.id = (u16)draw(), .gref = any_ref()};
	}
	WRITE_ONCE(r->req_prod, r->req_prod + (draw() % 512 ? n : (u32)draw()));
	if (draw() % 4 == 0)
		send_event(ring_port[which != BLOCK]);
	for (u32 i = 0; draw() % 4 == 0 && i < 8; i++) /* what they have, or have not yet read */
		((u64 *)ring[which])[8 + draw() % 504] = any_value();
	if (draw() % 64 == 0)
		((u32 *)r)[draw() % 4] = (u32)(draw() % 2 ? draw() : draw() % 300);
	answers[which] += draw() % 8 == 0 && READ_ONCE(r->rsp_prod);
	r->rsp_event = READ_ONCE(r->rsp_prod) + 1;
}

static u32 any_text(char *to, u32 size)
{
	static const char *const part[] = {
	    "device/",	   "vbd/",     "51728/", "vif/",  "0/",	  "1",	   "state",
	    "ring-ref",	   "mac",      "4",	 "/",	  "//",	  "..",	   "event-channel",
	    "tx-ring-ref", "/local/",  "domain", "/0",	  "backend/", "@", "T",
	    "data/",	   "n1",       "b0",	 "\xff", "request-rx-copy"};
	u32 len = 0;

	while (len < size - 20 && draw() % 8) {
		const char *s = part[draw() % ARRAY_SIZE(part)];

		memcpy(to + len, s, strlen(s));
		len += (u32)strlen(s);
		if (draw() % 4 == 0)
			to[len++] = (char)(draw() % 4 ? 0 : draw());
	}
	return len;
}

static void talk_to_the_store(void)
{
	char body[256];
	u32 len = any_text(body, sizeof(body));
	u32 type = (u32)(draw() % 4 ? XS_READ + draw() % 12 : draw());

	if (type == XS_WATCH_EVENT)
		return;
	store_request(type, (u32)(draw() % 2 ? 0 : draw() % 2 ? draw() % 8 : draw()), body, len);
	messages++;
}

static void ring_step(void)
{
	static unsigned int steps;
	unsigned int which = (unsigned int)draw() % RINGS;

	switch (draw() % 32) {
	case 0:
		connect_rings();
		break;
	case 1:
	case 2:
		talk_to_the_store();
		break;
	default:
		if (draw() % 2)
			change_a_grant();
		if (which == RECEIVE && steps++ / 64 % 2)
			which = SEND; /* takes nothing for a while */
		ask(which);
	}
}

static void open_rings(void)
{
	const char *s = store_answer;
	u64 n = 0;

	start = *si;
	check(store_get("domid") && str_to_u64(&s, &n));
	self = (u32)n;
	for (unsigned int i = 0; i < ARRAY_SIZE(ring_port); i++) {
		struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = 0};

		expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &op), 0);
		ring_port[i] = op.port;
	}
	connect_rings();
	check(is_connected("vbd", "51728") && is_connected("vif", "0"));
}

/* Packets for everybody: those with a wrong address go no further than our own interface. */
static void address_packets(void)
{
	u8 mac[6] = {0};

	check(store_get("device/vif/0/mac") && store_length == 17);
	for (unsigned int i = 0; i < 17; i++) {
		char c = store_answer[i];

		if (c != ':')
			mac[i / 3] = (u8)(mac[i / 3] * 16 + (c > '9' ? c - 'a' + 10 : c - '0'));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(area); i++) {
		memset(area[i], 0xff, 6);
		memcpy(area[i] + 6, mac, 6);
	}
}

/* The rings alone, between two points of the machine's time. */
static void only_rings(u64 from_ms, u64 until_ms)
{
	address_packets();
	while (clock_ns() < from_ms * 1000000)
		call2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
	while (clock_ns() < until_ms * 1000000)
		ring_step();
}

/* Now the store's own ring, too. */
static void close_rings(void)
{
	u32 *word = (u32 *)store_ring();

	for (unsigned int i = 0; i < 1000; i++) {
		word[draw() % 2 ? 512 + draw() % 6 : draw() % 1024] = (u32)draw();
		call2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &start.store_evtchn);
	}
	say("fuzz: %u answers seen for disk, %u and %u for packets, %u messages, %u connections\n",
	    answers[BLOCK], answers[SEND], answers[RECEIVE], messages, connections);
	say("fuzz: %u pages mapped, %u unmapped\n", maps, unmaps);
}

#endif
