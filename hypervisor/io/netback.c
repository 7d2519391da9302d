// SPDX-License-Identifier: MIT
/*
 * The network back end: packets between the rings of interfaces and the cards.
 *
 * Out: requests are taken from a ring when its front end sends an event, or when the interface's
 * turn comes. An interface that wants to send while others wait for the card lines up behind them,
 * and those in line are served one packet each in turn. Packets for another interface of the same
 * card are copied over and never reach the wire. In: packets are copied into the page that the
 * front end granted for the next one; if there is none they are lost, like on any wire.
 *
 * No loop here is longer than TURN packets. What is left after that, or when a timer is due, is
 * gone on with at an alarm that leaves the guests as much time as was taken.
 *
 * All a guest can do is in its ring: indices are checked against what the ring can hold, requests
 * copied before they are looked at. A grant that is no good costs its own packet only.
 */
#include <hv/netback.h>
#include <hv/alarm.h>
#include <hv/clock.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/packet.h>
#include <hv/printk.h>
#include <hv/processor.h>
#include <hv/sched.h>

#define TURN	   64
#define RX_ROOM	   PAGE_SIZE
#define NR_PACKETS 128 /* read from rings and not yet sent, for each card */

struct direction {
	u64 packets, ticks;
};

struct card {
	struct alarm alarm;	 /* first, so that its alarm tells which card */
	struct vif *head, *tail; /* wait for their turn */
	struct vif *vif[MAX_DOMAINS];
	unsigned int nr_vifs;
	struct packet packet[NR_PACKETS];
	struct packet *unused;
	bool filled; /* `unused` was given all packets, once */
	struct packet *flight[NIC_SLOTS]; /* NULL: nothing is on its way here */
	struct direction out, in;
};

static struct card cards[NIC_MAX];

static void on_alarm(struct alarm *a);

static unsigned int number_of(const struct card *c)
{
	return (unsigned int)(c - cards);
}

static void line_up(struct card *c, struct vif *v)
{
	if (v->queued)
		return;
	v->queued = true;
	v->next = NULL;
	if (c->head)
		c->tail->next = v;
	else
		c->head = v;
	c->tail = v;
}

static struct vif *next_in_line(struct card *c)
{
	struct vif *v = c->head;

	c->head = v->next;
	v->queued = false;
	return v;
}

static void stay_first(struct card *c, struct vif *v)
{
	v->next = c->head;
	if (!c->head)
		c->tail = v;
	c->head = v;
	v->queued = true;
}

static void step_out(struct card *c, struct vif *v)
{
	struct vif *first = c->head;

	c->head = NULL;
	for (struct vif *w = first, *next; w; w = next) {
		next = w->next;
		w->queued = false;
		if (w != v)
			line_up(c, w);
	}
}

static void wake_by(struct card *c, u64 when)
{
	c->alarm.ring = on_alarm;
	if (!c->alarm.set || c->alarm.due > when)
		alarm_set(&c->alarm, when);
}

/* True if the turn is over; then the guests get as much time as it took since start. */
static bool turn_over(struct card *c, unsigned int packets, u64 start)
{
	if (packets != TURN && (packets == 0 || !sched_should_preempt()))
		return false;
	wake_by(c, clock_now() + timescale_to_ns(boot_clock.scale, rdtsc() - start));
	return true;
}

/* To the front end: one request is done with. */
static void answer(struct vif *v, u16 id, int status)
{
	*RING_GET_RESPONSE(&v->tx, v->tx.rsp_prod_pvt++) =
	    (struct netif_tx_response){.id = id, .status = (int16_t)status};
	v->answered = true;
}

/* Nobody needs the packet any more: its pages go back, its requests are answered. */
static void finish(struct card *c, struct packet *p)
{
	struct vif *v = p->vif;
	bool answers = v->state == VIF_CONNECTED && v->connections == p->connection;

	for (unsigned int i = 0; i < p->nr_held; i++)
		grant_release(&p->page[i]);
	for (unsigned int i = 0; answers && i < p->nr; i++) {
		answer(v, p->request[i].id, p->status);
		for (unsigned int e = 0; i == 0 && e < p->nr_extras; e++)
			answer(v, 0, NETIF_RSP_NULL);
	}
	v->packets--;
	p->next = c->unused;
	c->unused = p;
}

static void deliver(struct vif *v, const struct span *span, unsigned int nr, u32 total)
{
	RING_IDX prod;
	struct netif_rx_request r;
	struct netif_rx_response rsp;
	struct held page;

	if (v->state != VIF_CONNECTED || !rules_pass(&v->rules, RULE_IN, span[0].at, total))
		return;
	prod = READ_ONCE(v->rx.sring->req_prod);
	if (RING_REQUEST_PROD_OVERFLOW(&v->rx, prod)) {
		vif_break(v, "more receive requests than its ring holds");
		return;
	}
	if (prod == v->rx.req_cons || total > RX_ROOM) {
		v->no_buffer++;
		return;
	}
	RING_COPY_REQUEST(&v->rx, v->rx.req_cons++, &r);
	rsp = (struct netif_rx_response){.id = r.id, .status = (int16_t)total};
	if (grant_hold(v->domain, r.gref, true, &page) == GNTST_okay) {
		u8 *to = mfn_to_virt(page.mfn);

		for (unsigned int i = 0; i < nr; i++, to += span[i - 1].len)
			memcpy(to, span[i].at, span[i].len);
		grant_release(&page);
		v->received++;
	} else {
		rsp.status = NETIF_RSP_ERROR;
		v->refused++;
	}
	*RING_GET_RESPONSE(&v->rx, v->rx.rsp_prod_pvt++) = rsp;
	v->delivered = true;
}

/*
 * To the interface with the packet's destination, or to all if it is for many; never back to
 * `from`. True if it was for one alone, so that nobody else needs it.
 */
static bool route(struct card *c, const struct vif *from, const struct span *span, unsigned int nr,
		  u32 total)
{
	const u8 *to = span[0].at;
	bool many = to[0] & 1;

	for (unsigned int i = 0; i < c->nr_vifs; i++) {
		struct vif *v = c->vif[i];
		bool its_own = !many && mac_equal(to, v->rules.mac);

		if (v != from && (many || its_own))
			deliver(v, span, nr, total);
		if (its_own)
			return true;
	}
	return false;
}

/* A packet longer than the whole credit goes when that is untouched. */
static bool take_credit(struct credit *c, u32 bytes)
{
	u64 now;

	if (!c->bytes)
		return true;
	now = clock_now();
	if (now >= c->refill) {
		c->left = c->bytes;
		c->refill = now + c->period_ns;
	}
	if (bytes > c->left && c->left < c->bytes)
		return false;
	c->left -= MIN((u64)bytes, c->left);
	return true;
}

enum outcome { SENT, NO_PACKET, NO_ROOM, NO_CREDIT };

/* Takes the next packet out of the ring and judges it. If it may pass it becomes v->packet. */
static enum outcome begin(struct card *c, struct vif *v)
{
	struct packet *p = c->unused;

	v->seen = READ_ONCE(v->tx.sring->req_prod);
	if (v->seen == v->tx.req_cons)
		return NO_PACKET;
	/* The macro of the interface allows for what is taken but not answered, which is too much. */
	if (v->seen - v->tx.req_cons >
	    RING_SIZE(&v->tx) - (v->tx.req_cons - v->tx.rsp_prod_pvt)) {
		vif_break(v, "more transmit requests than its ring holds");
		return NO_PACKET;
	}
	if (!p)
		return NO_ROOM;
	switch (packet_read(v, v->seen, p)) {
	case PACKET_NOT_THERE:
		return NO_PACKET;
	case PACKET_TOO_LONG:
		vif_break(v, "a packet in more pieces than there may be");
		return NO_PACKET;
	default:
		break;
	}
	c->unused = p->next;
	v->tx.req_cons = p->end;
	v->packets++;
	p->status = NETIF_RSP_OKAY;
	if (!packet_gather(p)) {
		v->refused++;
		p->status = NETIF_RSP_ERROR;
	} else if (!nic_alive(number_of(c)) ||
		   !rules_pass(&v->rules, RULE_OUT, p->header, p->total)) {
		p->status = NETIF_RSP_DROPPED;
	} else {
		v->packet = p;
		return SENT;
	}
	finish(c, p);
	return SENT;
}

/* Sends one segment of v->packet, or all of it if it is not to be cut. */
static void send_segment(struct card *c, struct vif *v)
{
	struct packet *p = v->packet;
	struct span span[PACKET_SPANS];
	struct nic_piece piece[NIC_PIECES];
	u32 len = packet_next_len(p);
	unsigned int nr = packet_segment(p, nic_head(number_of(c)), span);

	v->sent++;
	c->out.packets++;
	if (!route(c, v, span, nr, len)) {
		for (unsigned int i = 1; i < nr; i++)
			piece[i - 1] = (struct nic_piece){
			    .at = paddr((u64)span[i].at - DIRECT_MAP_BASE), .len = span[i].len};
		c->flight[nic_send(number_of(c), span[0].len, piece, nr - 1)] = p;
		p->flying++;
	}
	if (p->left)
		return;
	v->packet = NULL;
	if (!p->flying)
		finish(c, p);
}

static enum outcome send_one(struct card *c, struct vif *v)
{
	if (v->state != VIF_CONNECTED)
		return NO_PACKET;
	if (nic_alive(number_of(c)) && !nic_room(number_of(c)))
		return NO_ROOM;
	if (!v->packet) {
		enum outcome o = begin(c, v);

		if (o != SENT || !v->packet)
			return o;
	}
	if (!take_credit(&v->credit, packet_next_len(v->packet)))
		return NO_CREDIT;
	send_segment(c, v);
	return SENT;
}

/* Asks for an event when there is more than was seen. True if there is already. */
static bool more_meanwhile(struct vif *v)
{
	if (v->state != VIF_CONNECTED)
		return false;
	WRITE_ONCE(v->tx.sring->req_event, v->seen + 1);
	xen_mb();
	return READ_ONCE(v->tx.sring->req_prod) != v->seen;
}

/* One packet of each in line, and again, until none is left. False if the turn is over before. */
static bool pump(struct card *c)
{
	u64 start = rdtsc();
	bool over = false;

	for (unsigned int n = 0; c->head && !(over = turn_over(c, n, start)); n++) {
		struct vif *v = next_in_line(c);
		enum outcome o = send_one(c, v);

		if (o == NO_ROOM) { /* the card's interrupt goes on */
			stay_first(c, v);
			break;
		}
		if (o == NO_CREDIT) {
			v->starved = true;
			wake_by(c, v->credit.refill);
		} else if (o == SENT || more_meanwhile(v)) {
			line_up(c, v);
		}
	}
	c->out.ticks += rdtsc() - start;
	return !over;
}

/*
 * Packets for a guest that has no room for them stay with the card if it is the only one, as they
 * would if it drove the card itself. With others about they are lost: a card that keeps a packet
 * holds up the wire, and with it whoever sends.
 */
static bool must_wait(struct card *c)
{
	struct vif *v = c->vif[0];

	if (c->nr_vifs != 1 || vif_domains != 1 || v->state != VIF_CONNECTED ||
	    READ_ONCE(v->rx.sring->req_prod) != v->rx.req_cons)
		return false;
	WRITE_ONCE(v->rx.sring->req_event, v->rx.req_cons + 1);
	xen_mb();
	v->full = READ_ONCE(v->rx.sring->req_prod) == v->rx.req_cons;
	return v->full;
}

static void receive(struct card *c)
{
	u64 start = rdtsc();
	struct span whole;

	for (unsigned int n = 0; !must_wait(c) && !turn_over(c, n, start); n++) {
		whole.at = nic_received(number_of(c), &whole.len);
		if (!whole.at)
			break;
		route(c, NULL, &whole, 1, whole.len);
		nic_received_done(number_of(c));
		c->in.packets++;
	}
	c->in.ticks += rdtsc() - start;
}

/* One segment of p is not read any more. */
static void land(struct card *c, unsigned int slot)
{
	struct packet *p = c->flight[slot];

	c->flight[slot] = NULL;
	if (--p->flying == 0 && p->vif->packet != p)
		finish(c, p);
}

static void reap(struct card *c)
{
	u64 start = rdtsc();
	int slot;

	while ((slot = nic_sent(number_of(c))) >= 0)
		land(c, (unsigned int)slot);
	c->out.ticks += rdtsc() - start;
}

/* Shows card and front ends what was done for them. */
static void publish(struct card *c)
{
	nic_flush(number_of(c));
	for (unsigned int i = 0; i < c->nr_vifs; i++) {
		struct vif *v = c->vif[i];
		bool notify_tx = false, notify_rx = false;

		if (v->state != VIF_CONNECTED)
			continue;
		if (v->answered)
			RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&v->tx, notify_tx);
		if (v->delivered)
			RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&v->rx, notify_rx);
		v->answered = v->delivered = false;
		if (notify_tx || notify_rx)
			evtchn_set_pending(v->domain, v->port);
	}
}

void nic_event(unsigned int card)
{
	struct card *c = &cards[card];

	reap(c);
	receive(c);
	pump(c);
	publish(c);
}

/* What is left of v's packet is not sent. */
static void abandon(struct card *c, struct vif *v)
{
	struct packet *p = v->packet;

	v->packet = NULL;
	if (!p)
		return;
	p->status = NETIF_RSP_DROPPED;
	if (!p->flying)
		finish(c, p);
}

/* Nothing is read any more, so everything is back. Those in line are told soon. */
void nic_died(unsigned int card)
{
	struct card *c = &cards[card];

	for (unsigned int i = 0; i < c->nr_vifs; i++)
		abandon(c, c->vif[i]);
	for (unsigned int i = 0; i < NIC_SLOTS; i++)
		if (c->flight[i])
			land(c, i);
	wake_by(c, clock_now());
}

static void on_alarm(struct alarm *a)
{
	struct card *c = (struct card *)a;

	for (unsigned int i = 0; i < c->nr_vifs; i++) {
		struct vif *v = c->vif[i];

		if (v->starved && v->credit.refill <= clock_now()) {
			v->starved = false;
			line_up(c, v);
		} else if (v->starved) {
			wake_by(c, v->credit.refill);
		}
	}
	nic_event(number_of(c));
}

/* Alone in line it may go on at once, in its own domain's time; else whoever serves the line does.
 */
bool netback_service(struct domain *d)
{
	bool done = true;

	for (unsigned int i = 0; i < nic_count(); i++) {
		struct card *c = &cards[i];
		struct vif *v = vif_of(d, i);

		if (v->state == VIF_CONNECTED && v->full &&
		    READ_ONCE(v->rx.sring->req_prod) != v->rx.req_cons) {
			v->full = false;
			receive(c);
			publish(c);
		}
		if (v->state != VIF_CONNECTED || v->starved ||
		    (!v->packet && READ_ONCE(v->tx.sring->req_prod) == v->tx.req_cons))
			continue;
		line_up(c, v);
		if (c->head != v || v->next)
			continue;
		done &= pump(c);
		publish(c);
	}
	return done;
}

void netback_start(struct vif *v)
{
	struct card *c = &cards[v->card];
	bool known = false;

	for (unsigned int i = 0; i < c->nr_vifs; i++)
		known |= c->vif[i] == v;
	if (!known)
		c->vif[c->nr_vifs++] = v;
	for (unsigned int i = 0; !c->filled && i < NR_PACKETS; i++) {
		c->packet[i].next = c->unused;
		c->unused = &c->packet[i];
	}
	c->filled = true;
	BACK_RING_ATTACH(&v->tx, (netif_tx_sring_t *)mfn_to_virt(v->tx_page.mfn), 0, PAGE_SIZE);
	BACK_RING_ATTACH(&v->rx, (netif_rx_sring_t *)mfn_to_virt(v->rx_page.mfn), 0, PAGE_SIZE);
	v->connections++;
	v->answered = v->delivered = v->starved = v->full = false;
	v->state = VIF_CONNECTED;
	netback_service(v->domain); /* what it put there before we looked */
}

void netback_stop(struct vif *v)
{
	struct card *c = &cards[v->card];

	step_out(c, v);
	if (v->full) /* what the card keeps for it is in the way of others */
		wake_by(c, clock_now());
	v->starved = v->full = false;
	v->state = VIF_CLOSED;
	abandon(c, v);
}

void netback_forget(struct vif *v)
{
	struct card *c = &cards[v->card];

	for (unsigned int i = 0; i < c->nr_vifs; i++) {
		if (c->vif[i] != v)
			continue;
		c->vif[i] = c->vif[--c->nr_vifs];
		break;
	}
}

void netback_report(void)
{
	for (unsigned int i = 0; i < nic_count(); i++) {
		const struct card *c = &cards[i];

		print_always("network card %u: %lu packets out, %lu instructions each; %lu in, "
			     "%lu each\n",
			     i, c->out.packets, c->out.ticks / MAX(c->out.packets, 1ul),
			     c->in.packets, c->in.ticks / MAX(c->in.packets, 1ul));
	}
}
