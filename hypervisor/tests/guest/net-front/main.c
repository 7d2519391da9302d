// SPDX-License-Identifier: MIT
/*
 * A network front end that keeps to the protocol: what it sends from one interface arrives at the
 * other over the wire, in one piece or several, cut into segments where it asked for that; what
 * bears an address that is not its own does not. Connected anew, it works again.
 */
#include "netfront.h"

static struct interface one, two;

static u8 pattern(u32 i, u32 seed)
{
	return (u8)(i * 7 + (i >> 8) + seed);
}

static void expect_packet(u32 len, u32 seed)
{
	u32 got = 0;
	const u8 *p = arrived(&two, &got);

	check(p != NULL);
	expect(got, len);
	if (!p || got != len)
		return;
	check(memcmp(p, two.mac, 6) == 0 && memcmp(p + 6, one.mac, 6) == 0);
	for (u32 i = 14; i < len; i++)
		if (p[i] != pattern(i, seed)) {
			check(!"the packet is what was sent");
			return;
		}
}

/* `sizes` of the pieces, each in a page of its own, ended by 0. */
static void send_pieces(const u32 *sizes, u32 seed)
{
	u32 total = 0, at = 0;

	for (unsigned int i = 0; sizes[i]; i++)
		total += sizes[i];
	for (unsigned int i = 0; sizes[i]; i++) {
		u32 offset = PAGE_SIZE - sizes[i]; /* to the last byte of the page */

		for (u32 k = 0; k < sizes[i]; k++, at++)
			one.out[i][offset + k] = pattern(at, seed);
		if (i == 0)
			address(one.out[0] + offset, two.mac, one.mac);
		request(&one, i, offset, i ? sizes[i] : total, sizes[i + 1] ? NETTXF_more_data : 0);
	}
	show(&one);
	expect_packet(total, seed);
}

static void pieces(void)
{
	static const u32 shapes[][8] = {
	    {60}, {96}, {97}, {1514}, {66, 1448}, {14, 700, 800}, {100, 1, 1, 1, 1, 1, 1},
	};

	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		offer_buffers(&two, 1);
		send_pieces(shapes[i], i);
	}
	settle(&one);
}

static void spoofed(void)
{
	u8 other[6] = {0, 0x16, 0x3e, 1, 2, 3};
	u32 len;

	offer_buffers(&two, 1);
	address(one.out[0], two.mac, other);
	request(&one, 0, 0, 60, 0);
	show(&one);
	expect(settle(&one), 0);
	check(arrived(&two, &len) == NULL);
	address(one.out[0], two.mac, one.mac);
	request(&one, 0, 0, 60, 0);
	show(&one);
	expect(settle(&one), 1);
	check(arrived(&two, &len) != NULL && len == 60);
}

static void put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

/* 9000 bytes of TCP payload, to be cut at 1448: seven segments, the last of 312. */
static void segments(void)
{
	struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO,
					 .u.gso = {1448, XEN_NETIF_GSO_TYPE_TCPV4, 0, 0}};
	u8 *p = one.out[0];
	u32 seen = 0, len;

	memset(p, 0, 54);
	address(p, two.mac, one.mac);
	put16(p + 12, 0x0800);
	p[14] = 0x45;
	put16(p + 16, 9040);
	p[22] = 64;
	p[23] = 6;
	p[46] = 0x50;
	for (u32 i = 0; i < 9000; i++)
		one.out[1 + i / 3000][i % 3000] = pattern(i, 1);
	offer_buffers(&two, 8);
	request(&one, 0, 0, 9054, NETTXF_more_data | NETTXF_extra_info | NETTXF_csum_blank);
	memcpy(RING_GET_REQUEST(&one.tx, one.tx.req_prod_pvt++), &extra, sizeof(extra));
	for (unsigned int i = 1; i <= 3; i++)
		request(&one, i, 0, 3000, i < 3 ? NETTXF_more_data : 0);
	show(&one);
	for (unsigned int n = 0; n < 7; n++) {
		const u8 *q = arrived(&two, &len);

		check(q != NULL);
		if (!q)
			return;
		expect(len, n < 6 ? 54 + 1448 : 54 + 312);
		expect(q[40] << 8 | q[41], seen);
		for (u32 i = 54; i < len; i++, seen++)
			if (q[i] != pattern(seen, 1)) {
				check(!"the segment is what was sent");
				return;
			}
	}
	expect(settle(&one), 4); /* and one NULL for the extra request */
	expect(seen, 9000);
}

void test_main(void)
{
	map_store_and_grants();
	prepare(&one, 0);
	prepare(&two, 1);
	for (unsigned int round = 0; round < 2; round++) {
		join(&one);
		join(&two);
		pieces();
		spoofed();
		segments();
		leave(&one);
		leave(&two);
		prepare(&one, 0); /* rings start at 0 again; the old port is still ours */
		prepare(&two, 1);
	}
}
