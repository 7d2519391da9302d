// SPDX-License-Identifier: MIT
/* The rule table: its text, what matches, spoofing, and packets cut short or made of noise. */
#include "unit.h"
#include <hv/rules.h>
#include <stdlib.h>
#include <string.h>

static const u8 tcp[] = {
    2,	  0,  0, 0,  0,	 2, 0,	  0x16, 0x3e, 0, 1, 0, 0x08, 0,	   /* to, from, IPv4 */
    0x45, 0,  0, 40, 0,	 1, 0x40, 0,	64,   6, 0, 0,		   /* 40 bytes, TCP */
    10,	  0,  0, 1,  10, 0, 0,	  2,				   /* addresses */
    0x30, 57, 0, 80, 0,	 0, 0,	  0,	0,    0, 0, 0, 0x50, 0x10, /* 12345 to 80 */
    0,	  0,  0, 0,  0,	 0,
};
static const u8 arp[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x16, 0x3e, 0, 1, 0, 0x08, 0x06, 0, 1, 8, 0,	 6, 4, 0,
    1,	  0,	0x16, 0x3e, 0,	  1,	0, 10,	 0,    0, 1, 0, 0,    0,    0, 0, 0, 10, 0, 0, 2,
};
static const u8 mac[6] = {0, 0x16, 0x3e, 0, 1, 0};

static struct rules make(const char *text)
{
	struct rules r = {.address = 0x0a000001};

	memcpy(r.mac, mac, sizeof(mac));
	if (text) {
		EXPECT(!rules_parse(&r.rule[0], text));
		r.nr = 1;
	}
	return r;
}

/* With byte `at` changed to v; in memory of just its length, so that a read beyond shows. */
static bool passes(struct rules *r, unsigned int direction, const u8 *p, u32 len, u32 at, u8 v)
{
	u8 *copy = malloc(len ? len : 1);
	bool ok;

	memcpy(copy, p, len);
	if (at < len)
		copy[at] = v;
	ok = rules_pass(r, direction, copy, len);
	free(copy);
	return ok;
}

#define NO_CHANGE 1000

static void text(void)
{
	static const struct {
		const char *text;
		int wrong; /* offset of the mistake, -1: none */
	} cases[] = {
	    {"accept", -1},
	    {"drop,in", -1},
	    {"count,out,udp,from=10.0.0.0/8:1-1023,to=0.0.0.0/0", -1},
	    {"drop,to=10.0.0.2:80,47", -1},
	    {"", 0},
	    {"deny", 0},
	    {"dropp", 0},
	    {"drop,", 5},
	    {"drop,inn", 5},
	    {"drop,in,out", 8},
	    {"drop,tcp,udp", 9},
	    {"drop,256", 5},
	    {"drop,from=10.0.0", 5},
	    {"drop,from=10.0.0.256", 5},
	    {"drop,from=10.0.0.1/8", 5},
	    {"drop,from=10.0.0.1/33", 5},
	    {"drop,tcp,to=10.0.0.1:80-79", 9},
	    {"drop,tcp,to=10.0.0.1:65536", 9},
	    {"drop,to=10.0.0.1x", 5},
	    {"drop from=10.0.0.1", 0},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rule r;
		const char *wrong = rules_parse(&r, cases[i].text);

		if ((wrong ? wrong - cases[i].text : -1) != cases[i].wrong)
			fprintf(stderr, "%s: %s\n", cases[i].text, wrong ? wrong : "accepted");
		EXPECT((wrong ? wrong - cases[i].text : -1) == cases[i].wrong);
	}
}

static void matching(void)
{
	static const struct {
		const char *text;
		bool out, in;
	} cases[] = {
	    {"accept", true, true},
	    {"drop", false, false},
	    {"drop,out", false, true},
	    {"drop,in", true, false},
	    {"count", true, true},
	    {"drop,tcp", false, false},
	    {"drop,udp", true, true},
	    {"drop,6", false, false},
	    {"drop,from=10.0.0.0/24", false, false},
	    {"drop,from=10.0.1.0/24", true, true},
	    {"drop,to=10.0.0.2:80", false, false},
	    {"drop,to=10.0.0.2:81-90", true, true},
	    {"drop,from=0.0.0.0/0:12345-12345", false, false},
	    {"drop,from=0.0.0.0/0:1-12344", true, true},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rules r = make(cases[i].text);

		EXPECT(passes(&r, RULE_OUT, tcp, sizeof(tcp), NO_CHANGE, 0) == cases[i].out);
		EXPECT(passes(&r, RULE_IN, tcp, sizeof(tcp), NO_CHANGE, 0) == cases[i].in);
	}
}

static void order(void)
{
	struct rules r = make("count,tcp");

	EXPECT(!rules_parse(&r.rule[1], "accept,to=10.0.0.2:80"));
	EXPECT(!rules_parse(&r.rule[2], "drop"));
	r.nr = 3;
	EXPECT(passes(&r, RULE_OUT, tcp, sizeof(tcp), NO_CHANGE, 0));
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 37, 81));
	EXPECT(!passes(&r, RULE_OUT, arp, sizeof(arp), NO_CHANGE, 0)); /* no IPv4: only "drop" */
	EXPECT(r.rule[0].hits == 2 && r.rule[1].hits == 1 && r.rule[2].hits == 2);
	EXPECT(r.dropped == 2 && r.spoofed == 0 && r.malformed == 0);
}

static void spoofing(void)
{
	struct rules r = make(NULL);

	EXPECT(passes(&r, RULE_OUT, tcp, sizeof(tcp), NO_CHANGE, 0));
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 11, 1)); /* hardware address */
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 29, 3)); /* IPv4 address */
	EXPECT(passes(&r, RULE_OUT, arp, sizeof(arp), NO_CHANGE, 0));
	EXPECT(!passes(&r, RULE_OUT, arp, sizeof(arp), 27, 9)); /* ARP sender, hardware */
	EXPECT(!passes(&r, RULE_OUT, arp, sizeof(arp), 31, 9)); /* ARP sender, address */
	EXPECT(r.spoofed == 4);
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 12, 0x81)); /* a tag could hide it all */
	EXPECT(passes(&r, RULE_IN, tcp, sizeof(tcp), 29, 3));	   /* others' are theirs */
	r.address = 0;
	EXPECT(passes(&r, RULE_OUT, tcp, sizeof(tcp), 29, 3));
}

/* Cut anywhere, it does not leave; whole, it does. Fragments do not hide ports. */
static void malformed(void)
{
	struct rules r = make("accept,to=10.0.0.2:80");

	for (u32 len = 0; len < sizeof(tcp); len++)
		EXPECT(!passes(&r, RULE_OUT, tcp, len, NO_CHANGE, 0) &&
		       !passes(&r, RULE_IN, tcp, len, NO_CHANGE, 0));
	EXPECT(r.malformed == 2 * sizeof(tcp));
	for (u32 len = 0; len < sizeof(arp); len++)
		EXPECT(!passes(&r, RULE_OUT, arp, len, NO_CHANGE, 0));
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 14, 0x65)); /* version */
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 14, 0x44)); /* header too short */
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 14, 0x4f)); /* longer than the packet */
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 17, 41));
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 17, 22)); /* no room for ports */
	EXPECT(!passes(&r, RULE_OUT, tcp, sizeof(tcp), 21, 1));	 /* over the first one's ports */
	EXPECT(passes(&r, RULE_OUT, tcp, sizeof(tcp), 21, 2));
	EXPECT(r.rule[0].hits == 0);
}

static void noise(void)
{
	struct rules r = make("drop,tcp,from=10.0.0.0/8:1-1000");
	u8 p[100];

	for (unsigned int n = 0; n < 200000; n++) {
		u32 len = (u32)rand() % sizeof(p);

		for (u32 i = 0; i < len; i++)
			p[i] = i < sizeof(tcp) && rand() % 4 ? tcp[i] : (u8)rand();
		passes(&r, 1 + n % 2, p, len, NO_CHANGE, 0);
	}
	EXPECT(r.malformed > 1000 && r.spoofed > 1000 && r.dropped > 10);
}

int main(void)
{
	srand(1);
	text();
	matching();
	order();
	spoofing();
	malformed();
	noise();
	return unit_failures != 0;
}
