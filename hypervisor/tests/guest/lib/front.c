// SPDX-License-Identifier: MIT
/* A client of the store, grants, and a plain block front end; nothing waits by events. */
#include "front.h"
#include <xen/io/xenbus.h>

char store_answer[4097];
u32 store_length;

static struct grant_entry_v1 table[512] __page_aligned;
static u8 ring_page[PAGE_SIZE] __page_aligned;

struct xenstore_domain_interface *store_ring(void)
{
	return (void *)(VIRT_BASE + (machine_to_phys_mapping[si->store_mfn] << PAGE_SHIFT));
}

long send_event(u32 port)
{
	struct evtchn_send op = {.port = port};

	return call2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &op);
}

static void give(const void *from, u32 len)
{
	struct xenstore_domain_interface *r = store_ring();
	const char *s = from;

	while (len) {
		if (r->req_prod - READ_ONCE(r->req_cons) == XENSTORE_RING_SIZE) {
			send_event(si->store_evtchn);
			continue;
		}
		r->req[MASK_XENSTORE_IDX(r->req_prod)] = *s++;
		WRITE_ONCE(r->req_prod, r->req_prod + 1);
		len--;
	}
}

static void take(void *to, u32 len)
{
	struct xenstore_domain_interface *r = store_ring();
	char *s = to;

	while (len) {
		if (r->rsp_cons == READ_ONCE(r->rsp_prod)) {
			send_event(si->store_evtchn);
			continue;
		}
		*s++ = r->rsp[MASK_XENSTORE_IDX(r->rsp_cons)];
		WRITE_ONCE(r->rsp_cons, r->rsp_cons + 1);
		len--;
	}
}

u32 store_request(u32 type, u32 tx, const void *body, u32 len)
{
	struct xsd_sockmsg head = {.type = type, .req_id = 42, .tx_id = tx, .len = len};

	give(&head, sizeof(head));
	give(body, len);
	send_event(si->store_evtchn);
	do {
		take(&head, sizeof(head));
		check(head.len <= XENSTORE_PAYLOAD_MAX);
		take(store_answer, head.len);
	} while (head.type == XS_WATCH_EVENT);
	check(head.req_id == 42 && head.tx_id == tx);
	store_length = head.len;
	store_answer[head.len] = '\0';
	return head.type;
}

bool store_get(const char *path)
{
	return store_request(XS_READ, 0, path, (u32)strlen(path) + 1) == XS_READ;
}

bool store_put(const char *path, const char *value)
{
	char body[256];
	u32 n = (u32)strlen(path) + 1;

	memcpy(body, path, n);
	memcpy(body + n, value, strlen(value));
	return store_request(XS_WRITE, 0, body, n + (u32)strlen(value)) == XS_WRITE;
}

struct grant_entry_v1 *grant_entry(u32 ref)
{
	static bool mapped;
	xen_pfn_t frame;
	struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = 1};

	if (!mapped) {
		set_xen_guest_handle(op.frame_list, &frame);
		expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &op, 1), 0);
		expect(remap(table, RW(frame)), 0);
		mapped = true;
	}
	return &table[ref];
}

void grant(u32 ref, const void *page, bool readonly)
{
	struct grant_entry_v1 *e = grant_entry(ref);

	e->domid = 0;
	e->frame = (u32)va_to_mfn(page);
	barrier();
	WRITE_ONCE(e->flags, (u16)(GTF_permit_access | (readonly ? GTF_readonly : 0)));
}

static bool put_number(const char *node, u64 n)
{
	char path[64], text[24];

	format(path, sizeof(path), "device/vbd/%u/%s", XVDB, node);
	format(text, sizeof(text), "%lu", n);
	return store_put(path, text);
}

static u64 back_number(const char *node)
{
	char path[96];
	const char *s = store_answer;
	u64 n = 0;

	if (!store_get("domid"))
		return 0;
	format(path, sizeof(path), "/local/domain/0/backend/vbd/%s/%u/%s", store_answer, XVDB,
	       node);
	return store_get(path) && str_to_u64(&s, &n) ? n : 0;
}

bool block_connect(struct block *b)
{
	struct evtchn_alloc_unbound open = {.dom = DOMID_SELF, .remote_dom = 0};

	b->sring = (blkif_sring_t *)ring_page;
	SHARED_RING_INIT(b->sring);
	FRONT_RING_INIT(&b->ring, b->sring, PAGE_SIZE);
	grant(8, ring_page, false);
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &open), 0);
	b->port = open.port;
	check(put_number("ring-ref", 8) && put_number("event-channel", b->port));
	check(put_number("state", XenbusStateInitialised));
	b->sectors = back_number("sectors");
	return back_number("state") == XenbusStateConnected;
}

void block_put(struct block *b, u8 op, u64 sector, u32 ref, u8 first, u8 last)
{
	*RING_GET_REQUEST(&b->ring, b->ring.req_prod_pvt++) = (struct blkif_request){
	    .operation = op,
	    .nr_segments = op == BLKIF_OP_FLUSH_DISKCACHE ? 0 : 1,
	    .id = sector,
	    .sector_number = sector,
	    .seg = {{ref, first, last}},
	};
}

void block_push(struct block *b)
{
	bool notify;

	RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&b->ring, notify);
	if (notify)
		expect(send_event(b->port), 0);
}

int block_wait(struct block *b)
{
	u64 start = clock_ns();

	while (READ_ONCE(b->sring->rsp_prod) == b->ring.rsp_cons)
		if (clock_ns() - start > 100000000)
			return -1000; /* never came */
	return RING_GET_RESPONSE(&b->ring, b->ring.rsp_cons++)->status;
}

int block_do(struct block *b, u8 op, u64 sector, u32 ref, u8 first, u8 last)
{
	block_put(b, op, sector, ref, first, last);
	block_push(b);
	return block_wait(b);
}
