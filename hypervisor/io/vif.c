// SPDX-License-Identifier: MIT
/*
 * Interfaces: one to each card for each domain, set by options, connected through the store.
 *
 * Both ends' directories are in the store before the guest runs, ours in state InitWait. The front
 * end writes its ring references and its port and then its state; that write calls us. Whatever it
 * wrote is only tried: a reference that is no good, or a port that is not open to us, closes our
 * end with a line that says why.
 */
#include <hv/vif.h>
#include <hv/clock.h>
#include <hv/evtchn.h>
#include <hv/netback.h>
#include <hv/packet.h>
#include <hv/printk.h>
#include <hv/store.h>
#include <xen/io/xenbus.h>

#define PATH_SIZE 64
#define NS_PER_US 1000
#define PATIENCE_NS 1000000000ull /* a card has to be done with a packet by then */

enum { RULE = 1, MAC = 2, IP = 4, CREDIT = 8, TWICE = 16 }; /* of v->given */

struct vif vifs[MAX_DOMAINS][NIC_MAX];
unsigned int vif_domains;
static bool stats;

unsigned int vif_card(const struct vif *v)
{
	return (unsigned int)(v - &vifs[0][0]) % NIC_MAX;
}

unsigned int vif_domain(const struct vif *v)
{
	return (unsigned int)(v - &vifs[0][0]) / NIC_MAX;
}

/* The hypervisor's share of Xen's vendor range, so that a front end finds nothing new. */
static void default_mac(struct vif *v)
{
	static const u8 none[6];
	const u8 mac[6] = {0x00, 0x16, 0x3e, 0x00, (u8)vif_domain(v), (u8)vif_card(v)};

	if (mac_equal(v->rules.mac, none))
		memcpy(v->rules.mac, mac, sizeof(mac));
}

static const char *parse_mac(u8 *mac, const char *s)
{
	for (unsigned int i = 0; i < 6; i++) {
		u64 byte = 0;

		if (i && *s++ != ':')
			return s - 1;
		for (unsigned int digit = 0; digit < 2; digit++, s++) {
			if (*s >= '0' && *s <= '9')
				byte = byte * 16 + (u64)(*s - '0');
			else if (*s >= 'a' && *s <= 'f')
				byte = byte * 16 + (u64)(*s - 'a') + 10;
			else
				return s;
		}
		mac[i] = (u8)byte;
	}
	return *s ? s : NULL;
}

static const char *parse_credit(struct credit *c, const char *s)
{
	u64 us;

	if (!str_to_u64(&s, &c->bytes) || !c->bytes || *s != '/')
		return s;
	s++;
	if (!str_to_u64(&s, &us) || us < 100 || us > 10000000)
		return s;
	c->period_ns = us * NS_PER_US;
	return *s ? s : NULL;
}

static const char *parse_rule(struct rules *r, const char *s)
{
	if (r->nr == RULES_MAX)
		return s;
	return rules_parse(&r->rule[r->nr++], s);
}

static const char *parse_ip(u32 *address, const char *s)
{
	const char *end = rules_parse_address(s, address);

	return end && !*end && *address ? NULL : s;
}

/* NULL if s does not begin with word; else what follows. */
static const char *after(const char *s, const char *word)
{
	size_t n = strlen(word);

	return strncmp(s, word, n) == 0 ? s + n : NULL;
}

const char *vif_option(const char *text)
{
	u8 name;
	const char *s = text;
	u64 domain, card;
	struct vif *v;

	if (!str_to_u64(&s, &domain) || domain < 1 || domain >= MAX_DOMAINS || *s != '.')
		return text;
	s++;
	text = s;
	if (!str_to_u64(&s, &card) || card >= NIC_MAX || *s != '.')
		return text;
	v = &vifs[domain][card];
	text = s + 1;
	if ((s = after(text, "rule="))) {
		name = RULE;
		s = parse_rule(&v->rules, s);
	} else if ((s = after(text, "mac="))) {
		name = MAC;
		s = parse_mac(v->rules.mac, s);
	} else if ((s = after(text, "ip="))) {
		name = IP;
		s = parse_ip(&v->rules.address, s);
	} else if ((s = after(text, "credit="))) {
		name = CREDIT;
		s = parse_credit(&v->credit, s);
	} else {
		return text;
	}
	if (name != RULE && (v->given & name))
		v->given |= TWICE;
	v->given |= name;
	return s;
}

static bool same_mac_before(const struct vif *v)
{
	for (const struct vif *w = v - NIC_MAX; vif_domain(w) >= 1; w -= NIC_MAX)
		if (mac_equal(v->rules.mac, w->rules.mac))
			return true;
	return false;
}

const char *vif_check(unsigned int nr_domains, const struct vif **v)
{
	for (unsigned int d = 1; d < MAX_DOMAINS; d++) {
		for (unsigned int c = 0; c < NIC_MAX; c++) {
			*v = &vifs[d][c];
			if (d > nr_domains || c >= nic_count()) {
				if ((*v)->given)
					return "there is no such interface";
				continue;
			}
			if ((*v)->given & TWICE)
				return "its mac, ip or credit is given twice";
			default_mac(&vifs[d][c]);
			if ((*v)->rules.mac[0] & 1)
				return "its address is one for many";
			if (same_mac_before(*v))
				return "its address is another interface's";
		}
	}
	return NULL;
}

static void write_front(struct vif *v, const char *node, const char *value)
{
	char path[PATH_SIZE];

	format(path, sizeof(path), "/local/domain/%u/device/vif/%u/%s", v->domain->id, v->card,
	       node);
	if (store_write(v->domain, path, "%s", value) < 0)
		print_warn("d%u: no room in the store for %s\n", v->domain->id, path);
}

static void write_back(struct vif *v, const char *node, const char *value)
{
	char path[PATH_SIZE];

	format(path, sizeof(path), "/local/domain/0/backend/vif/%u/%u/%s", v->domain->id, v->card,
	       node);
	if (store_write(v->domain, path, "%s", value) < 0)
		print_warn("d%u: no room in the store for %s\n", v->domain->id, path);
}

static void set_state(struct vif *v, enum xenbus_state state)
{
	char text[4];

	format(text, sizeof(text), "%u", (unsigned int)state);
	write_back(v, "state", text);
}

/* A number that the front end wrote; false if it is none. */
static bool read_front(struct vif *v, const char *node, u32 *out)
{
	char path[PATH_SIZE];
	const char *s;
	u64 n;

	format(path, sizeof(path), "/local/domain/%u/device/vif/%u/%s", v->domain->id, v->card,
	       node);
	s = store_read(v->domain, path);
	if (!s || !str_to_u64(&s, &n) || *s || n > 0xffffffff)
		return false;
	*out = (u32)n;
	return true;
}

static void disconnect(struct vif *v)
{
	if (v->state != VIF_CONNECTED)
		return;
	netback_stop(v);
	evtchn_leave(v->domain, v->port);
	grant_release(&v->tx_page);
	grant_release(&v->rx_page);
}

static void close(struct vif *v, enum xenbus_state state)
{
	disconnect(v);
	v->state = VIF_CLOSED;
	set_state(v, state);
}

void vif_break(struct vif *v, const char *why)
{
	if (!v->complained)
		print_warn("d%u: interface %u is closed: %s\n", v->domain->id, v->card, why);
	v->complained = true;
	close(v, XenbusStateClosing);
}

static bool event(struct domain *d)
{
	return netback_service(d);
}

static void connect(struct vif *v)
{
	u32 tx, rx, port, copy;

	if (!read_front(v, "tx-ring-ref", &tx) || !read_front(v, "rx-ring-ref", &rx) ||
	    !read_front(v, "event-channel", &port)) {
		vif_break(v, "its front end wrote no rings or no port");
		return;
	}
	if (!read_front(v, "request-rx-copy", &copy) || copy != 1) {
		vif_break(v, "its front end wants pages flipped");
		return;
	}
	if (grant_hold(v->domain, tx, true, &v->tx_page) != GNTST_okay) {
		vif_break(v, "the grant of its transmit ring is no good");
		return;
	}
	if (grant_hold(v->domain, rx, true, &v->rx_page) != GNTST_okay) {
		grant_release(&v->tx_page);
		vif_break(v, "the grant of its receive ring is no good");
		return;
	}
	if (evtchn_join(v->domain, port, event) < 0) {
		grant_release(&v->tx_page);
		grant_release(&v->rx_page);
		vif_break(v, "its port is not open to us");
		return;
	}
	v->port = port;
	set_state(v, XenbusStateConnected);
	netback_start(v);
}

/* The front end wrote its state. */
static void front_changed(struct vif *v)
{
	u32 state;

	if (!read_front(v, "state", &state))
		return;
	switch (state) {
	case XenbusStateInitialising:
		if (v->state != VIF_CLOSED)
			break;
		v->state = VIF_WAITING;
		set_state(v, XenbusStateInitWait);
		break;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		if (v->state == VIF_WAITING)
			connect(v);
		break;
	case XenbusStateClosing:
	case XenbusStateClosed:
		close(v, state);
		break;
	default:
		break;
	}
}

static void store_written(struct domain *d)
{
	for (unsigned int i = 0; i < nic_count(); i++)
		if (vif_of(d, i)->domain)
			front_changed(vif_of(d, i));
}

/* What a front end finds; all else that it could ask for it takes for not offered. */
static void publish(struct vif *v)
{
	char text[PATH_SIZE];
	const u8 *m = v->rules.mac;

	format(text, sizeof(text), "/local/domain/0/backend/vif/%u/%u", v->domain->id, v->card);
	write_front(v, "backend", text);
	write_front(v, "backend-id", "0");
	format(text, sizeof(text), "%u", v->card);
	write_front(v, "handle", text);
	write_back(v, "handle", text);
	format(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
	       m[5]);
	write_front(v, "mac", text);
	write_front(v, "state", "1");
	format(text, sizeof(text), "/local/domain/%u/device/vif/%u", v->domain->id, v->card);
	write_back(v, "frontend", text);
	format(text, sizeof(text), "%u", v->domain->id);
	write_back(v, "frontend-id", text);
	write_back(v, "online", "1");
	write_back(v, "feature-rx-copy", "1");
	write_back(v, "feature-sg", "1");
	write_back(v, "feature-gso-tcpv4", "1");
	set_state(v, XenbusStateInitWait);
}

int vif_attach(struct domain *d)
{
	store_on_write("device/vif", store_written);
	vif_domains++;
	for (unsigned int i = 0; i < nic_count(); i++) {
		struct vif *v = vif_of(d, i);

		v->domain = d;
		v->card = (u8)i;
		v->state = VIF_WAITING;
		default_mac(v);
		publish(v);
	}
	return 0;
}

static void report(const struct domain *d)
{
	for (unsigned int i = 0; i < nic_count(); i++) {
		const struct vif *v = vif_of(d, i);
		const struct rules *r = &v->rules;

		print_always(
		    "d%u: interface %u: sent %lu, received %lu, no buffer %lu, refused %lu, "
		    "spoofed %lu, malformed %lu, dropped by rules %lu\n",
		    d->id, i, v->sent, v->received, v->no_buffer, v->refused, r->spoofed,
		    r->malformed, r->dropped);
		for (unsigned int n = 0; n < r->nr; n++)
			print_always("d%u: interface %u: rule %u matched %lu\n", d->id, i, n + 1,
				     r->rule[n].hits);
	}
}

/* A card that keeps a packet for ever must not keep the domain's memory. */
static void give_up_late_cards(struct domain *d)
{
	u64 now = clock_now();

	if (!d->release_cursor)
		d->release_cursor = now + PATIENCE_NS;
	for (unsigned int i = 0; i < nic_count() && now >= d->release_cursor; i++)
		if (vif_of(d, i)->packets)
			nic_give_up(i, "it keeps a packet of a domain that has ended");
}

bool vif_release(struct domain *d)
{
	bool done = true;

	/* All first: one may wait for packets that another does not take. */
	for (unsigned int i = 0; i < nic_count(); i++)
		disconnect(vif_of(d, i));
	for (unsigned int i = 0; i < nic_count(); i++)
		done &= vif_of(d, i)->packets == 0;
	if (!done) {
		give_up_late_cards(d);
		return false;
	}
	vif_domains--;
	if (stats)
		report(d);
	for (unsigned int i = 0; i < nic_count(); i++) {
		netback_forget(vif_of(d, i));
		vif_of(d, i)->domain = NULL;
		vif_of(d, i)->state = VIF_ABSENT;
	}
	return true;
}

void vif_enable_stats(void)
{
	stats = true;
}
