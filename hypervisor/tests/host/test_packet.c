// SPDX-License-Identifier: MIT
/*
 * Outgoing packets: from random requests to what is sent. The bytes must be those of the pages, the
 * sums right, segments must add up to what was to be cut, and no request may reach beyond its page
 * or be believed when it contradicts the others.
 */
#include "unit.h"
#include <hv/checksum.h>
#include <hv/frame.h>
#include <hv/packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGES 40

static struct vif v;
static struct domain d = {.id = 1};
static u8 ring_page[PAGE_SIZE] __attribute__((aligned(4096)));
static netif_tx_sring_t *ring = (netif_tx_sring_t *)ring_page;
static unsigned int held;

int grant_hold(struct domain *owner, u32 ref, bool write, struct held *h)
{
	EXPECT(owner == &d && !write);
	if (ref == 0 || ref >= PAGES)
		return GNTST_bad_gntref;
	h->mfn = mfn(ref);
	held++;
	return GNTST_okay;
}

/* As the standard says it: 16 bits at a time. */
static u16 slow_sum(const u8 *p, u32 len, u32 sum)
{
	for (u32 i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (u32)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

static void sums(void)
{
	static u8 p[3000];

	for (unsigned int i = 0; i < sizeof(p); i++)
		p[i] = (u8)rand();
	for (unsigned int n = 0; n < 20000; n++) {
		u32 from = (u32)rand() % 100, len = (u32)rand() % 2800, done = 0;
		struct checksum c = {0};
		u16 got;

		while (done < len) {
			u32 step = 1 + (u32)rand() % (len - done);

			checksum_add(&c, p + from + done, step);
			done += step;
		}
		got = checksum_end(&c);
		EXPECT((u16)~slow_sum(p + from, len, 0) == (u16)(got << 8 | got >> 8));
	}
}

static void put16(u8 *p, u32 x)
{
	p[0] = (u8)(x >> 8);
	p[1] = (u8)x;
}

static u32 get16(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

/* A TCP or UDP packet with its sum left to us, as a guest makes it. */
static void compose(u8 *p, u32 len, u8 protocol)
{
	u32 transport = len - 34;

	for (u32 i = 0; i < len; i++)
		p[i] = (u8)rand();
	put16(p + 12, 0x0800);
	p[14] = 0x45;
	put16(p + 16, len - 14);
	put16(p + 20, 0x4000);
	p[23] = protocol;
	put16(p + 24, 0);
	put16(p + 24, (u16)~slow_sum(p + 14, 20, 0));
	p[46] = 0x50 | (p[46] & 15);
	put16(p + 34 + (protocol == 6 ? 16 : 6), slow_sum(p + 26, 8, protocol + transport));
}

/* Spreads it over pages and into requests; returns how many. */
static unsigned int spread(const u8 *p, u32 len, u16 flags, u16 segment)
{
	unsigned int nr = 0, page = 1;
	u32 done = 0;

	ring->req_prod = v.tx.req_cons;
	while (done < len && nr < NIC_PIECES) {
		struct netif_tx_request *r = RING_GET_REQUEST(&v.tx, ring->req_prod++);
		u32 size = 1 + (u32)rand() % (nr ? 1500 : 200);
		u32 offset;

		if (segment)
			size = nr ? 4096 : 54 + (u32)rand() % 60;
		size = MIN(size, len - done);
		if (nr == NIC_PIECES - 1)
			size = len - done;
		EXPECT(size <= PAGE_SIZE);
		offset = (u32)rand() % (PAGE_SIZE - size + 1);
		memcpy((u8 *)mfn_to_virt(mfn(page)) + offset, p + done, size);
		*r =
		    (struct netif_tx_request){.gref = page++, .offset = (u16)offset, .id = (u16)nr};
		r->size = (u16)(nr ? size : len);
		done += size;
		r->flags = (u16)((nr ? 0 : flags) | (done < len ? NETTXF_more_data : 0));
		if (segment && nr == 0) {
			struct netif_extra_info e = {.type = XEN_NETIF_EXTRA_TYPE_GSO};

			r->flags |= NETTXF_extra_info;
			e.u.gso.size = segment;
			e.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV4;
			memcpy(RING_GET_REQUEST(&v.tx, ring->req_prod++), &e, sizeof(e));
		}
		nr++;
	}
	return nr;
}

static u32 join(u8 *to, const struct span *s, unsigned int nr)
{
	u32 len = 0;

	for (unsigned int i = 0; i < nr; len += s[i++].len)
		memcpy(to + len, s[i].at, s[i].len);
	return len;
}

static void whole(void)
{
	static u8 p[NIC_MAX_PACKET], out[NIC_MAX_PACKET];
	struct span span[PACKET_SPANS];
	struct packet k;
	u8 head[NIC_HEAD];

	for (unsigned int n = 0; n < 20000; n++) {
		u32 len = 60 + (u32)rand() % (NIC_MAX_PACKET - 60 + 1);
		u8 protocol = rand() % 2 ? 6 : 17;
		u32 field = protocol == 6 ? 50 : 40;
		unsigned int nr;

		compose(p, len, protocol);
		nr = spread(p, len, NETTXF_csum_blank, 0);
		EXPECT(packet_read(&v, ring->req_prod, &k) == PACKET_READ && k.nr == nr);
		EXPECT(packet_gather(&k) && packet_next_len(&k) == len);
		nr = packet_segment(&k, head, span);
		EXPECT(join(out, span, nr) == len && k.left == 0);
		EXPECT(memcmp(out, p, field) == 0);
		EXPECT(memcmp(out + field + 2, p + field + 2, len - field - 2) == 0);
		EXPECT(slow_sum(out + 34, len - 34, slow_sum(p + 26, 8, protocol + len - 34)) ==
		       0xffff);
	}
}

/* What was judged is what is sent, whatever the guest does in between. */
static void changed_after_the_verdict(void)
{
	struct span span[PACKET_SPANS];
	u8 p[200], head[NIC_HEAD];
	struct packet k;

	compose(p, sizeof(p), 17);
	spread(p, sizeof(p), 0, 0);
	EXPECT(packet_read(&v, ring->req_prod, &k) == PACKET_READ && packet_gather(&k));
	for (unsigned int i = 1; i < PAGES; i++)
		memset(mfn_to_virt(mfn(i)), 0xee, PAGE_SIZE);
	memset(ring->ring, 0xee, PAGE_SIZE - 64);
	packet_segment(&k, head, span);
	EXPECT(span[0].len == NIC_HEAD && memcmp(head, p, NIC_HEAD) == 0);
}

static void segments(void)
{
	static u8 p[65536], out[NIC_MAX_PACKET];
	struct span span[PACKET_SPANS];
	u8 head[NIC_HEAD];
	struct packet k;

	for (unsigned int n = 0; n < 300; n++) {
		u32 len = 100 + (u32)rand() % 60000, sent = 0;
		u16 segment = (u16)(64 + rand() % 1397);
		u32 seq;

		compose(p, len, 6);
		p[47] = 0xff; /* all flags */
		spread(p, len, NETTXF_csum_blank, segment);
		EXPECT(packet_read(&v, ring->req_prod, &k) == PACKET_READ && packet_gather(&k));
		seq = get16(p + 38) << 16 | get16(p + 40);
		for (unsigned int i = 0; i == 0 || k.left; i++) {
			u32 want = packet_next_len(&k);
			u32 got = join(out, span, packet_segment(&k, head, span));
			bool last = k.left == 0;

			EXPECT(got == want && got <= 14 + NIC_MTU &&
			       (last || got == 54u + segment));
			EXPECT(memcmp(out + 54, p + 54 + sent, got - 54) == 0);
			EXPECT(get16(out + 16) == got - 14);
			EXPECT((u16)(get16(out + 18) - get16(p + 18)) == i);
			EXPECT((get16(out + 38) << 16 | get16(out + 40)) == seq + sent);
			EXPECT(out[47] == (u8)(0xff & ~(last ? 0 : 9) & ~(i ? 0x80 : 0)));
			EXPECT(slow_sum(out + 14, 20, 0) == 0xffff);
			EXPECT(slow_sum(out + 34, got - 34, slow_sum(out + 26, 8, 6 + got - 34)) ==
			       0xffff);
			sent += got - 54;
		}
		EXPECT(sent == len - 54);
	}
}

/* The sizes of all requests in the ring but the first. */
static u16 rest_of(struct packet *k)
{
	u32 rest = 0;

	EXPECT(packet_read(&v, ring->req_prod, k) == PACKET_READ);
	for (unsigned int i = 1; i < k->nr; i++)
		rest += k->request[i].size;
	return (u16)rest;
}

/* Each is one lie in an otherwise good packet. */
static void refused(void)
{
	static u8 p[3000];
	struct netif_extra_info *extra;
	struct packet k;

	compose(p, 1000, 6);
#define TRY(setup, ok)                                                                             \
	do {                                                                                       \
		spread(p, 1000, NETTXF_csum_blank, 0);                                             \
		struct netif_tx_request *r = RING_GET_REQUEST(&v.tx, v.tx.req_cons);               \
		setup;                                                                             \
		(void)r;                                                                           \
		EXPECT(packet_read(&v, ring->req_prod, &k) == PACKET_READ);                        \
		EXPECT(packet_gather(&k) == (ok));                                                 \
	} while (0)
	TRY(, true);
	TRY(r->size = 13, false); /* less than its pieces */
	TRY(r->size = 0, false);
	TRY((r->size = rest_of(&k), r->flags = NETTXF_more_data),
	    false);		      /* nothing is left for it */
	TRY(r->size = 0xffff, false); /* longer than a packet may be */
	TRY(r->offset = 4095, false); /* over the end of its page */
	TRY(r->gref = 0, false);      /* no such grant */
	TRY(r[1].gref = 0xffffffff, false);
	TRY(r[1].offset = 0xffff, false);
	TRY(r[1].size = 0xffff, false);
#define TRY_CUT(setup, ok)                                                                         \
	do {                                                                                       \
		compose(p, 3000, 6);                                                               \
		spread(p, 3000, NETTXF_csum_blank, 1000);                                          \
		struct netif_tx_request *r = RING_GET_REQUEST(&v.tx, v.tx.req_cons);               \
		u8 *at = (u8 *)mfn_to_virt(mfn(1)) + r->offset;                                    \
		extra = (void *)(r + 1);                                                           \
		setup;                                                                             \
		(void)at;                                                                          \
		EXPECT(packet_read(&v, ring->req_prod, &k) == PACKET_READ);                        \
		EXPECT(packet_gather(&k) == (ok));                                                 \
	} while (0)
	TRY_CUT(, true);
	TRY_CUT(extra->u.gso.size = 0, false);
	TRY_CUT(extra->u.gso.size = 63, false);
	TRY_CUT(extra->u.gso.size = 1461, false);
	TRY_CUT(extra->u.gso.type = XEN_NETIF_GSO_TYPE_TCPV6, false);
	TRY_CUT(extra->type = XEN_NETIF_EXTRA_TYPE_HASH, false);
	TRY_CUT(r->flags &= (u16)~NETTXF_csum_blank, false);
	TRY_CUT(at[23] = 17, false);   /* not TCP */
	TRY_CUT(at[14] = 0x44, false); /* headers that end too early or too late */
	TRY_CUT(at[46] = 0x40, false);
	TRY_CUT(at[14] = 0x4f, false);
	TRY_CUT(at[46] = 0xf0, true);  /* 40 bytes of options still fit */
	TRY_CUT(at[21] = 1, false);    /* a fragment */
	TRY_CUT(at[12] = 0x86, false); /* not IPv4 */
}

static void incomplete(void)
{
	static u8 p[3000];
	struct packet k;
	struct netif_tx_request *r;
	RING_IDX end;

	compose(p, 1500, 6);
	spread(p, 1500, 0, 0);
	end = ring->req_prod;
	for (RING_IDX prod = v.tx.req_cons; prod != end; prod++)
		EXPECT(packet_read(&v, prod, &k) == PACKET_NOT_THERE);
	r = RING_GET_REQUEST(&v.tx, v.tx.req_cons);
	compose(p, 3000, 6);
	spread(p, 3000, 0, 1000);
	EXPECT(packet_read(&v, v.tx.req_cons + 1, &k) == PACKET_NOT_THERE);
	for (unsigned int i = 0; i < 40; i++) /* a chain that never ends */
		RING_GET_REQUEST(&v.tx, v.tx.req_cons + i)->flags = NETTXF_more_data;
	EXPECT(packet_read(&v, v.tx.req_cons + 40, &k) == PACKET_TOO_LONG);
	for (unsigned int i = 0; i < 256; i++) { /* extras that never end */
		struct netif_extra_info e = {.flags = XEN_NETIF_EXTRA_FLAG_MORE};

		memcpy(RING_GET_REQUEST(&v.tx, v.tx.req_cons + i), &e, sizeof(e));
	}
	r->flags = NETTXF_extra_info;
	EXPECT(packet_read(&v, v.tx.req_cons + 256, &k) == PACKET_NOT_THERE);
}

int main(void)
{
	void *memory = mmap((void *)DIRECT_MAP_BASE, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	EXPECT(memory == (void *)DIRECT_MAP_BASE);
	srand(1);
	v.domain = &d;
	BACK_RING_ATTACH(&v.tx, ring, 0xffffff80u, PAGE_SIZE); /* over the wrap of the indices */
	sums();
	whole();
	changed_after_the_verdict();
	segments();
	refused();
	incomplete();
	EXPECT(held > 0);
	return unit_failures != 0;
}
