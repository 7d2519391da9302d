/* SPDX-License-Identifier: MIT */
/* The network cards: whole packets in and out. */
#ifndef HV_NIC_H
#define HV_NIC_H

#include <hv/types.h>

#define NIC_MAX	       2
#define NIC_SLOTS      256u /* more packets than can be on their way out */
#define NIC_HEAD       96u  /* the first bytes of a packet lie in memory of ours, never less */
#define NIC_PIECES     18u  /* and so many pieces anywhere at most */
#define NIC_MTU	       1500u
#define NIC_MAX_PACKET (NIC_MTU + 14 + 4) /* with Ethernet header and tag */

struct nic_piece {
	paddr_t at; /* does not cross a page */
	u32 len;
};

/* Finds the cards and starts them; those that cannot be used are named on the console. */
void nic_init(void);

unsigned int nic_count(void);

/* The card's own address, 6 bytes. */
const u8 *nic_mac(unsigned int card);

/* False once the card is dead. */
bool nic_alive(unsigned int card);

/* The card is not used any more: it is kept from all memory, then nic_died() is called. */
void nic_give_up(unsigned int card, const char *why);

/* True if a packet of any kind can be sent now; never again once the card is dead. */
bool nic_room(unsigned int card);

/* Where the first bytes of the next packet are to be put: NIC_HEAD of them fit. */
u8 *nic_head(unsigned int card);

/*
 * Sends the head_len bytes at nic_head() and then the pieces, which must stay as they are until
 * nic_sent() tells the number, below NIC_SLOTS, that is returned here. Precondition: nic_room(),
 * head_len > 0.
 */
unsigned int nic_send(unsigned int card, u32 head_len, const struct nic_piece *piece,
		      unsigned int nr);

/* Tells the card that there is something to send, if it wants to know. */
void nic_flush(unsigned int card);

/* The number of the next packet that the card is done with, or -1 if there is none. */
int nic_sent(unsigned int card);

/* The next packet that arrived, or NULL. Valid until nic_received_done(). */
const u8 *nic_received(unsigned int card, u32 *len);

/* Gives the packet's memory back to the card; it learns of it at nic_flush(). */
void nic_received_done(unsigned int card);

/* Hooks, defined by io/netback.c: something was sent or received; the card is dead, and reads and
 * writes no memory any more. */
void nic_event(unsigned int card);
void nic_died(unsigned int card);

#endif
