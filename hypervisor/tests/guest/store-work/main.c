// SPDX-License-Identifier: MIT
/*
 * The most work that requests of the store can make: as many watches as fit, each of which is to be
 * told of as many changes as a transaction holds, paths as deep as they go in a tree that is full,
 * and the removal of all of it. However much it is, it is done piece by piece: a neighbour must not
 * be kept waiting, and every change is told in the end.
 */
#include "front.h"

#define MANY 1000

/* As many as fit: the string before `number`, and the bytes behind it, which begin with its NUL. */
static void fill(u32 type, const char *before, u32 before_len, u32 after)
{
	char body[64] = "";
	unsigned int n = 0;

	do {
		u32 len = before_len + (u32)format(body + before_len, 20, "%u", n);

		memcpy(body, before, before_len);
		if (store_request(type, 0, body, len + after) == XS_ERROR)
			break;
	} while (++n < MANY);
	check(n > 20 && n < MANY && strcmp(store_answer, "ENOSPC") == 0);
}

static void rounds_of_changes(void)
{
	for (unsigned int round = 0; round < 3; round++) {
		u32 tx = round + 1;
		char number[12];

		check(store_request(XS_TRANSACTION_START, 0, "", 1) == XS_TRANSACTION_START);
		format(number, sizeof(number), "%u", tx);
		check(strcmp(store_answer, number) == 0);
		for (unsigned int n = 0; n < MANY; n++)
			if (store_request(XS_WRITE, tx, "a\0x", 3) == XS_ERROR)
				break;
		check(strcmp(store_answer, "ENOSPC") == 0);
		check(store_request(XS_TRANSACTION_END, tx, "T", 2) == XS_TRANSACTION_END);
	}
	check(store_get("a") && strcmp(store_answer, "x") == 0);
}

static void deep_paths(void)
{
	char path[180];

	fill(XS_WRITE, "b/", 2, 1);
	for (unsigned int i = 0; i < sizeof(path) - 1; i++)
		path[i] = i % 2 ? '/' : 'd';
	path[sizeof(path) - 2] = 'd';
	path[sizeof(path) - 1] = '\0';
	for (unsigned int i = 0; i < 20; i++)
		store_put(path, "deep");
	check(store_request(XS_RM, 0, "b", 2) == XS_RM);
}

/* The last change is told like the first, to a watch that is left alone. */
static void all_are_told(void)
{
	struct xenstore_domain_interface *r = store_ring();

	check(store_request(XS_RESET_WATCHES, 0, "", 1) == XS_RESET_WATCHES);
	check(store_request(XS_WATCH, 0, "last\0token\0", 11) == XS_WATCH);
	check(store_request(XS_TRANSACTION_START, 0, "", 1) == XS_TRANSACTION_START);
	for (unsigned int n = 0; n < 100; n++)
		check(store_request(XS_WRITE, 4, "a\0x", 3) == XS_WRITE);
	check(store_request(XS_WRITE, 4, "last\0x", 6) == XS_WRITE);
	check(store_request(XS_TRANSACTION_END, 4, "T", 2) == XS_TRANSACTION_END);
	expect(r->rsp_prod - r->rsp_cons, sizeof(struct xsd_sockmsg) + 11);
}

void test_main(void)
{
	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	fill(XS_WATCH, "a", 2, 1); /* of one node, with as many tokens */
	rounds_of_changes();
	deep_paths();
	all_are_told();
}
