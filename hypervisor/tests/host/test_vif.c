// SPDX-License-Identifier: MIT
/*
 * Interfaces: what options may say of them and where they are wrong, the handshake with front ends
 * that keep to it, lie or never come, and their end, also with a card that never gives a packet
 * back. The store, grants, ports and the back end proper are fakes that count.
 */
#include "unit.h"
#include <hv/clock.h>
#include <hv/evtchn.h>
#include <hv/netback.h>
#include <hv/printk.h>
#include <hv/store.h>
#include <hv/vif.h>
#include <string.h>
#include <xen/io/xenbus.h>

#define CARDS	   2
#define GOOD_REF   8
#define GOOD_PORT  5
#define STORE_SIZE 256

struct node {
	char path[80], value[48];
};
static struct node store[STORE_SIZE];
static struct domain d1 = {.id = 1}, d2 = {.id = 2};
static void (*listener)(struct domain *d);
static u64 now;
static unsigned int cards = CARDS, nr_held, nr_joined, nr_started, nr_lines, given_up;

u64 clock_now(void)
{
	return now;
}
unsigned int nic_count(void)
{
	return cards;
}
void console_write(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		nr_lines += s[i] == '\n';
}

static struct node *find(const char *path)
{
	struct node *n = store;

	while (n->path[0] && strcmp(n->path, path) != 0)
		n++;
	EXPECT(n < store + STORE_SIZE);
	return n;
}
int store_write(struct domain *d, const char *path, const char *fmt, ...)
{
	struct node *n = find(path);
	va_list args;

	(void)d;
	strcpy(n->path, path);
	va_start(args, fmt);
	vsnprintf(n->value, sizeof(n->value), fmt, args);
	va_end(args);
	return 0;
}
const char *store_read(struct domain *d, const char *path)
{
	struct node *n = find(path);

	(void)d;
	return n->path[0] ? n->value : NULL;
}
void store_on_write(const char *top, void (*fn)(struct domain *d))
{
	EXPECT(strcmp(top, "device/vif") == 0);
	listener = fn;
}

int grant_hold(struct domain *owner, u32 ref, bool write, struct held *h)
{
	EXPECT(write);
	if (ref != GOOD_REF && ref != GOOD_REF + 1)
		return GNTST_bad_gntref;
	*h = (struct held){.owner = owner->id, .ref = ref, .write = write};
	nr_held++;
	return GNTST_okay;
}
void grant_release(struct held *h)
{
	EXPECT(h->ref == GOOD_REF || h->ref == GOOD_REF + 1);
	nr_held--;
}
int evtchn_join(struct domain *d, u32 port, evtchn_service fn)
{
	EXPECT(d && fn);
	if (port != GOOD_PORT)
		return -EINVAL;
	nr_joined++;
	return 0;
}
void evtchn_leave(struct domain *d, u32 port)
{
	EXPECT(d && port == GOOD_PORT);
	nr_joined--;
}
void netback_start(struct vif *v)
{
	EXPECT(nr_held >= 2);
	v->state = VIF_CONNECTED;
	nr_started++;
}
void netback_stop(struct vif *v)
{
	EXPECT(v->state == VIF_CONNECTED && nr_held >= 2);
	v->state = VIF_CLOSED;
	nr_started--;
}
void netback_forget(struct vif *v)
{
	EXPECT(v->packets == 0);
}
bool netback_service(struct domain *d)
{
	return d;
}
/* As netback does when a card dies: everything it had is back. */
void nic_give_up(unsigned int card, const char *why)
{
	EXPECT(why[0]);
	given_up |= 1u << card;
	for (unsigned int d = 0; d < MAX_DOMAINS; d++)
		vifs[d][card].packets = 0;
}

static void front(unsigned int d, unsigned int card, const char *node, const char *value)
{
	char path[80];

	snprintf(path, sizeof(path), "/local/domain/%u/device/vif/%u/%s", d, card, node);
	strcpy(find(path)->path, path);
	strcpy(find(path)->value, value);
	listener(d == 1 ? &d1 : &d2);
}

static int back_state(unsigned int d, unsigned int card)
{
	char path[80];

	snprintf(path, sizeof(path), "/local/domain/0/backend/vif/%u/%u/state", d, card);
	return find(path)->value[0] - '0';
}

static void attach(void)
{
	memset(store, 0, sizeof(store));
	memset(vifs, 0, sizeof(vifs));
	EXPECT(vif_attach(&d1) == 0 && vif_attach(&d2) == 0);
	given_up = 0;
	nr_lines = 0;
}

static void detach(void)
{
	EXPECT(vif_release(&d1) && vif_release(&d2));
	EXPECT(nr_held == 0 && nr_joined == 0 && nr_started == 0 && vif_domains == 0);
	d1.release_cursor = d2.release_cursor = 0;
}

/* Each is wrong where `place` begins. */
static void bad_options(void)
{
	static const struct {
		const char *text, *place;
	} cases[] = {
	    {"", ""},
	    {"0.0.ip=1.2.3.4", "0.0.ip=1.2.3.4"},
	    {"16.0.ip=1.2.3.4", "16.0.ip=1.2.3.4"},
	    {"1", "1"},
	    {"1.2.ip=1.2.3.4", "2.ip=1.2.3.4"},
	    {"1.0.name=eth0", "name=eth0"},
	    {"1.0.mac=00:16:3e:00:00", ""},
	    {"1.0.mac=00:16:3e:00:00:0g", "g"},
	    {"1.0.mac=00:16:3e:00:00:001", "1"},
	    {"1.0.mac=00-16", "-16"},
	    {"1.0.mac=0:16:3e:00:00:01", ":16:3e:00:00:01"},
	    {"1.0.mac=00:16:3E:00:00:01", "E:00:00:01"},
	    {"1.0.ip=10.0.0", "10.0.0"},
	    {"1.0.ip=10.0.0.256", "10.0.0.256"},
	    {"1.0.ip=0.0.0.0", "0.0.0.0"},
	    {"1.0.ip=10.0.0.1/24", "10.0.0.1/24"},
	    {"1.0.credit=", ""},
	    {"1.0.credit=0/1000", "/1000"},
	    {"1.0.credit=1000", ""},
	    {"1.0.credit=1000/99", ""},
	    {"1.0.credit=1000/10000001", ""},
	    {"1.0.credit=1000/1000us", "us"},
	    {"1.0.rule=", ""},
	    {"1.0.rule=allow", "allow"},
	    {"1.0.rule=drop,out,tpc", "tpc"},
	    {"1.0.rule=drop,to=10.0.0.1:80-79", "to=10.0.0.1:80-79"},
	    {"1.0.rule=drop,in,out", "out"},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *place = vif_option(cases[i].text);

		memset(vifs, 0, sizeof(vifs));
		if (!place || strcmp(place, cases[i].place) != 0) {
			EXPECT(!"an option is wrong where it is");
			fprintf(stderr, "%s: at \"%s\"\n", cases[i].text, place ? place : "nothing");
		}
	}
	for (unsigned int i = 0; i < RULES_MAX; i++)
		EXPECT(!vif_option("1.0.rule=count"));
	EXPECT(vif_option("1.0.rule=count")); /* one too many */
	memset(vifs, 0, sizeof(vifs));
}

/* What options are wrong with only together; *v is the interface to name. */
static bool wrong(const char *const *options, const char *why, unsigned int domain,
		  unsigned int card)
{
	const struct vif *v = NULL;
	const char *said;

	memset(vifs, 0, sizeof(vifs));
	for (; *options; options++)
		EXPECT(!vif_option(*options));
	said = vif_check(2, &v);
	if (!why)
		return !said;
	return said && strstr(said, why) && vif_domain(v) == domain && vif_card(v) == card;
}

static void options_together(void)
{
	static const char *const fine[] = {"1.0.mac=00:16:3e:00:00:01", "2.1.credit=3000/500",
					   "1.1.mac=00:16:3e:00:00:01", "1.0.rule=count",
					   "1.0.rule=count", NULL};
	static const char *const mac[] = {"1.0.mac=00:16:3e:00:00:01", "2.0.mac=00:16:3e:00:00:01",
					  NULL};
	static const char *const a_default[] = {"2.1.mac=00:16:3e:00:01:01", NULL};
	static const char *const many[] = {"2.0.mac=01:16:3e:00:00:01", NULL};
	static const char *const domain[] = {"3.0.rule=drop", NULL};
	static const char *const twice[] = {"2.1.mac=00:16:3e:00:00:01", "2.1.ip=10.0.0.1",
					    "2.1.mac=00:16:3e:00:00:02", NULL};
	static const char *const card[] = {"1.1.rule=drop", NULL};

	EXPECT(wrong(fine, NULL, 0, 0));
	EXPECT(wrong(mac, "another interface's", 2, 0));
	EXPECT(wrong(a_default, "another interface's", 2, 1));
	EXPECT(wrong(many, "one for many", 2, 0));
	EXPECT(wrong(domain, "no such interface", 3, 0));
	EXPECT(wrong(twice, "twice", 2, 1));
	cards = 1;
	EXPECT(wrong(card, "no such interface", 1, 1));
	cards = CARDS;
}

static void join(unsigned int d, unsigned int card)
{
	front(d, card, "tx-ring-ref", "8");
	front(d, card, "rx-ring-ref", "9");
	front(d, card, "event-channel", "5");
	front(d, card, "request-rx-copy", "1");
	front(d, card, "state", "4");
}

static void handshake(void)
{
	attach();
	EXPECT(back_state(1, 0) == XenbusStateInitWait);
	join(1, 0);
	EXPECT(back_state(1, 0) == XenbusStateConnected && nr_started == 1);
	/* The other domain has no front end: nothing happens there. */
	EXPECT(back_state(2, 0) == XenbusStateInitWait && back_state(1, 1) == XenbusStateInitWait);
	front(1, 0, "state", "4"); /* again, and what is no state */
	front(1, 0, "state", "x");
	front(1, 0, "state", "99");
	EXPECT(back_state(1, 0) == XenbusStateConnected && nr_started == 1 && nr_held == 2);
	front(1, 0, "state", "5");
	EXPECT(back_state(1, 0) == XenbusStateClosing && nr_started == 0 && nr_held == 0);
	front(1, 0, "state", "6");
	EXPECT(back_state(1, 0) == XenbusStateClosed);
	front(1, 0, "state", "4"); /* not from there */
	EXPECT(back_state(1, 0) == XenbusStateClosed && nr_started == 0);
	front(1, 0, "state", "1");
	EXPECT(back_state(1, 0) == XenbusStateInitWait);
	join(1, 0);
	EXPECT(back_state(1, 0) == XenbusStateConnected);
	detach();
	EXPECT(nr_lines == 0);
}

/* What a front end lacks or lies about closes it and leaves nothing; one line each is enough. */
static void lies(void)
{
	static const char *const what[][2] = {
	    {"tx-ring-ref", "7"}, {"tx-ring-ref", ""},	 {"rx-ring-ref", "4294967304"},
	    {"rx-ring-ref", "7"}, {"event-channel", "6"}, {"request-rx-copy", "0"},
	};

	attach();
	for (unsigned int n = 0; n < 100; n++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(what); i++) {
			join(1, 1);
			EXPECT(back_state(1, 1) == XenbusStateConnected);
			front(1, 1, "state", "6");
			front(1, 1, "state", "1");
			front(1, 1, what[i][0], what[i][1]);
			front(1, 1, "state", "4");
			EXPECT(back_state(1, 1) == XenbusStateClosing && nr_held == 0);
			EXPECT(nr_joined == 0 && nr_started == 0);
			front(1, 1, "state", "1");
		}
	}
	EXPECT(nr_lines == 1);
	join(1, 0);
	front(1, 0, "request-rx-copy", "0");
	vif_break(&vifs[1][0], "the test says so");
	EXPECT(nr_lines == 2); /* another interface has its own */
	detach();
}

/* The end waits for the card, but not for ever; the card that is late is given up, no other. */
static void late_card(void)
{
	attach();
	join(1, 0);
	join(1, 1);
	join(2, 0);
	vifs[1][0].packets = 3;
	vifs[1][1].packets = 2;
	now = 5000000000;
	EXPECT(!vif_release(&d1) && nr_started == 1 && given_up == 0);
	vifs[1][0].packets = 0;
	for (unsigned int i = 0; i < 9; i++) {
		now += 100000000;
		EXPECT(!vif_release(&d1) && given_up == 0 && vifs[1][0].domain == &d1);
	}
	now += 100000000;
	while (!vif_release(&d1))
		EXPECT(given_up == 2);
	EXPECT(given_up == 2 && vifs[1][0].domain == NULL && vifs[1][1].state == VIF_ABSENT);
	EXPECT(vif_release(&d2) && nr_held == 0 && vif_domains == 0);
}

int main(void)
{
	bad_options();
	options_together();
	handshake();
	lies();
	late_card();
	return unit_failures != 0;
}
