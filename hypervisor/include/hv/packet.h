/* SPDX-License-Identifier: MIT */
/* A packet on its way out of a guest: from ring requests to what a card can send. */
#ifndef HV_PACKET_H
#define HV_PACKET_H

#include <hv/checksum.h>
#include <hv/vif.h>

struct span {
	const u8 *at;
	u32 len;
};

#define PACKET_SPANS (1 + NIC_PIECES)

struct packet {
	struct vif *vif;
	u32 connection;	     /* of vif, that its requests came by */
	struct packet *next; /* in the list of unused ones */
	unsigned int flying; /* segments that the card still reads */
	int status;	     /* its requests will be answered with */

	unsigned int nr, nr_extras, nr_held; /* requests with data and without, pages held */
	RING_IDX end;			     /* of its requests in the ring */
	u32 total;			     /* bytes */
	bool wrong;			     /* it is to be refused */
	bool wants_checksum;
	u16 segment; /* payload of each segment it is to be cut into; 0: it is sent as it is */
	struct netif_tx_request request[NIC_PIECES];
	struct held page[NIC_PIECES];

	u32 header_len; /* bytes in memory of ours */
	u8 header[NIC_HEAD];
	u32 transport, sum; /* where in it the transport's header begins, and its sum is */
	/* Of what is to be cut: where the first segment begins, and the sums of what all share. */
	u32 id, seq;
	u8 flags;
	struct checksum ip_sum, tcp_sum;

	u32 sent, left;	 /* bytes after the header */
	unsigned int at; /* request where those that are left begin */
	u32 offset;	 /* and in it */
};

enum packet_result { PACKET_READ, PACKET_NOT_THERE, PACKET_TOO_LONG };

/*
 * Copies the requests of the next packet from v's ring, of which prod is the end, and judges them;
 * v's place in the ring stays. NOT_THERE: it is not complete. TOO_LONG: no front end may do that.
 */
enum packet_result packet_read(struct vif *v, RING_IDX prod, struct packet *p);

/* Holds the pages and copies the header. False: the packet is to be refused. */
__must_check bool packet_gather(struct packet *p);

/* Bytes of the next segment. */
u32 packet_next_len(const struct packet *p);

/*
 * Makes the next segment: its head at `head`, where NIC_HEAD bytes fit, and all of it as spans, the
 * first being the head. Returns how many. Precondition: gathered; nothing was made yet, or
 * p->left > 0.
 */
unsigned int packet_segment(struct packet *p, u8 *head, struct span span[PACKET_SPANS]);

#endif
