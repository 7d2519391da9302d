// SPDX-License-Identifier: MIT
/*
 * The store for a client that means no good: strings without end, paths that are none, others'
 * nodes, more than its share of nodes, watches and transactions, messages cut anywhere, a client
 * that reads no answers, and at last indices that cannot be, after which nobody listens.
 */
#include "front.h"

static bool is(u32 type, const void *body, u32 len, const char *error)
{
	return store_request(type, 0, body, len) == XS_ERROR && strcmp(store_answer, error) == 0;
}

#define REFUSED(type, body, error) check(is(type, body, sizeof(body) - 1, error))

static void nonsense(void)
{
	static char long_body[4096];

	REFUSED(XS_READ, "domid", "EINVAL"); /* without its end */
	REFUSED(XS_READ, "", "EINVAL");
	REFUSED(XS_READ, "a//b\0", "EINVAL");
	REFUSED(XS_READ, "a/\0", "EINVAL");
	REFUSED(XS_READ, "a b\0", "EINVAL");
	REFUSED(XS_READ, "nothing\0", "ENOENT");
	REFUSED(XS_DIRECTORY, "nothing\0", "ENOENT");
	REFUSED(XS_RM, "nothing\0", "ENOENT");
	REFUSED(XS_WRITE, "/local/domain/0/x\0y", "EACCES");
	REFUSED(XS_WRITE, "/local/domain/99/x\0y", "EACCES");
	REFUSED(XS_WRITE, "/\0y", "EACCES");
	REFUSED(XS_RM, "/local\0", "EACCES");
	REFUSED(XS_READ, "/local/domain/99/domid\0", "ENOENT");
	REFUSED(XS_WATCH, "domid\0token", "EINVAL");
	REFUSED(XS_UNWATCH, "domid\0token\0", "ENOENT");
	REFUSED(XS_TRANSACTION_END, "T\0", "ENOENT");
	REFUSED(XS_GET_DOMAIN_PATH, "12x\0", "EINVAL");
	REFUSED(77, "x\0", "ENOSYS");
	check(store_request(XS_READ, 12345, "domid", 6) == XS_ERROR);
	check(is(XS_WRITE, long_body, sizeof(long_body), "E2BIG"));
	memset(long_body, 'a', 1999);
	check(is(XS_WRITE, long_body, 2000, "EINVAL")); /* a path of 1999 */
	memset(long_body, 0, sizeof(long_body));
	memcpy(long_body, "big", 4);
	check(is(XS_WRITE, long_body, 1500, "E2BIG")); /* a value of 1496 */
	check(store_get("domid"));
}

static void shares(void)
{
	char path[48], body[96];
	unsigned int n = 0, watches = 0, open = 0;

	do {
		format(path, sizeof(path), "data/%u/node", n);
	} while (store_put(path, "0123456789012345678901234567890123456789") && ++n < 2000);
	check(n > 50 && n < 1000 && strcmp(store_answer, "ENOSPC") == 0);
	check(store_request(XS_RM, 0, "data", 5) == XS_RM);
	check(store_put("data/1", "again") && store_get("data/1"));
	check(strcmp(store_answer, "again") == 0);
	for (; watches < 1000; watches++) {
		u32 len = (u32)format(body, sizeof(body), "data/%u", watches) + 1;

		memcpy(body + len, "token", 6);
		if (store_request(XS_WATCH, 0, body, len + 6) == XS_ERROR)
			break;
	}
	check(watches > 20 && watches < 1000 && strcmp(store_answer, "ENOSPC") == 0);
	while (open < 100 && store_request(XS_TRANSACTION_START, 0, "", 1) != XS_ERROR)
		open++;
	check(open == 4 && strcmp(store_answer, "EBUSY") == 0);
}

/* A transaction is seen when it is committed, not before, and not at all if the tree changed. */
static void transactions(void)
{
	for (u32 tx = 1; tx <= 4; tx++) /* those left open */
		check(store_request(XS_TRANSACTION_END, tx, "F", 2) == XS_TRANSACTION_END);
	check(store_request(XS_TRANSACTION_START, 0, "", 1) == XS_TRANSACTION_START);
	check(strcmp(store_answer, "5") == 0);
	check(store_request(XS_WRITE, 5, "data/t\0inside", 13) == XS_WRITE);
	check(!store_get("data/t"));
	check(store_request(XS_READ, 5, "data/t", 7) == XS_READ);
	check(store_request(XS_TRANSACTION_END, 5, "T", 2) == XS_TRANSACTION_END);
	check(store_get("data/t") && strcmp(store_answer, "inside") == 0);
	check(store_request(XS_TRANSACTION_START, 0, "", 1) == XS_TRANSACTION_START);
	check(store_request(XS_WRITE, 6, "data/t\0twice", 12) == XS_WRITE);
	check(store_put("data/other", "x"));
	check(store_request(XS_TRANSACTION_END, 6, "T", 2) == XS_ERROR);
	check(strcmp(store_answer, "EAGAIN") == 0);
	check(store_get("data/t") && strcmp(store_answer, "inside") == 0);
}

/* Writes below many watches, each of which wants to be told, and takes nothing. */
static void deaf(void)
{
	struct xenstore_domain_interface *r = store_ring();
	struct xsd_sockmsg head = {.type = XS_WRITE, .len = 8};
	char body[8] = "data/1";

	for (unsigned int n = 0; n < 2000; n++) {
		for (unsigned int i = 0; i < sizeof(head) + sizeof(body); i++) {
			const char *s =
			    i < sizeof(head) ? (char *)&head + i : body + i - sizeof(head);

			if (r->req_prod - READ_ONCE(r->req_cons) < XENSTORE_RING_SIZE)
				r->req[MASK_XENSTORE_IDX(r->req_prod++)] = *s;
		}
		expect(send_event(si->store_evtchn), 0);
	}
	check(r->rsp_prod - r->rsp_cons <= XENSTORE_RING_SIZE);
}

void test_main(void)
{
	struct xenstore_domain_interface *r = store_ring();

	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	nonsense();
	shares();
	transactions();
	deaf();
	r->rsp_cons += 5000;
	expect(send_event(si->store_evtchn), 0);
	r->req_prod += 5000;
	expect(send_event(si->store_evtchn), 0);
	expect(r->error, XENSTORE_ERROR_RINGIDX);
	r->req_prod = r->req_cons;
	expect(send_event(si->store_evtchn), 0);
}
