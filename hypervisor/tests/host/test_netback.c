// SPDX-License-Identifier: MIT
/*
 * The network back end between fake cards, fake grants and front ends that are right or wrong:
 * turns and credits of several interfaces, what happens to those that break the ring's rules, and
 * that nothing is held for, or answered to, an interface that is gone. Whatever happens, a page that
 * the card may still read is held.
 */
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

static void turns(void)
{
	fresh();
	for (unsigned int i = 1; i <= DOMAINS; i++)
		connect(i);
	post(1, 100, 0);
	netback_service(&dom[1]); /* fills the card */
	EXPECT(nr_wire == ROOM && nr_held == 2 * ROOM);
	post(2, 20, 0);
	post(3, 20, 0);
	netback_service(&dom[2]);
	netback_service(&dom[3]);
	EXPECT(nr_wire == ROOM);
	for (unsigned int n = 0; n < 60; n++)
		land(1);
	/* While all three had something to send, each got every third place. */
	for (unsigned int n = 0; n < 60; n++)
		EXPECT(wire[ROOM + n] == wire[ROOM + n % 3]);
	EXPECT(wire[ROOM] + wire[ROOM + 1] + wire[ROOM + 2] == 6);
	settle();
	EXPECT(nr_wire == 140 && answers(1) == 200 && answers(2) == 40 && answers(3) == 40);
	EXPECT(events[2] >= 1 && events[2] <= 20); /* not one for each answer */
}

static void credit(void)
{
	fresh();
	connect(1);
	connect(2);
	vif(1)->credit = (struct credit){.bytes = 4200, .period_ns = 1000000};
	now += 5000000;
	post(1, 10, 0);
	netback_service(&dom[1]);
	EXPECT(nr_wire == 4); /* of 1000 bytes each */
	post(2, 5, 0);
	netback_service(&dom[2]); /* is not held up by it */
	EXPECT(nr_wire == 9);
	for (unsigned int n = 0; n < 2; n++) {
		now += 999999;
		alarm_ring(now);
		EXPECT(nr_wire == 9 + 4 * n);
		now += 1;
		alarm_ring(now);
		land(ROOM);
		EXPECT(nr_wire == MIN(9 + 4 * (n + 1), 15u));
	}
}

static void wild(void)
{
	fresh();
	connect(1);
	connect(2);
	tx[1].sring->req_prod = 257; /* more than there is */
	netback_service(&dom[1]);
	EXPECT(breaks == 1 && vif(1)->state == VIF_CLOSED && nr_wire == 0);
	netback_service(&dom[1]);
	EXPECT(breaks == 1);
	post(2, 3, 0);
	netback_service(&dom[2]);
	EXPECT(nr_wire == 3);
	rx[2].sring->req_prod = 0x80000000;
	nr_arrived = 1;
	memcpy(arrived[0], vif(2)->rules.mac, 6);
	land(0);
	EXPECT(breaks == 2 && vif(2)->state == VIF_CLOSED);
}

/* An index that goes back: nothing is taken twice, nor more than the ring holds looked at. */
static void backwards(void)
{
	fresh();
	connect(1);
	post(1, 10, 0);
	netback_service(&dom[1]);
	EXPECT(nr_wire == 10 && tx[1].sring->rsp_prod == 0);
	tx[1].sring->req_prod = 10;
	netback_service(&dom[1]);
	EXPECT(breaks == 1 && vif(1)->state == VIF_CLOSED && nr_wire == 10);
	settle();
	connect(1);
	post(1, 10, 0);
	netback_service(&dom[1]);
	memset(tx[1].sring->ring, 0xff, 256 * sizeof(tx[1].sring->ring[0])); /* all say: go on */
	tx[1].sring->req_prod = 19;
	netback_service(&dom[1]);
	EXPECT(breaks == 2 && vif(1)->state == VIF_CLOSED);
	settle();
	connect(1);
	post(1, 120, 0);
	netback_service(&dom[1]); /* no room for all of them */
	tx[1].sring->req_prod = 259;
	land(1); /* makes room for two */
	EXPECT(breaks == 3 && vif(1)->state == VIF_CLOSED);
}

/* Half a packet is waited for; a grant that is no good costs its own packet. */
static void halves_and_bad_grants(void)
{
	fresh();
	connect(1);
	post(1, 1, 0);
	tx[1].sring->req_prod--;
	netback_service(&dom[1]);
	EXPECT(nr_wire == 0 && tx[1].sring->req_event == 2);
	tx[1].sring->req_prod++;
	netback_service(&dom[1]);
	EXPECT(nr_wire == 1);
	post(1, 2, 0);
	RING_GET_REQUEST(&tx[1], 3)->gref = 0xffff;
	netback_service(&dom[1]);
	EXPECT(nr_wire == 2 && nr_held == 4);
	EXPECT(RING_GET_RESPONSE(&tx[1], 0)->status == NETIF_RSP_ERROR && answers(1) == 2);
}

static void death_in_flight(void)
{
	fresh();
	connect(1);
	post(1, 10, 0);
	netback_service(&dom[1]);
	EXPECT(nr_held == 20 && vif(1)->packets == 10);
	netback_stop(vif(1));
	EXPECT(nr_held == 20);
	connect(1); /* again, before the card is done */
	land(5);
	EXPECT(nr_held == 10 && vif(1)->packets == 5);
	EXPECT(answers(1) == 0); /* they were not this ring's */
	post(1, 1, 0);
	netback_service(&dom[1]);
	land(ROOM);
	EXPECT(nr_held == 0 && vif(1)->packets == 0 && answers(1) == 2);
}

/* An interface that connects while another's packets are on their way takes none of them over. */
static void connected_in_flight(void)
{
	fresh();
	connect(1);
	post(1, 10, 0);
	netback_service(&dom[1]);
	EXPECT(nr_held == 20);
	connect(2);
	post(2, 10, 0);
	netback_service(&dom[2]);
	EXPECT(nr_held == 40 && vif(1)->packets == 10 && vif(2)->packets == 10);
	settle();
	EXPECT(nr_held == 0 && vif(1)->packets == 0 && vif(2)->packets == 0);
	EXPECT(answers(1) == 20 && answers(2) == 20);
}

static void card_dies(void)
{
	fresh();
	connect(1);
	post(1, 10, 0);
	netback_service(&dom[1]);
	alive = false;
	nr_flying = 0;
	nic_died(0);
	EXPECT(nr_held == 0 && vif(1)->packets == 0);
	post(1, 3, 0);
	netback_service(&dom[1]);
	EXPECT(answers(1) == 26 && RING_GET_RESPONSE(&tx[1], 25)->status == NETIF_RSP_DROPPED);
	alive = true;
}

/* A packet of 60 KB that asks to be cut into more segments than the card takes at a time. */
static void post_long(unsigned int i)
{
	static const u8 ip[] = {0x08, 0, 0x45, 0, 0xf0, 40, 0, 0, 0, 0, 64, 6};
	struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO,
					 .u.gso = {1448, XEN_NETIF_GSO_TYPE_TCPV4, 0, 0}};
	u8 *p = page(i, DATA_REF);
	struct netif_tx_request *r;

	memset(p, 0, 54);
	p[0] = 2;
	memcpy(p + 6, vif(i)->rules.mac, 6);
	memcpy(p + 12, ip, sizeof(ip));
	p[46] = 0x50;
	for (unsigned int k = 0; k < 16; k++) {
		r = RING_GET_REQUEST(&tx[i], tx[i].req_prod_pvt++);
		*r = (struct netif_tx_request){.gref = DATA_REF + k, .id = 1000};
		r->size = k ? 4096 : 54 + 15 * 4096;
		r->flags = (u16)((k ? 0 : NETTXF_extra_info | NETTXF_csum_blank) |
				 (k < 15 ? NETTXF_more_data : 0));
		if (k == 0)
			memcpy(RING_GET_REQUEST(&tx[i], tx[i].req_prod_pvt++), &extra,
			       sizeof(extra));
	}
	RING_PUSH_REQUESTS(&tx[i]);
}

/* What is left of a packet is not given to a dead card; and those who wait are not forgotten. */
static void card_dies_in_a_packet(void)
{
	fresh();
	connect(1);
	connect(2);
	post_long(1);
	netback_service(&dom[1]);
	EXPECT(nr_wire == ROOM && vif(1)->packet && nr_held == 16);
	post(2, 1, 0);
	netback_service(&dom[2]);
	EXPECT(nr_wire == ROOM);
	alive = false;
	nr_flying = 0;
	nic_died(0);
	EXPECT(nr_held == 0 && !vif(1)->packet && vif(1)->packets == 0);
	alarm_ring(now);
	EXPECT(tx[1].sring->rsp_prod == 17 && answers(2) == 2 && nr_wire == ROOM);
	EXPECT(RING_GET_RESPONSE(&tx[1], 0)->status == NETIF_RSP_DROPPED);
	alive = true;
}

/* Interfaces come, go and break amid packets whose ends the card tells in any order. */
static void at_random(void)
{
	fresh();
	srand(1);
	for (unsigned int n = 0; n < 20000; n++) {
		unsigned int i = 1 + (unsigned int)rand() % DOMAINS, k = (unsigned int)rand();

		if (vif(i)->state != VIF_CONNECTED) {
			connect(i);
		} else if (k % 8 == 0) {
			netback_stop(vif(i));
		} else if (k % 64 == 1) {
			tx[i].sring->req_prod += 300;
			netback_service(&dom[i]);
		} else if (k % 8 == 2 && RING_FREE_REQUESTS(&tx[i]) > 20) {
			post_long(i);
			netback_service(&dom[i]);
		} else if (RING_FREE_REQUESTS(&tx[i]) > 20) {
			post(i, 1 + k % 5, (unsigned int)rand() % (DOMAINS + 1));
			netback_service(&dom[i]);
		}
		tx[i].rsp_cons = tx[i].sring->rsp_prod;
		for (k = nr_flying; k > 1; k--) {
			unsigned int other = (unsigned int)rand() % k, slot = flying[k - 1];

			flying[k - 1] = flying[other];
			flying[other] = slot;
		}
		now += 100000;
		alarm_ring(now);
		land((unsigned int)rand() % 3);
	}
	EXPECT(nr_wire > 10000 && breaks > 20);
	settle();
}

static void neighbours(void)
{
	struct netif_rx_response *r;

	fresh();
	connect(1);
	connect(2);
	post_buffers(2, 2);
	post(1, 3, 2);
	netback_service(&dom[1]);
	EXPECT(nr_wire == 0 && vif(2)->received == 2 && vif(2)->no_buffer == 1);
	EXPECT(answers(1) == 6 && events[2] == 1 && nr_held == 0);
	r = RING_GET_RESPONSE(&rx[2], 0);
	EXPECT(r->id == 5 && r->offset == 0 && r->status == 1000);
	EXPECT(memcmp(page(2, 280), page(1, DATA_REF + 4), 600) == 0);
	EXPECT(memcmp((u8 *)page(2, 280) + 600, (u8 *)page(1, DATA_REF + 4) + 2000, 400) == 0);
	for (unsigned int i = 1000; i < PAGE_SIZE; i++) /* and not a byte of ours */
		EXPECT(((u8 *)page(2, 280))[i] == 0);
}

/* One alone: the card keeps what there is no room for. Two: it is lost, and the other is served. */
static void no_room(void)
{
	fresh();
	vif_domains = 1;
	connect(1);
	post_buffers(1, 1);
	nr_arrived = 3;
	for (unsigned int n = 0; n < 3; n++)
		memcpy(arrived[n], vif(1)->rules.mac, 6);
	land(0);
	EXPECT(nr_fetched == 1 && vif(1)->full && rx[1].sring->req_event == 2);
	post_buffers(1, 5);
	netback_service(&dom[1]);
	EXPECT(nr_fetched == 3 && vif(1)->received == 3 && vif(1)->no_buffer == 0);
	nr_arrived = 20;
	for (unsigned int n = 3; n < nr_arrived; n++)
		memcpy(arrived[n], vif(1)->rules.mac, 6);
	land(0);
	EXPECT(nr_fetched == 6 && vif(1)->full);
	netback_stop(vif(1)); /* what was kept for it is fetched and lost */
	alarm_ring(now);
	EXPECT(nr_fetched == 20);
	fresh();
	vif_domains = 2;
	connect(1);
	nr_arrived = 1;
	memcpy(arrived[0], vif(1)->rules.mac, 6);
	land(0); /* the other is not connected, and may send elsewhere */
	EXPECT(nr_fetched == 1 && vif(1)->no_buffer == 1);
	fresh();
	connect(1);
	connect(2);
	post_buffers(2, 5);
	nr_arrived = 4;
	for (unsigned int n = 0; n < 4; n++)
		memcpy(arrived[n], vif(1 + n % 2)->rules.mac, 6);
	land(0);
	EXPECT(nr_fetched == 4 && vif(1)->no_buffer == 2 && vif(2)->received == 2);
}

/* A flood, out of one domain and in, ends each turn and goes on after a pause. */
static void bounded(void)
{
	fresh();
	connect(1);
	connect(2);
	nr_arrived = 300;
	memset(arrived, 0, sizeof(arrived));
	land(0);
	EXPECT(nr_fetched == 64 && alarm_first() > now && alarm_first() != ALARM_NEVER);
	settle();
	EXPECT(nr_fetched == 300);
	post(1, 120, 2); /* never reaches the card, so nothing else ends the turn */
	EXPECT(!netback_service(&dom[1]));
	EXPECT(vif(1)->sent == 64);
	post(2, 1, 0);
	EXPECT(netback_service(&dom[2])); /* it does not do the other's work in its own time */
	EXPECT(vif(1)->sent == 64 && vif(2)->sent == 0);
	settle();
	EXPECT(vif(1)->sent == 120 && vif(2)->sent == 1);
}

int main(void)
{
	size_t size = (DOMAINS + 1) * PER_GUEST * PAGE_SIZE;
	void *memory = mmap((void *)DIRECT_MAP_BASE, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	EXPECT(memory == (void *)DIRECT_MAP_BASE);
	boot_clock.scale = timescale_from_hz(1000000000);
	for (unsigned int i = 1; i <= DOMAINS; i++)
		dom[i] = (struct domain){.id = (u16)i, .state = DOMAIN_RUNNING};
	turns();
	credit();
	wild();
	backwards();
	halves_and_bad_grants();
	death_in_flight();
	connected_in_flight();
	card_dies();
	card_dies_in_a_packet();
	at_random();
	neighbours();
	no_room();
	bounded();
	fresh();
	return unit_failures != 0;
}
