// SPDX-License-Identifier: MIT
/*
 * The network back end and front ends that are right: turns and credits of several interfaces,
 * packets between neighbours, floods, and interfaces that come while packets are on their way.
 */
#include "netback_world.h"

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
	make_world();
	turns();
	credit();
	connected_in_flight();
	neighbours();
	no_room();
	bounded();
	fresh();
	return unit_failures != 0;
}
