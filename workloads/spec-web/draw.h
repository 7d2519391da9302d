/* SPDX-License-Identifier: MIT */
/*
 * draw.h: what a simulated client asks for, one request after another, from a seed of its own.
 */
#ifndef WORKLOADS_SPEC_WEB_DRAW_H
#define WORKLOADS_SPEC_WEB_DRAW_H

#include "page.h"

#include <stdint.h>

enum request_kind { STATIC_GET, PAGE_GET, CGI_GET, AD_GET, POST };

struct request {
	enum request_kind kind;
	struct page page;
	size_t from;	       /* of the file, the first byte asked for */
	unsigned int user, ad; /* of the cookie: who, and the advertisement seen last */
	unsigned int number;   /* of a POST, counted over all clients */
	bool last;	       /* on this connection */
};

struct draw {
	uint64_t state;
	unsigned int left;	/* requests on this connection */
	unsigned int user, ad;
};

/* Directories that requests go to. Before all others. */
void draw_begin(unsigned int directories);

void draw_seed(struct draw *draw, unsigned int seed);

/* The next request; all but `number` is filled in. */
void draw_next(struct draw *draw, struct request *request);

/*
 * The first one: a client is met in the middle of its life, so its file is drawn by the time that it
 * takes, and begins where the client would have been.
 */
void draw_first(struct draw *draw, struct request *request);

#endif
