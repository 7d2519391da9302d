// SPDX-License-Identifier: MIT
/*
 * The rule table of an interface.
 *
 * What leaves a guest must bear the hardware address that its interface was given, and its IPv4
 * address if it was given one, in the packet and in ARP. Then come the rules, which look at IPv4
 * addresses, protocol and ports. A packet that is cut short, contradicts its own lengths, or hides
 * its ports in a fragment, is malformed and does not pass where anything depends on it: out of a
 * guest never, into a guest not if there are rules. A tagged frame could hide all of that, so it
 * counts as malformed too. Other protocols (IPv6) are told apart by hardware address only.
 */
#include <hv/rules.h>
#include <hv/string.h>

#define ETHERNET     14
#define TYPE_IPV4    0x0800
#define TYPE_ARP     0x0806
#define TYPE_VLAN    0x8100
#define TYPE_VLAN_2  0x88a8
#define ARP_LENGTH   28
#define ARP_MAC	     (ETHERNET + 8)
#define ARP_ADDRESS  (ETHERNET + 14)
#define IPV4_MINIMUM 20
#define PROTO_ICMP   1
#define PROTO_TCP    6
#define PROTO_UDP    17
#define LAST_PORT    0xffff

struct facts {
	bool ipv4, has_ports;
	u8 protocol;
	u32 from, to;
	u16 from_port, to_port;
};

static u16 be16(const u8 *p)
{
	return (u16)(p[0] << 8 | p[1]);
}

static u32 be32(const u8 *p)
{
	return (u32)be16(p) << 16 | be16(p + 2);
}

/* False if the packet is malformed. */
static bool look_ipv4(const u8 *p, u32 len, struct facts *f)
{
	const u8 *ip = p + ETHERNET;
	u32 header, total, fragment;

	if (len < ETHERNET + IPV4_MINIMUM || ip[0] >> 4 != 4)
		return false;
	header = (ip[0] & 15) * 4u;
	total = be16(ip + 2);
	if (header < IPV4_MINIMUM || total < header || total > len - ETHERNET)
		return false;
	f->ipv4 = true;
	f->protocol = ip[9];
	f->from = be32(ip + 12);
	f->to = be32(ip + 16);
	if (f->protocol != PROTO_TCP && f->protocol != PROTO_UDP)
		return true;
	fragment = be16(ip + 6) & 0x1fff;
	if (fragment) /* one so close to the front could overwrite the ports of the first */
		return fragment > 1;
	if (total < header + 4)
		return false;
	f->has_ports = true;
	f->from_port = be16(ip + header);
	f->to_port = be16(ip + header + 2);
	return true;
}

static bool look(const u8 *p, u32 len, struct facts *f)
{
	u32 type;

	if (len < ETHERNET)
		return false;
	type = be16(p + 12);
	if (type == TYPE_IPV4)
		return look_ipv4(p, len, f);
	if (type == TYPE_ARP)
		return len >= ETHERNET + ARP_LENGTH;
	return type != TYPE_VLAN && type != TYPE_VLAN_2;
}

/* An ARP probe has no sender's address yet. */
static bool spoofed(const struct rules *r, const u8 *p, const struct facts *f)
{
	if (!mac_equal(p + 6, r->mac))
		return true;
	if (be16(p + 12) == TYPE_ARP) {
		u32 sender = be32(p + ARP_ADDRESS);

		return !mac_equal(p + ARP_MAC, r->mac) ||
		       (r->address && sender && sender != r->address);
	}
	return r->address && f->ipv4 && f->from != r->address;
}

static bool end_matches(const struct rule_end *e, u32 address, bool has_port, u16 port)
{
	if ((address & e->mask) != e->address)
		return false;
	if (e->first_port == 0 && e->last_port == LAST_PORT)
		return true;
	return has_port && port >= e->first_port && port <= e->last_port;
}

static bool matches(const struct rule *r, unsigned int direction, const struct facts *f)
{
	if (!(r->directions & direction))
		return false;
	if (r->any)
		return true;
	return f->ipv4 && (!r->has_protocol || r->protocol == f->protocol) &&
	       end_matches(&r->from, f->from, f->has_ports, f->from_port) &&
	       end_matches(&r->to, f->to, f->has_ports, f->to_port);
}

bool rules_pass(struct rules *r, unsigned int direction, const u8 *head, u32 len)
{
	struct facts f = {0};

	if (direction == RULE_IN && r->nr == 0)
		return true;
	if (!look(head, len, &f)) {
		r->malformed++;
		return false;
	}
	if (direction == RULE_OUT && spoofed(r, head, &f)) {
		r->spoofed++;
		return false;
	}
	for (unsigned int i = 0; i < r->nr; i++) {
		if (!matches(&r->rule[i], direction, &f))
			continue;
		r->rule[i].hits++;
		if (r->rule[i].action == RULE_COUNT)
			continue;
		r->dropped += r->rule[i].action == RULE_DROP;
		return r->rule[i].action == RULE_ACCEPT;
	}
	return true;
}

/* Reads a decimal number of at most max; NULL if there is none. */
static const char *parse_number(const char *s, u64 max, u64 *n)
{
	if (*s < '0' || *s > '9' || !str_to_u64(&s, n) || *n > max)
		return NULL;
	return s;
}

const char *rules_parse_address(const char *text, u32 *address)
{
	u32 a = 0;

	for (int i = 0; i < 4; i++) {
		u64 n;

		if (i && *text++ != '.')
			return NULL;
		text = parse_number(text, 255, &n);
		if (!text)
			return NULL;
		a = a << 8 | (u32)n;
	}
	*address = a;
	return text;
}

/* Returns where it stopped, or NULL: then it is this end that is wrong. */
static const char *parse_end(struct rule_end *e, const char *s)
{
	u64 bits = 32, first, last;

	s = rules_parse_address(s, &e->address);
	if (s && *s == '/')
		s = parse_number(s + 1, 32, &bits);
	if (!s)
		return NULL;
	e->mask = bits ? ~0u << (32 - bits) : 0;
	if (e->address & ~e->mask) /* a mask that cuts off what was written is a mistake */
		return NULL;
	if (*s != ':')
		return s;
	s = parse_number(s + 1, LAST_PORT, &first);
	last = first;
	if (s && *s == '-')
		s = parse_number(s + 1, LAST_PORT, &last);
	if (!s || last < first)
		return NULL;
	e->first_port = (u16)first;
	e->last_port = (u16)last;
	return s;
}

/* If s begins with word, and that is followed by a comma or the end: what comes after word. */
static const char *word(const char *s, const char *w)
{
	size_t n = strlen(w);

	return strncmp(s, w, n) == 0 && (s[n] == ',' || s[n] == '\0') ? s + n : NULL;
}

static const char *parse_protocol(struct rule *r, const char *s)
{
	static const struct {
		const char *name;
		u8 number;
	} known[] = {{"tcp", PROTO_TCP}, {"udp", PROTO_UDP}, {"icmp", PROTO_ICMP}};
	u64 n;

	r->has_protocol = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++) {
		if (word(s, known[i].name)) {
			r->protocol = known[i].number;
			return word(s, known[i].name);
		}
	}
	s = parse_number(s, 255, &n);
	if (s)
		r->protocol = (u8)n;
	return s;
}

/* One item after the action; `seen` has a bit for each kind that was there already. */
static const char *parse_item(struct rule *r, const char *s, unsigned int *seen)
{
	enum { DIRECTION = 1, PROTOCOL = 2, FROM = 4, TO = 8 } kind;
	const char *end;

	if (word(s, "in") || word(s, "out")) {
		kind = DIRECTION;
		r->directions = word(s, "in") ? RULE_IN : RULE_OUT;
		end = s + (word(s, "in") ? 2 : 3);
	} else if (strncmp(s, "from=", 5) == 0) {
		kind = FROM;
		end = parse_end(&r->from, s + 5);
	} else if (strncmp(s, "to=", 3) == 0) {
		kind = TO;
		end = parse_end(&r->to, s + 3);
	} else {
		kind = PROTOCOL;
		end = parse_protocol(r, s);
	}
	if (*seen & kind)
		return NULL;
	*seen |= kind;
	r->any = r->any && kind == DIRECTION;
	return end;
}

const char *rules_parse(struct rule *r, const char *text)
{
	static const char *const actions[] = {"accept", "drop", "count"};
	const struct rule_end anywhere = {.last_port = LAST_PORT};
	const char *s = NULL;
	unsigned int seen = 0;

	*r = (struct rule){
	    .directions = RULE_IN | RULE_OUT, .any = true, .from = anywhere, .to = anywhere};
	for (unsigned int i = 0; !s && i < ARRAY_SIZE(actions); i++) {
		s = word(text, actions[i]);
		r->action = (u8)i;
	}
	if (!s)
		return text;
	while (*s == ',') {
		const char *item = s + 1;

		s = parse_item(r, item, &seen);
		if (!s || (*s != ',' && *s != '\0'))
			return item;
	}
	return NULL;
}
