/* SPDX-License-Identifier: MIT */
/*
 * A network front end for test guests: a client of the store, a grant table, and interfaces whose
 * rings a test may fill with anything. Everything is polled; nothing here waits without end.
 */
#ifndef NETFRONT_H
#define NETFRONT_H

#include "guest.h"
#include <xen/grant_table.h>
#include <xen/io/netif.h>
#include <xen/io/xenbus.h>

#define PAGES	   16 /* of payload for each interface, each way */
#define POLL_LIMIT 2000

/* As xen/io/xs_wire.h has it; that header wants error numbers that a guest has not. */
enum { STORE_READ = 2, STORE_WRITE = 11, STORE_EVENT = 15, STORE_ERROR = 16 };
struct store_message {
	u32 type, request, transaction, len;
};
struct store_ring {
	char req[1024], rsp[1024];
	u32 req_cons, req_prod, rsp_cons, rsp_prod;
};

struct interface {
	/* Each is granted, so each is a page. */
	u8 tx_page[PAGE_SIZE], rx_page[PAGE_SIZE];
	u8 out[PAGES][PAGE_SIZE], in[PAGES][PAGE_SIZE];
	unsigned int card;
	u32 port;
	u8 mac[6];
	netif_tx_front_ring_t tx;
	netif_rx_front_ring_t rx;
} __page_aligned;

static grant_entry_v1_t grants[512] __page_aligned;
static u8 store_page[PAGE_SIZE] __page_aligned;

static inline long send_event(u32 port)
{
	struct evtchn_send op = {.port = port};

	return call2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &op);
}

/* Lets a while pass: some microseconds in which alarms and the cards' interrupts come. */
static inline void pause_a_little(void)
{
	for (unsigned int i = 0; i < 20000; i++)
		barrier();
}

static inline void store_put(struct store_ring *r, const void *p, u32 len)
{
	for (const char *s = p; len; len--)
		r->req[r->req_prod++ % 1024] = *s++;
}

static inline void store_get(struct store_ring *r, void *p, u32 len)
{
	for (char *s = p; len; len--)
		*s++ = r->rsp[r->rsp_cons++ % 1024];
}

/* Sends a request; the answer, at most 99 bytes of it, to `answer`. False if it is an error. */
static inline bool store_request(u32 type, const char *body, u32 len, char *answer)
{
	struct store_ring *r = (struct store_ring *)store_page;
	struct store_message m = {.type = type, .request = 7, .len = len};

	store_put(r, &m, sizeof(m));
	store_put(r, body, len);
	send_event(si->store_evtchn);
	for (unsigned int i = 0; i < POLL_LIMIT && r->rsp_prod - r->rsp_cons < sizeof(m); i++)
		pause_a_little();
	store_get(r, &m, sizeof(m));
	answer[0] = '\0';
	if (m.len > 99) {
		check(!"a long answer of the store");
		return false;
	}
	store_get(r, answer, m.len);
	answer[m.len] = '\0';
	return m.type == type;
}

static inline void front_write(const struct interface *n, const char *node, const char *value)
{
	char body[160], answer[100];
	u32 len = (u32)format(body, sizeof(body), "device/vif/%u/%s", n->card, node) + 1;

	len += (u32)format(body + len, sizeof(body) - len, "%s", value);
	check(store_request(STORE_WRITE, body, len, answer));
}

static inline void front_write_number(const struct interface *n, const char *node, u32 value)
{
	char text[16];

	format(text, sizeof(text), "%u", value);
	front_write(n, node, text);
}

static inline u32 back_state(const struct interface *n)
{
	char path[100], answer[100];
	const char *s = answer;
	u64 state = 0;

	format(path, sizeof(path), "device/vif/%u/backend", n->card);
	check(store_request(STORE_READ, path, (u32)strlen(path) + 1, answer));
	format(path, sizeof(path), "%s/state", answer);
	check(store_request(STORE_READ, path, (u32)strlen(path) + 1, answer));
	check(str_to_u64(&s, &state));
	return (u32)state;
}

static inline void grant(u32 ref, const void *page, u16 flags)
{
	grants[ref] = (grant_entry_v1_t){.domid = 0, .frame = (u32)va_to_mfn(page)};
	barrier();
	grants[ref].flags = (u16)(GTF_permit_access | flags);
}

/* Grant references of an interface. */
static inline u32 tx_ring_ref(const struct interface *n)
{
	return 8 + n->card * 100;
}
static inline u32 rx_ring_ref(const struct interface *n)
{
	return tx_ring_ref(n) + 1;
}
static inline u32 out_ref(const struct interface *n, unsigned int page)
{
	return tx_ring_ref(n) + 10 + page;
}
static inline u32 in_ref(const struct interface *n, unsigned int page)
{
	return tx_ring_ref(n) + 40 + page;
}

static inline void map_store_and_grants(void)
{
	xen_pfn_t frame;
	struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = 1};

	set_xen_guest_handle(op.frame_list, &frame);
	expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &op, 1), 0);
	expect(op.status, GNTST_okay);
	expect(remap(grants, RW(frame)), 0);
	expect(remap(store_page, RW(si->store_mfn)), 0);
}

static inline void prepare(struct interface *n, unsigned int card)
{
	struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = 0};
	char path[60], answer[100];

	n->card = card;
	format(path, sizeof(path), "device/vif/%u/mac", card);
	check(store_request(STORE_READ, path, (u32)strlen(path) + 1, answer));
	for (unsigned int i = 0; i < 6; i++)
		for (unsigned int k = 0; k < 2; k++) {
			char c = answer[3 * i + k];

			n->mac[i] = (u8)(n->mac[i] * 16 + (c > '9' ? c - 'a' + 10 : c - '0'));
		}
	XEN_FRONT_RING_INIT(&n->tx, (netif_tx_sring_t *)n->tx_page, PAGE_SIZE);
	XEN_FRONT_RING_INIT(&n->rx, (netif_rx_sring_t *)n->rx_page, PAGE_SIZE);
	grant(tx_ring_ref(n), n->tx_page, 0);
	grant(rx_ring_ref(n), n->rx_page, 0);
	for (unsigned int i = 0; i < PAGES; i++) {
		grant(out_ref(n, i), n->out[i], GTF_readonly);
		grant(in_ref(n, i), n->in[i], 0);
	}
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &op), 0);
	n->port = op.port;
}

static inline void announce(const struct interface *n, u32 tx, u32 rx, u32 port)
{
	front_write_number(n, "tx-ring-ref", tx);
	front_write_number(n, "rx-ring-ref", rx);
	front_write_number(n, "event-channel", port);
	front_write(n, "request-rx-copy", "1");
	front_write_number(n, "state", XenbusStateConnected);
}

static inline void join(const struct interface *n)
{
	announce(n, tx_ring_ref(n), rx_ring_ref(n), n->port);
	expect(back_state(n), XenbusStateConnected);
}

/* Away and back to the beginning, as when a driver is unloaded. */
static inline void leave(const struct interface *n)
{
	front_write_number(n, "state", XenbusStateClosing);
	front_write_number(n, "state", XenbusStateClosed);
	expect(back_state(n), XenbusStateClosed);
	front_write_number(n, "state", XenbusStateInitialising);
	expect(back_state(n), XenbusStateInitWait);
}

/* Adds one request, not shown yet. */
static inline struct netif_tx_request *request(struct interface *n, unsigned int page, u32 offset,
					       u32 size, u16 flags)
{
	struct netif_tx_request *r = RING_GET_REQUEST(&n->tx, n->tx.req_prod_pvt);

	*r = (struct netif_tx_request){.gref = out_ref(n, page),
				       .offset = (u16)offset,
				       .flags = flags,
				       .id = (u16)(n->tx.req_prod_pvt++ % 256),
				       .size = (u16)size};
	return r;
}

static inline void show(struct interface *n)
{
	RING_PUSH_REQUESTS(&n->tx);
	send_event(n->port);
}

static inline void offer_buffers(struct interface *n, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		unsigned int page = n->rx.req_prod_pvt % PAGES;

		*RING_GET_REQUEST(&n->rx, n->rx.req_prod_pvt++) =
		    (struct netif_rx_request){.id = (u16)page, .gref = in_ref(n, page)};
	}
	RING_PUSH_REQUESTS(&n->rx);
	send_event(n->port);
}

/* The next packet that arrived, its length in *len; NULL if none does. */
static inline const u8 *arrived(struct interface *n, u32 *len)
{
	struct netif_rx_response *r;

	for (unsigned int i = 0; i < POLL_LIMIT / 10; i++) {
		if (READ_ONCE(n->rx.sring->rsp_prod) == n->rx.rsp_cons) {
			pause_a_little();
			continue;
		}
		r = RING_GET_RESPONSE(&n->rx, n->rx.rsp_cons++);
		check(r->status > 0 && r->id < PAGES);
		*len = (u32)r->status;
		return n->in[r->id % PAGES] + r->offset;
	}
	return NULL;
}

/* Waits until all requests are answered; how many of them with OKAY. */
static inline unsigned int settle(struct interface *n)
{
	unsigned int ok = 0;

	for (unsigned int i = 0; i < POLL_LIMIT && n->tx.rsp_cons != n->tx.req_prod_pvt;) {
		if (READ_ONCE(n->tx.sring->rsp_prod) == n->tx.rsp_cons) {
			pause_a_little();
			i++;
			continue;
		}
		ok += RING_GET_RESPONSE(&n->tx, n->tx.rsp_cons++)->status == NETIF_RSP_OKAY;
	}
	expect(n->tx.rsp_cons, n->tx.req_prod_pvt);
	return ok;
}

/* The start of a packet of a protocol that nobody knows. */
static inline void address(u8 *p, const u8 *to, const u8 *from)
{
	memcpy(p, to, 6);
	memcpy(p + 6, from, 6);
	p[12] = 0x88;
	p[13] = 0xb5;
}

#endif
