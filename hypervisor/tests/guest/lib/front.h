/* SPDX-License-Identifier: MIT */
/* For test guests: a client of the store, grants, and a plain block front end. */
#ifndef FRONT_H
#define FRONT_H

#include "guest.h"

#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#include <xen/io/xs_wire.h>

#define XVDB 51728

/* The ring of the store, at its place in the linear mapping. */
struct xenstore_domain_interface *store_ring(void);
long send_event(u32 port);

/*
 * One request and its answer, events skipped. Returns the answer's type and leaves its text in
 * store_answer (ended with NUL), its length in store_length.
 */
u32 store_request(u32 type, u32 tx, const void *body, u32 len);
extern char store_answer[4097];
extern u32 store_length;

/* READ, and WRITE of a text; false if the answer is an error. */
bool store_get(const char *path);
bool store_put(const char *path, const char *value);

/* Grants page to domain 0; ref 8 and up. */
void grant(u32 ref, const void *page, bool readonly);
struct grant_entry_v1 *grant_entry(u32 ref);

struct block {
	blkif_sring_t *sring;
	blkif_front_ring_t ring;
	u32 port;
	u64 sectors;
};

/* Brings device XVDB up. False if the back end does not connect. */
bool block_connect(struct block *b);

/* Puts a request of one segment (none for a flush) into the ring. Granted pages: see grant(). */
void block_put(struct block *b, u8 op, u64 sector, u32 ref, u8 first, u8 last);

/* Shows the back end what was put. */
void block_push(struct block *b);

/* Waits for an answer; returns its status. */
int block_wait(struct block *b);

/* All three for one request. */
int block_do(struct block *b, u8 op, u64 sector, u32 ref, u8 first, u8 last);

#endif
