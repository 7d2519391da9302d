/* SPDX-License-Identifier: MIT */
/* What may pass an interface: anti-spoofing, and a short list of rules. Pure functions. */
#ifndef HV_RULES_H
#define HV_RULES_H

#include <hv/types.h>

#define RULES_MAX 16
#define RULES_HEAD                                                                                 \
	(14u + 60u + 4u) /* bytes at the front of a packet that a verdict can depend on */

enum rule_action { RULE_ACCEPT, RULE_DROP, RULE_COUNT };

#define RULE_IN	 1 /* to the guest */
#define RULE_OUT 2 /* from it */

struct rule_end {
	u32 address, mask;	   /* in the processor's byte order */
	u16 first_port, last_port; /* 0..65535: any, also where there is no port */
};

struct rule {
	u8 action;     /* enum rule_action */
	u8 directions; /* RULE_IN, RULE_OUT or both */
	bool any;      /* no condition on the packet: also matches what is not IPv4 */
	bool has_protocol;
	u8 protocol;
	struct rule_end from, to;
	u64 hits;
};

struct rules {
	u8 mac[6];   /* the interface's; outgoing packets must bear it */
	u32 address; /* likewise its IPv4 address; 0: none was given, none is checked */
	unsigned int nr;
	struct rule rule[RULES_MAX];
	u64 spoofed, malformed, dropped;
};

/* Hardware addresses, wherever they lie. */
static inline bool mac_equal(const u8 *a, const u8 *b)
{
	struct mac {
		u32 first;
		u16 last;
	} __attribute__((packed));
	const struct mac *x = (const void *)a, *y = (const void *)b;

	return x->first == y->first && x->last == y->last;
}

/*
 * Reads one rule: ACTION[,DIRECTION][,PROTOCOL][,from=END][,to=END] with ACTION accept, drop or
 * count; DIRECTION in or out; PROTOCOL tcp, udp, icmp or a number; END
 * ADDRESS[/BITS][:PORT[-PORT]]. Returns NULL, or the place in text that cannot be understood.
 */
const char *rules_parse(struct rule *r, const char *text);

/* Reads a.b.c.d up to the end or up to the first other character; NULL if there is none. */
const char *rules_parse_address(const char *text, u32 *address);

/*
 * Whether a packet of len bytes may pass in this direction; head is its beginning, all of it or at
 * least RULES_HEAD bytes. Counts what it decides. The first rule that matches decides, but
 * for count; without one the packet passes.
 */
bool rules_pass(struct rules *r, unsigned int direction, const u8 *head, u32 len);

#endif
