/* SPDX-License-Identifier: MIT */
/*
 * The world of the network back end for its units: a fake card, fake grants, and front ends that
 * post what they are told to. Whatever a unit does, a page that the card may still read is held.
 */
#ifndef NETBACK_WORLD_H
#define NETBACK_WORLD_H

#include "unit.h"
#include <hv/alarm.h>
#include <hv/clock.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/netback.h>
#include <hv/packet.h>
#include <hv/vcpu.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DOMAINS	  3
#define PER_GUEST 300 /* frames: grant reference r of domain i is frame i * PER_GUEST + r */
#define TX_REF	  1
#define RX_REF	  2
#define DATA_REF  10
#define ROOM	  32 /* packets in flight that the fake card takes */

struct clock boot_clock;
struct vif vifs[MAX_DOMAINS][NIC_MAX];
unsigned int vif_domains;
static struct domain dom[DOMAINS + 1];
static netif_tx_front_ring_t tx[DOMAINS + 1];
static netif_rx_front_ring_t rx[DOMAINS + 1];
static u64 now, tsc;
static unsigned int held[(DOMAINS + 1) * PER_GUEST], nr_held, events[DOMAINS + 1], breaks;

/* The card. */
static u8 head[NIC_SLOTS][NIC_HEAD];
static unsigned int flying[NIC_SLOTS], nr_flying, next_slot;
static u64 reads[NIC_SLOTS][NIC_PIECES]; /* frames, of each slot in flight; 0: none */
static u8 wire[4096]; /* first byte of the source's number, of each packet in turn */
static unsigned int nr_wire;
static u8 arrived[300][64];
static unsigned int nr_arrived, nr_fetched;
static bool alive = true;

u64 clock_now(void)
{
	return now;
}
u64 rdtsc(void)
{
	return tsc += 100;
}
void alarm_changed(void)
{
}
unsigned int nic_count(void)
{
	return 1;
}
bool nic_alive(unsigned int card)
{
	return alive && card == 0;
}
bool nic_room(unsigned int card)
{
	return nic_alive(card) && nr_flying < ROOM;
}
static unsigned int free_slot(void)
{
	for (unsigned int i = 0; i < nr_flying; i++)
		if (flying[i] == next_slot % NIC_SLOTS) {
			next_slot++;
			return free_slot();
		}
	return next_slot % NIC_SLOTS;
}
u8 *nic_head(unsigned int card)
{
	(void)card;
	return head[free_slot()];
}
unsigned int nic_send(unsigned int card, u32 len, const struct nic_piece *piece, unsigned int nr)
{
	unsigned int slot = free_slot();

	next_slot++;
	EXPECT(alive && card == 0 && len > 0 && nr <= NIC_PIECES && nr_flying < ROOM);
	memset(reads[slot], 0, sizeof(reads[slot]));
	for (unsigned int i = 0; i < nr; i++) {
		reads[slot][i] = piece[i].at.n >> PAGE_SHIFT;
		EXPECT(held[reads[slot][i]] > 0);
	}
	wire[nr_wire++ % sizeof(wire)] = head[slot][10];
	flying[nr_flying++] = slot;
	return slot;
}
void nic_flush(unsigned int card)
{
	(void)card;
}
static unsigned int may_land;
int nic_sent(unsigned int card)
{
	unsigned int slot = flying[0];

	(void)card;
	if (!may_land || !nr_flying)
		return -1;
	may_land--;
	memmove(flying, flying + 1, --nr_flying * sizeof(flying[0]));
	return (int)slot;
}
const u8 *nic_received(unsigned int card, u32 *len)
{
	(void)card;
	*len = sizeof(arrived[0]);
	return nr_fetched < nr_arrived ? arrived[nr_fetched] : NULL;
}
void nic_received_done(unsigned int card)
{
	(void)card;
	nr_fetched++;
}

int grant_hold(struct domain *owner, u32 ref, bool write, struct held *h)
{
	if (ref == 0 || ref >= PER_GUEST)
		return GNTST_bad_gntref;
	*h = (struct held){.owner = owner->id, .ref = ref, .write = write};
	h->mfn = mfn(owner->id * PER_GUEST + ref);
	held[h->mfn.n]++;
	nr_held++;
	return GNTST_okay;
}
/* The rule itself: the last hold of a frame ends when the card does not read it any more. */
void grant_release(struct held *h)
{
	EXPECT(held[h->mfn.n] > 0);
	nr_held--;
	if (--held[h->mfn.n])
		return;
	for (unsigned int i = 0; i < nr_flying; i++)
		for (unsigned int k = 0; k < NIC_PIECES; k++)
			EXPECT(reads[flying[i]][k] != h->mfn.n);
}
void evtchn_set_pending(struct domain *d, u32 port)
{
	EXPECT(port == 7);
	events[d->id]++;
}
void vif_break(struct vif *v, const char *why)
{
	EXPECT(why[0]);
	breaks++;
	netback_stop(v);
}

static struct vif *vif(unsigned int i)
{
	return &vifs[i][0];
}

static void *page(unsigned int i, u32 ref)
{
	return mfn_to_virt(mfn(i * PER_GUEST + ref));
}

static void connect(unsigned int i)
{
	struct vif *v = vif(i);
	const u8 mac[6] = {0, 0x16, 0x3e, 0, (u8)i, 0};

	XEN_FRONT_RING_INIT(&tx[i], (netif_tx_sring_t *)page(i, TX_REF), PAGE_SIZE);
	XEN_FRONT_RING_INIT(&rx[i], (netif_rx_sring_t *)page(i, RX_REF), PAGE_SIZE);
	memcpy(v->rules.mac, mac, sizeof(mac));
	v->domain = &dom[i];
	v->port = 7;
	v->tx_page.mfn = mfn(i * PER_GUEST + TX_REF);
	v->rx_page.mfn = mfn(i * PER_GUEST + RX_REF);
	netback_start(v);
}

/* Puts n packets of two pieces into i's ring, for interface `to` (0: somebody outside). */
static void post(unsigned int i, unsigned int n, unsigned int to)
{
	while (n--) {
		u32 ref = DATA_REF + tx[i].req_prod_pvt % 256;
		u8 *p = page(i, ref);
		struct netif_tx_request *r;
		const u8 start[] = {0,	  0x16, 0x3e, 0,     (u8)to, 0,	   0,
				    0x16, 0x3e, 0,    (u8)i, 0,	     0x88, 0xb5};

		memcpy(p, start, sizeof(start));
		for (unsigned int k = 0; k < 2; k++) {
			r = RING_GET_REQUEST(&tx[i], tx[i].req_prod_pvt++);
			*r = (struct netif_tx_request){.gref = ref, .id = (u16)(1000 + k)};
			r->size = k ? 400 : 1000;
			r->offset = k ? 2000 : 0;
			r->flags = k ? 0 : NETTXF_more_data;
		}
	}
	RING_PUSH_REQUESTS(&tx[i]);
}

static void post_buffers(unsigned int i, unsigned int n)
{
	while (n--) {
		struct netif_rx_request *r = RING_GET_REQUEST(&rx[i], rx[i].req_prod_pvt++);

		*r = (struct netif_rx_request){.id = 5, .gref = 280};
	}
	RING_PUSH_REQUESTS(&rx[i]);
}

/* The front end takes its answers; how many. */
static unsigned int answers(unsigned int i)
{
	unsigned int n = 0;

	EXPECT(tx[i].sring->rsp_prod - tx[i].rsp_cons <= 256);
	for (; tx[i].rsp_cons != tx[i].sring->rsp_prod; tx[i].rsp_cons++, n++)
		EXPECT(RING_GET_RESPONSE(&tx[i], tx[i].rsp_cons)->id / 2 == 500);
	tx[i].sring->rsp_event = tx[i].rsp_cons + 1;
	return n;
}

static void land(unsigned int n)
{
	may_land = n;
	nic_event(0);
	may_land = 0;
}

static void settle(void)
{
	for (unsigned int n = 0; n < 100; n++) {
		now += 1000000;
		alarm_ring(now);
		land(ROOM);
	}
}

static void fresh(void)
{
	settle();
	for (unsigned int i = 1; i <= DOMAINS; i++) {
		if (vif(i)->state == VIF_CONNECTED)
			netback_stop(vif(i));
		netback_forget(vif(i));
		memset(vif(i), 0, sizeof(*vif(i)));
		events[i] = 0;
	}
	EXPECT(nr_held == 0 && nr_flying == 0 && alarm_first() == ALARM_NEVER);
	nr_wire = nr_arrived = nr_fetched = breaks = 0;
}

static void make_world(void)
{
	size_t size = (DOMAINS + 1) * PER_GUEST * PAGE_SIZE;
	void *memory = mmap((void *)DIRECT_MAP_BASE, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	EXPECT(memory == (void *)DIRECT_MAP_BASE);
	boot_clock.scale = timescale_from_hz(1000000000);
	for (unsigned int i = 1; i <= DOMAINS; i++)
		dom[i] = (struct domain){.id = (u16)i, .state = DOMAIN_RUNNING};
}

#endif
