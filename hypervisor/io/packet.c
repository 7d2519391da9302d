// SPDX-License-Identifier: MIT
/*
 * Outgoing packets, from what a guest wrote to what can be sent.
 *
 * Each request is copied once and judged as a copy. The first bytes of the packet are copied too,
 * because rules look at them: the card sends our copy, so the guest cannot change what was judged.
 * All that follows is sent from the guest's own pages; if it changes them meanwhile it spoils its
 * own packet.
 *
 * A guest's TCP may hand over up to 64 KB at once, to be cut into segments: each gets the header
 * with its own lengths, sequence number and sums, and its part of the payload where it lies. That
 * spares the guest the way through its driver, and us a ring's worth of requests, per segment.
 */
#include <hv/packet.h>
#include <hv/checksum.h>
#include <hv/frame.h>

#define ETHERNET  14u
#define TYPE_IPV4 0x0800
#define IP	  ETHERNET
#define IP_LENGTH (IP + 2)
#define IP_ID	  (IP + 4)
#define IP_OFFSET (IP + 6)
#define IP_PROTO  (IP + 9)
#define IP_SUM	  (IP + 10)
#define IP_FROM	  (IP + 12)
#define PROTO_TCP 6
#define PROTO_UDP 17

/* In a TCP header */
#define TCP_SEQ	      4
#define TCP_LENGTH    12
#define TCP_FLAGS     13
#define TCP_SUM	      16
#define UDP_SUM	      6
#define FLAGS_AT_LAST 0x09 /* FIN, PSH */
#define FLAG_AT_FIRST 0x80 /* CWR */

#define MIN_SEGMENT 64

static u32 be16(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

static void put_be16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static u32 be32(const u8 *p)
{
	return be16(p) << 16 | be16(p + 2);
}

/*
 * Extra requests follow the first: at most one, which says how to cut. False if they are not all
 * there.
 */
static bool read_extras(const struct vif *v, RING_IDX prod, struct packet *p)
{
	struct netif_extra_info e;

	do {
		if (p->end == prod)
			return false;
		e = *(const volatile struct netif_extra_info *)RING_GET_REQUEST(&v->tx, p->end++);
		if (p->nr_extras++ || e.type != XEN_NETIF_EXTRA_TYPE_GSO ||
		    e.u.gso.type != XEN_NETIF_GSO_TYPE_TCPV4 || e.u.gso.size < MIN_SEGMENT)
			p->wrong = true;
		p->segment = e.u.gso.size;
	} while (e.flags & XEN_NETIF_EXTRA_FLAG_MORE);
	return true;
}

/* The first request's size is that of the whole packet. */
static void judge(struct packet *p)
{
	u32 rest = 0;

	p->total = p->request[0].size;
	for (unsigned int i = 1; i < p->nr; i++)
		rest += p->request[i].size;
	if (p->total < ETHERNET || rest >= p->total || (!p->segment && p->total > NIC_MAX_PACKET)) {
		p->wrong = true;
		return;
	}
	p->request[0].size = (u16)(p->total - rest);
	for (unsigned int i = 0; i < p->nr; i++)
		if (p->request[i].offset + p->request[i].size > PAGE_SIZE)
			p->wrong = true;
}

enum packet_result packet_read(struct vif *v, RING_IDX prod, struct packet *p)
{
	struct netif_tx_request *r;

	p->vif = v;
	p->connection = v->connections;
	p->flying = p->nr = p->nr_extras = p->nr_held = 0;
	p->wrong = false;
	p->segment = 0;
	p->sent = 0;
	p->end = v->tx.req_cons;
	do {
		if (p->end == prod)
			return PACKET_NOT_THERE;
		if (p->nr == NIC_PIECES)
			return PACKET_TOO_LONG;
		r = &p->request[p->nr++];
		RING_COPY_REQUEST(&v->tx, p->end++, r);
		if (p->nr == 1 && (r->flags & NETTXF_extra_info) && !read_extras(v, prod, p))
			return PACKET_NOT_THERE;
	} while (r->flags & NETTXF_more_data);
	p->wants_checksum = p->request[0].flags & NETTXF_csum_blank;
	judge(p);
	return PACKET_READ;
}

static bool hold_pages(struct packet *p)
{
	for (; p->nr_held < p->nr; p->nr_held++)
		if (grant_hold(p->vif->domain, p->request[p->nr_held].gref, false,
			       &p->page[p->nr_held]) != GNTST_okay)
			return false;
	return true;
}

/* A part of request i that has at least one byte from `offset` on. */
static struct span part(const struct packet *p, unsigned int i, u32 offset, u32 most)
{
	const struct netif_tx_request *r = &p->request[i];

	return (struct span){(const u8 *)mfn_to_virt(p->page[i].mfn) + r->offset + offset,
			     MIN(r->size - offset, most)};
}

static void skip(struct packet *p, u32 bytes)
{
	p->offset += bytes;
	while (p->at < p->nr && p->offset >= p->request[p->at].size)
		p->offset -= p->request[p->at++].size;
}

/* Finds the transport's header and its sum in p->header. False if it has none that we know. */
static bool find_sum(struct packet *p)
{
	const u8 *h = p->header;

	if (p->header_len < ETHERNET + 20 || be16(h + 12) != TYPE_IPV4)
		return false;
	p->transport = ETHERNET + (h[IP] & 15) * 4u;
	p->sum = p->transport + (h[IP_PROTO] == PROTO_TCP ? TCP_SUM : UDP_SUM);
	return h[IP_PROTO] == PROTO_TCP || h[IP_PROTO] == PROTO_UDP;
}

/* What is to be completed must be inside the packet, and the sum's field in our header. */
static bool sum_fits(struct packet *p)
{
	u32 end;

	if (!find_sum(p))
		return false;
	end = ETHERNET + be16(p->header + IP_LENGTH);
	return p->sum + 2 <= MIN(end, p->header_len) && end <= p->total;
}

/* What is to be cut must be TCP, with all its headers in ours. False if it is not. */
static bool fit_header(struct packet *p)
{
	u32 end;

	if (!p->wants_checksum || !find_sum(p) || p->header[IP_PROTO] != PROTO_TCP ||
	    p->transport < ETHERNET + 20 || p->transport + 20 > p->header_len ||
	    be16(p->header + IP_OFFSET) & 0x3fff)
		return false;
	end = p->transport + (p->header[p->transport + TCP_LENGTH] >> 4) * 4u;
	if (end < p->transport + 20 || end > p->header_len || end >= p->total ||
	    end - ETHERNET + p->segment > NIC_MTU)
		return false;
	p->header_len = end;
	return true;
}

/* Takes out of the header what differs from segment to segment, and sums what does not. */
static void prepare_cuts(struct packet *p)
{
	u8 *tcp = p->header + p->transport;

	p->id = be16(p->header + IP_ID);
	p->seq = be32(tcp + TCP_SEQ);
	p->flags = tcp[TCP_FLAGS];
	memset(p->header + IP_LENGTH, 0, 4); /* and the identification */
	memset(p->header + IP_SUM, 0, 2);
	memset(tcp + TCP_SEQ, 0, 4);
	memset(tcp + TCP_SUM, 0, 2);
	tcp[TCP_FLAGS] = 0;
	p->ip_sum = p->tcp_sum = (struct checksum){0};
	checksum_add(&p->ip_sum, p->header + IP, p->transport - IP);
	checksum_add(&p->tcp_sum, p->header + IP_FROM, 8);
	checksum_add(&p->tcp_sum, tcp, p->header_len - p->transport);
	checksum_add_word(&p->tcp_sum, PROTO_TCP);
}

bool packet_gather(struct packet *p)
{
	u32 got = 0;

	if (p->wrong || !hold_pages(p))
		return false;
	p->header_len = MIN(p->total, NIC_HEAD);
	for (unsigned int i = 0; got < p->header_len; i++) {
		struct span s = part(p, i, 0, p->header_len - got);

		memcpy(p->header + got, s.at, s.len);
		got += s.len;
	}
	if (p->segment ? !fit_header(p) : p->wants_checksum && !sum_fits(p))
		return false;
	p->at = p->offset = 0;
	skip(p, p->header_len);
	p->left = p->total - p->header_len;
	return true;
}

static void add_payload(struct checksum *c, const struct span *s, unsigned int nr, u32 left)
{
	for (unsigned int i = 0; i < nr && left; i++) {
		u32 len = MIN(s[i].len, left);

		checksum_add(c, s[i].at, len);
		left -= len;
	}
}

/* The guest has left the sum of the pseudo header in the field; the rest is added. */
static void complete(const struct packet *p, u8 *head, const struct span *span, unsigned int nr)
{
	struct checksum sum = {0};
	u32 end = ETHERNET + be16(head + IP_LENGTH);
	u16 result;

	checksum_add(&sum, head + p->transport, MIN(end, p->header_len) - p->transport);
	add_payload(&sum, span + 1, nr - 1, end - MIN(end, p->header_len));
	result = checksum_end(&sum);
	if (result == 0 && head[IP_PROTO] == PROTO_UDP)
		result = 0xffff; /* 0 would mean that there is none */
	memcpy(head + p->sum, &result, sizeof(result));
}

/* The head of one segment of `len` bytes of payload. */
static void cut(const struct packet *p, u8 *head, const struct span *span, unsigned int nr, u32 len)
{
	struct checksum ip = p->ip_sum, tcp = p->tcp_sum;
	u32 length = p->header_len - IP + len;
	u32 id = p->id + p->sent / p->segment, seq = p->seq + p->sent;
	u8 flags = p->flags;
	u16 result;

	if (p->left > len)
		flags &= (u8)~FLAGS_AT_LAST;
	if (p->sent)
		flags &= (u8)~FLAG_AT_FIRST;
	put_be16(head + IP_LENGTH, length);
	put_be16(head + IP_ID, id);
	checksum_add_word(&ip, (u16)length);
	checksum_add_word(&ip, (u16)id);
	result = checksum_end(&ip);
	memcpy(head + IP_SUM, &result, sizeof(result));
	put_be16(head + p->transport + TCP_SEQ, seq >> 16);
	put_be16(head + p->transport + TCP_SEQ + 2, seq);
	head[p->transport + TCP_FLAGS] = flags;
	checksum_add_word(&tcp, (u16)(length - (p->transport - IP)));
	checksum_add_word(&tcp, (u16)(seq >> 16));
	checksum_add_word(&tcp, (u16)seq);
	checksum_add_word(&tcp, flags);
	add_payload(&tcp, span + 1, nr - 1, len);
	result = checksum_end(&tcp);
	memcpy(head + p->sum, &result, sizeof(result));
}

u32 packet_next_len(const struct packet *p)
{
	return p->header_len + (p->segment ? MIN(p->left, (u32)p->segment) : p->left);
}

unsigned int packet_segment(struct packet *p, u8 *head, struct span span[PACKET_SPANS])
{
	u32 len = packet_next_len(p) - p->header_len;
	unsigned int nr = 0;

	if (p->segment && !p->sent)
		prepare_cuts(p);
	memcpy(head, p->header, p->header_len);
	span[nr++] = (struct span){head, p->header_len};
	for (u32 rest = len; rest; nr++) {
		span[nr] = part(p, p->at, p->offset, rest);
		rest -= span[nr].len;
		skip(p, span[nr].len);
	}
	if (p->segment)
		cut(p, head, span, nr, len);
	else if (p->wants_checksum)
		complete(p, head, span, nr);
	p->left -= len;
	p->sent += len;
	return nr;
}
