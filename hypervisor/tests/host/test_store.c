// SPDX-License-Identifier: MIT
/*
 * The store for a client in its ring: the framing of messages cut anywhere, strings without end,
 * every form of path, rights, the shares of nodes, bytes, watches and transactions, transactions
 * that conflict, and what watches and back ends are told. All pages are back in the end.
 */
#include "unit.h"
#include <hv/build.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/page_type.h>
#include <hv/printk.h>
#include <hv/public.h>
#include <hv/store.h>
#include <hv/string.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/io/xs_wire.h>

#define PORT 3

extern bool fake_impatient;

static struct domain d = {.id = 1, .state = DOMAIN_RUNNING};
static struct xenstore_domain_interface *ring;
static evtchn_service service;
static unsigned int events, listened, refs, complaints, fires;
static char answer[XENSTORE_PAYLOAD_MAX + 1], fired[4096][24];
static u32 answer_len, cut; /* messages go in so many bytes at a time; 0: as many as fit */

u32 evtchn_serve(struct domain *of, evtchn_service fn)
{
	EXPECT(of == &d);
	service = fn;
	return PORT;
}
void evtchn_set_pending(struct domain *of, u32 port)
{
	EXPECT(of == &d && port == PORT);
	events++;
}
int page_get_type(struct domain *of, mfn_t m, enum frame_type type)
{
	EXPECT(of == &d && m.n == 1 && type == FT_WRITABLE);
	refs++;
	return 0;
}
void page_put_type(mfn_t m)
{
	EXPECT(m.n == 1);
	refs--;
}
void console_write(const char *s, size_t n)
{
	EXPECT(n);
	complaints += s[n - 1] == '\n';
}
static void listen(struct domain *of)
{
	EXPECT(of == &d);
	listened++;
}

static void serve(void)
{
	for (unsigned int n = 0; !service(&d); n++)
		EXPECT(n < 10000);
}

static void put(const void *from, u32 len)
{
	const char *s = from;

	for (u32 i = 0; i < len; i++) {
		if (ring->req_prod - ring->req_cons == XENSTORE_RING_SIZE)
			serve();
		EXPECT(ring->req_prod - ring->req_cons < XENSTORE_RING_SIZE);
		ring->req[MASK_XENSTORE_IDX(ring->req_prod++)] = s[i];
		if (cut && i % cut == 0)
			serve();
	}
}

static bool get(void *to, u32 len)
{
	char *s = to;

	for (u32 i = 0; i < len; i++) {
		if (ring->rsp_prod == ring->rsp_cons)
			serve();
		if (ring->rsp_prod == ring->rsp_cons)
			return false;
		s[i] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons++)];
	}
	return true;
}

/* The next message; its type, or 0 if there is none. */
static u32 message(void)
{
	struct xsd_sockmsg head;

	if (!get(&head, sizeof(head)))
		return 0;
	EXPECT(head.len <= XENSTORE_PAYLOAD_MAX && get(answer, head.len));
	answer_len = head.len;
	answer[head.len] = '\0';
	if (head.type != XS_WATCH_EVENT)
		EXPECT(head.req_id == 77);
	return head.type;
}

static u32 ask_in(u32 tx, u32 type, const void *body, u32 len)
{
	struct xsd_sockmsg head = {.type = type, .req_id = 77, .tx_id = tx, .len = len};

	put(&head, sizeof(head));
	put(body, len);
	serve();
	while ((type = message()) == XS_WATCH_EVENT)
		strncpy(fired[fires++ % 4096], answer, 23);
	return type;
}

/* Literal bodies, without the NUL that C adds. */
#define ASK(type, body) ask_in(0, type, body, sizeof(body) - 1)
#define GOOD(type, body) EXPECT(ASK(type, body) == (type))
#define BAD(type, body, error) EXPECT(ASK(type, body) == XS_ERROR && strcmp(answer, error) == 0)
#define HAS(path, value)                                                                           \
	EXPECT(ASK(XS_READ, path "\0") == XS_READ && answer_len == sizeof(value) - 1 &&            \
	       memcmp(answer, value, answer_len) == 0)

static void make(void)
{
	static bool listening;
	u32 port;

	EXPECT(store_init(&d) == 0);
	if (!listening)
		store_on_write("device/vif", listen);
	listening = true;
	memset(ring, 0, PAGE_SIZE);
	EXPECT(store_connect(&d, mfn(1), &port) == 0 && port == PORT && refs == 1);
	events = listened = complaints = fires = 0;
}

static void unmake(void)
{
	EXPECT(store_release(&d) && !d.store && refs == 0);
}

static void paths(void)
{
	char body[400];

	make();
	GOOD(XS_WRITE, "a\0value");
	HAS("a", "value");
	HAS("/local/domain/1/a", "value");
	HAS("domid", "1");
	GOOD(XS_WRITE, "A-z_0@:/b\0");
	HAS("A-z_0@:/b", "");
	BAD(XS_READ, "a", "EINVAL"); /* no end */
	BAD(XS_READ, "", "EINVAL");
	BAD(XS_READ, "\0", "EINVAL");
	BAD(XS_READ, "a/\0", "EINVAL");
	BAD(XS_READ, "//a\0", "EINVAL");
	BAD(XS_READ, "/\0", "ENOENT");
	BAD(XS_READ, "a//b\0", "EINVAL");
	BAD(XS_READ, "a.b\0", "EINVAL");
	BAD(XS_READ, "../2/a\0", "EINVAL");
	BAD(XS_READ, "a b\0", "EINVAL");
	BAD(XS_READ, "\x80\0", "EINVAL");
	BAD(XS_READ, "@a\0", "ENOENT");
	BAD(XS_WRITE, "@a\0x", "EACCES");
	BAD(XS_READ, "/local/domain/1/a/b\0", "ENOENT");
	BAD(XS_READ, "/local/domain/1a\0", "ENOENT");
	/* The longest path has 191 characters, the home's 16 included. */
	memset(body, 'p', sizeof(body));
	body[175] = '\0';
	EXPECT(ask_in(0, XS_WRITE, body, 177) == XS_WRITE);
	EXPECT(ask_in(0, XS_READ, body, 176) == XS_READ && answer_len == 1 && answer[0] == 'p');
	body[175] = 'p';
	body[176] = '\0';
	EXPECT(ask_in(0, XS_WRITE, body, 178) == XS_ERROR && strcmp(answer, "EINVAL") == 0);
	unmake();
}

static void rights(void)
{
	make();
	BAD(XS_WRITE, "/local/domain/0/a\0x", "EACCES");
	BAD(XS_WRITE, "/local/domain/11/a\0x", "EACCES");
	BAD(XS_WRITE, "/local/domain/1\0x", "EACCES");
	BAD(XS_WRITE, "/\0x", "EACCES");
	BAD(XS_MKDIR, "/tool\0", "EACCES");
	BAD(XS_RM, "/local/domain/1\0", "EACCES");
	BAD(XS_RM, "/local\0", "EACCES");
	EXPECT(store_write(&d, "/local/domain/0/backend/vif/1/0/state", "2") == 0);
	HAS("/local/domain/0/backend/vif/1/0/state", "2");
	BAD(XS_RM, "/local/domain/0/backend/vif/1/0/state\0", "EACCES");
	BAD(XS_SET_PERMS, "/local/domain/0\0n1\0", "EACCES");
	GOOD(XS_GET_PERMS, "/local/domain/0\0");
	EXPECT(strcmp(answer, "r0") == 0);
	GOOD(XS_GET_PERMS, "domid\0");
	EXPECT(strcmp(answer, "n1") == 0);
	GOOD(XS_IS_DOMAIN_INTRODUCED, "0\0");
	EXPECT(answer[0] == 'T');
	GOOD(XS_IS_DOMAIN_INTRODUCED, "7\0");
	EXPECT(answer[0] == 'F');
	BAD(XS_GET_DOMAIN_PATH, "65536\0", "EINVAL");
	BAD(XS_GET_DOMAIN_PATH, "-1\0", "EINVAL");
	unmake();
}

/* Nodes come with all above them, and go with all below. */
static void nodes(void)
{
	make();
	GOOD(XS_WRITE, "x/y/z\0deep");
	HAS("x/y", "");
	GOOD(XS_WRITE, "x/y/w\0");
	GOOD(XS_WRITE, "x/yy\0");
	GOOD(XS_DIRECTORY, "x\0");
	EXPECT(answer_len == 5 && memcmp(answer, "y\0yy", 5) == 0);
	GOOD(XS_DIRECTORY, "x/y/z\0");
	EXPECT(answer_len == 0);
	GOOD(XS_DIRECTORY, "/\0");
	EXPECT(answer_len == 6 && strcmp(answer, "local") == 0);
	BAD(XS_DIRECTORY, "nothing\0", "ENOENT");
	GOOD(XS_WRITE, "x/y/z\0a longer value");
	HAS("x/y/z", "a longer value");
	GOOD(XS_WRITE, "x/y/z\0\0nul inside");
	EXPECT(ASK(XS_READ, "x/y/z\0") == XS_READ && answer_len == 11 && answer[0] == '\0');
	GOOD(XS_MKDIR, "x/y/z\0"); /* is there: stays as it is */
	EXPECT(ASK(XS_READ, "x/y/z\0") == XS_READ && answer_len == 11);
	GOOD(XS_RM, "x/y\0");
	BAD(XS_READ, "x/y/z\0", "ENOENT");
	HAS("x/yy", "");
	BAD(XS_RM, "x/y\0", "ENOENT");
	BAD(XS_SET_PERMS, "x/y\0n1\0", "ENOENT");
	unmake();
}

/* A message may come byte by byte, and the indices may wrap amid it. */
static void framing(void)
{
	static char big[XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg head = {.type = XS_READ, .len = XENSTORE_PAYLOAD_MAX + 1};

	make();
	for (cut = 1; cut < 40; cut += 3) {
		GOOD(XS_WRITE, "cut/into\0pieces");
		HAS("cut/into", "pieces");
	}
	cut = 0;
	memcpy(big, "big\0", 4);
	EXPECT(ask_in(0, XS_WRITE, big, sizeof(big)) == XS_ERROR && !strcmp(answer, "E2BIG"));
	EXPECT(ask_in(0, XS_WRITE, big, 4 + 1025) == XS_ERROR && !strcmp(answer, "E2BIG"));
	EXPECT(ask_in(0, XS_WRITE, big, 4 + 1024) == XS_WRITE);
	HAS("cut/into", "pieces"); /* what follows a long one is understood */
	EXPECT(ask_in(0, 4711, "x", 2) == XS_ERROR && !strcmp(answer, "ENOSYS"));
	EXPECT(complaints == 0);
	put(&head, sizeof(head));
	serve();
	EXPECT(ring->error == XENSTORE_ERROR_PROTO && complaints == 1);
	ring->req_prod = ring->req_cons;
	GOOD(0, "domid\0"); /* no answer any more */
	EXPECT(complaints == 1);
	unmake();
}

static void wild_indices(void)
{
	static const u32 ahead[] = {XENSTORE_RING_SIZE + 1, 0x80000000, 0xfffff000};

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(ahead); i++) {
		make();
		HAS("domid", "1");
		*(i % 2 ? &ring->req_prod : &ring->rsp_cons) += ahead[i / 2];
		serve();
		serve();
		EXPECT(ring->error == XENSTORE_ERROR_RINGIDX && complaints == 1);
		unmake();
	}
}

static u32 numbered(u32 type, u32 tx, const char *before, unsigned int n, const char *after,
		    u32 len)
{
	char body[1400];
	u32 at = (u32)format(body, sizeof(body), "%s%u", before, n) + 1;

	memcpy(body + at, after, len);
	return ask_in(tx, type, body, at + len);
}

/* The share is used up, said so, and can be used again. */
static void shares(void)
{
	static char value[1024];
	unsigned int small = 0, large = 0, watches = 0;

	make();
	while (small < 5000 && numbered(XS_WRITE, 0, "s/", small, "", 0) == XS_WRITE)
		small++;
	EXPECT(small > 300 && small < 1000 && strcmp(answer, "ENOSPC") == 0);
	HAS("s/0", "");
	EXPECT(store_write(&d, "device/vif/0/state", "%u", 1u) == -ENOSPC);
	GOOD(XS_RM, "s\0");
	while (large < 100 && numbered(XS_WRITE, 0, "l/", large, value, sizeof(value)) == XS_WRITE)
		large++;
	EXPECT(large >= 9 && large <= 15 && strcmp(answer, "ENOSPC") == 0);
	GOOD(XS_RM, "l\0");
	EXPECT(store_write(&d, "device/vif/0/state", "%u", 1u) == 0);
	while (watches < 5000 && numbered(XS_WATCH, 0, "w", watches, "t", 2) == XS_WATCH)
		watches++;
	EXPECT(watches > 100 && watches < 1000 && strcmp(answer, "ENOSPC") == 0);
	EXPECT(numbered(XS_UNWATCH, 0, "w", 5, "t", 2) == XS_UNWATCH);
	EXPECT(numbered(XS_UNWATCH, 0, "w", 5, "t", 2) == XS_ERROR && !strcmp(answer, "ENOENT"));
	EXPECT(numbered(XS_WATCH, 0, "w", 6, "t", 2) == XS_ERROR && !strcmp(answer, "EEXIST"));
	EXPECT(numbered(XS_WATCH, 0, "w", 5, "t", 2) == XS_WATCH);
	memset(value, 't', 98);
	EXPECT(numbered(XS_WATCH, 0, "w", 1, value, 98) == XS_ERROR && !strcmp(answer, "EINVAL"));
	GOOD(XS_RESET_WATCHES, "\0");
	EXPECT(numbered(XS_WATCH, 0, "w", 1, "t", 2) == XS_WATCH);
	unmake();
}

static u32 begin(void)
{
	u64 tx = 0;
	const char *s = answer;

	GOOD(XS_TRANSACTION_START, "\0");
	EXPECT(str_to_u64(&s, &tx) && tx);
	return (u32)tx;
}

#define END(tx, how)   ask_in(tx, XS_TRANSACTION_END, how, 2)
#define IN(tx, body)   EXPECT(ask_in(tx, XS_WRITE, body, sizeof(body) - 1) == XS_WRITE)
#define AGAIN(tx)      EXPECT(END(tx, "T") == XS_ERROR && strcmp(answer, "EAGAIN") == 0)
#define SUCCEEDS(tx)   EXPECT(END(tx, "T") == XS_TRANSACTION_END)

static void transactions(void)
{
	u32 one, two, three, four;

	make();
	one = begin();
	IN(one, "t\0one");
	BAD(XS_READ, "t\0", "ENOENT"); /* not seen from outside */
	EXPECT(ask_in(one, XS_READ, "t\0", 2) == XS_READ && strcmp(answer, "one") == 0);
	SUCCEEDS(one);
	HAS("t", "one");
	EXPECT(END(one, "T") == XS_ERROR && strcmp(answer, "EINVAL") == 0);
	/* Two that started alike: the first to end wins, and so does who writes without. */
	one = begin();
	two = begin();
	three = begin();
	IN(one, "t\0first");
	IN(two, "t\0second");
	IN(three, "u\0third");
	SUCCEEDS(two);
	AGAIN(one);
	AGAIN(three); /* elsewhere in the tree, but it cannot tell */
	HAS("t", "second");
	one = begin();
	IN(one, "t\0first");
	GOOD(XS_WRITE, "other\0x");
	AGAIN(one);
	/* One that only looked, or was given up, conflicts with nothing. */
	one = begin();
	two = begin();
	IN(two, "t\0gone");
	GOOD(XS_WRITE, "other\0y");
	SUCCEEDS(one);
	EXPECT(END(two, "F") == XS_TRANSACTION_END);
	HAS("t", "second");
	/* Four at most, and none inside another. */
	one = begin();
	EXPECT(ask_in(one, XS_TRANSACTION_START, "", 1) == XS_ERROR && !strcmp(answer, "EBUSY"));
	two = begin();
	three = begin();
	four = begin();
	BAD(XS_TRANSACTION_START, "\0", "EBUSY");
	EXPECT(END(four, "X") == XS_ERROR && strcmp(answer, "EINVAL") == 0);
	EXPECT(ask_in(four + 1, XS_READ, "t", 2) == XS_ERROR && strcmp(answer, "EINVAL") == 0);
	EXPECT(one != two && two != three && three != four);
	IN(four, "left/open\0x");
	unmake(); /* with all of them open */
}

/* Who watches is told once for each change, in order, spelled as it asked; others are not. */
static void watches(void)
{
	u32 tx;

	make();
	GOOD(XS_WATCH, "w\0relative\0");
	GOOD(XS_WATCH, "/local/domain/1/w\0absolute\0");
	GOOD(XS_WATCH, "ww\0other\0");
	GOOD(XS_WATCH, "@\0special\0");
	BAD(XS_WATCH, "w\0no end", "EINVAL");
	GOOD(XS_READ, "domid\0"); /* fetches what was sent at once */
	EXPECT(fires == 4 && strcmp(fired[0], "w") == 0 && strcmp(fired[3], "@") == 0);
	fires = 0;
	GOOD(XS_WRITE, "w/x\0");
	GOOD(XS_READ, "domid\0");
	EXPECT(fires == 2 && !strcmp(fired[0], "w/x") && !strcmp(fired[1], "/local/domain/1/w/x"));
	fires = 0;
	tx = begin();
	IN(tx, "w\0");
	IN(tx, "v\0");
	IN(tx, "ww\0");
	EXPECT(ask_in(tx, XS_RM, "w\0", 2) == XS_RM && fires == 0);
	SUCCEEDS(tx);
	GOOD(XS_READ, "domid\0");
	EXPECT(fires == 5 && !strcmp(fired[0], "w") && !strcmp(fired[2], "ww"));
	EXPECT(!strcmp(fired[3], "w") && !strcmp(fired[4], "/local/domain/1/w"));
	fires = 0;
	GOOD(XS_WRITE, "w/x/y\0");
	GOOD(XS_UNWATCH, "w\0relative\0");
	GOOD(XS_WATCH, "w/x/y\0below\0");
	GOOD(XS_READ, "domid\0");
	fires = 0;
	GOOD(XS_RM, "w\0"); /* what was above is gone, and so is it */
	GOOD(XS_READ, "domid\0");
	EXPECT(fires == 2 && !strcmp(fired[1], "w/x/y"));
	unmake();
}

/* Back ends hear of what is at, below or above their place, not of the rest, nor of what failed. */
static void listeners(void)
{
	u32 tx;

	make();
	GOOD(XS_WRITE, "device/vif/0/state\0");
	EXPECT(listened == 1);
	GOOD(XS_WRITE, "device/vifs\0");
	GOOD(XS_WRITE, "device/vbd/0/state\0");
	EXPECT(listened == 1);
	tx = begin();
	IN(tx, "device/vif/0/state\0");
	EXPECT(listened == 1);
	EXPECT(END(tx, "F") == XS_TRANSACTION_END && listened == 1);
	tx = begin();
	IN(tx, "device/vif/0/state\0");
	IN(tx, "device/vif/1/state\0");
	SUCCEEDS(tx);
	GOOD(XS_READ, "domid\0");
	EXPECT(listened == 3);
	GOOD(XS_RM, "device\0");
	EXPECT(listened == 4);
	unmake();
}

/* The work of one event ends when a timer is due, wherever that is, and nothing is lost by it. */
static void bounded(void)
{
	unsigned int told = 0;
	u32 tx;

	make();
	GOOD(XS_WATCH, "n\0t\0");
	GOOD(XS_READ, "domid\0");
	fires = 0;
	tx = begin();
	for (unsigned int i = 0; i < 60; i++)
		EXPECT(numbered(XS_WRITE, tx, "n/", i, "", 0) == XS_WRITE);
	fake_impatient = true;
	SUCCEEDS(tx);
	GOOD(XS_READ, "domid\0");
	fake_impatient = false;
	for (unsigned int i = 0; i < fires; i++) {
		char want[16];

		format(want, sizeof(want), "n/%u", told);
		told += strcmp(fired[i], want) == 0;
	}
	EXPECT(fires == 60 && told == 60);
	/* A client that takes nothing is told no more, and may end amid it. */
	tx = begin();
	for (unsigned int i = 0; i < 60; i++)
		EXPECT(numbered(XS_WRITE, tx, "n/", i, "", 0) == XS_WRITE);
	put(&(struct xsd_sockmsg){.type = XS_TRANSACTION_END, .tx_id = tx, .len = 2}, 16);
	put("T", 2);
	serve();
	EXPECT(ring->rsp_prod - ring->rsp_cons == XENSTORE_RING_SIZE);
	unmake();
}

int main(void)
{
	void *memory = mmap((void *)DIRECT_MAP_BASE, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	EXPECT(memory == (void *)DIRECT_MAP_BASE);
	ring = mfn_to_virt(mfn(1));
	paths();
	rights();
	nodes();
	framing();
	wild_indices();
	shares();
	transactions();
	watches();
	listeners();
	bounded();
	return unit_failures != 0;
}
