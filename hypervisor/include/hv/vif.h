/* SPDX-License-Identifier: MIT */
/* Virtual interfaces: what they are, how they are set, and the handshake with their front ends. */
#ifndef HV_VIF_H
#define HV_VIF_H

#include <hv/domain.h>
#include <hv/grant.h>
#include <hv/nic.h>
#include <hv/public.h>
#include <hv/rules.h>
#include <hv/string.h>
#include <hv/types.h>
#include <xen/io/netif.h>

enum vif_state {
	VIF_ABSENT,
	VIF_WAITING,   /* for the front end */
	VIF_CONNECTED, /* rings are held */
	VIF_CLOSED,    /* the front end said so, or broke the rules of the ring */
};

/* So many bytes may be sent in each period; no bytes: as many as go. */
struct credit {
	u64 bytes, period_ns;
	u64 left, refill; /* ns since boot */
};

struct packet;

struct vif {
	struct domain *domain;
	u8 card;
	u8 state; /* enum vif_state */
	u32 port;
	u32 connections;       /* how often it was connected: answers must not reach a later ring */
	u32 packets;	       /* taken from its rings, of any connection, and not done with */
	struct packet *packet; /* the one of them of which not all was sent */
	RING_IDX seen;	       /* requests up to here were looked at */
	bool answered;	       /* there are responses that the front end has not been shown: sent */
	bool delivered;	       /* and received packets */
	bool queued;	       /* waits for its turn at the card */
	bool starved;	       /* waits for credit */
	bool full;	       /* the card keeps packets until there is room for them */
	struct vif *next;      /* in the queue of the card */
	netif_tx_back_ring_t tx;
	netif_rx_back_ring_t rx;
	struct held tx_page, rx_page;
	struct credit credit;
	struct rules rules;
	u8 given;		/* which options spoke of it */
	bool complained;	/* the console was told of its front end, once is enough */
	u64 sent, received;	/* packets */
	u64 no_buffer, refused; /* arrived without room for them; broken requests */
};

extern struct vif vifs[MAX_DOMAINS][NIC_MAX];
extern unsigned int vif_domains; /* how many domains have interfaces */

static inline struct vif *vif_of(const struct domain *d, unsigned int card)
{
	return &vifs[d->id][card];
}

/* Which domain's interface v is, and to which card. */
unsigned int vif_domain(const struct vif *v);
unsigned int vif_card(const struct vif *v);

/*
 * Reads the rest of an option that begins with "vif": D.C.mac=, D.C.ip=, D.C.credit=BYTES/US,
 * D.C.rule= (several). NULL, or the place where it is wrong.
 */
const char *vif_option(const char *text);

/*
 * When it is known which cards there are, and that domains 1 to nr_domains will be: what is wrong
 * with the options as a whole, or NULL; *v: with which interface.
 */
const char *vif_check(unsigned int nr_domains, const struct vif **v);

/* Part of a domain: an interface to each card, published in the store. Returns -ENOMEM. */
__must_check int vif_attach(struct domain *d);

/* Its end. False while a card still reads the domain's memory; after a second that card is given up.
 */
bool vif_release(struct domain *d);

/* The front end breaks the ring's rules: it is closed, and says why on the console once. */
void vif_break(struct vif *v, const char *why);

/* At the end of each domain, what passed its interfaces is printed; option stats. */
void vif_enable_stats(void);

#endif
