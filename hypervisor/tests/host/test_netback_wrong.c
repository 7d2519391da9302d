// SPDX-License-Identifier: MIT
/*
 * The network back end when others are wrong: rings that break the rules, bad grants, front ends
 * that end amid packets, a card that dies. Nothing is held for, or answered to, one that is gone.
 */
#include "netback_world.h"

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

int main(void)
{
	make_world();
	wild();
	backwards();
	halves_and_bad_grants();
	death_in_flight();
	card_dies();
	card_dies_in_a_packet();
	at_random();
	fresh();
	return unit_failures != 0;
}
