/* SPDX-License-Identifier: MIT */
/* Messages of the store: requests from a guest's ring, answers and events into it. */
#ifndef HV_WIRE_H
#define HV_WIRE_H

#include <hv/public.h>
#include <hv/types.h>
#include <xen/io/xs_wire.h>

#define BODY_MAX   2016 /* of a request or an answer; what is longer is not kept */
#define EVENTS_MAX 3072

struct message {
	struct xsd_sockmsg head;
	char body[BODY_MAX];
};

static_assert(2 * sizeof(struct message) <= PAGE_SIZE, "request and answer fit a page");

struct wire {
	struct xenstore_domain_interface *ring;
	u32 port;
	u32 req_cons, rsp_prod;
	bool broken;
	u32 received; /* bytes of the request; the user sets it to 0 when it has been dealt with */
	struct message *request, *answer;
	bool answered; /* the answer is not all in the ring yet */
	u32 sent;      /* bytes of what is being sent: the answer, or else the events */
	bool sending_events;
	u32 events_len;
	u8 events[EVENTS_MAX];
};

/* Has an answer sent, with the head of the request; body may lie in w->answer. */
void wire_answer(struct wire *w, const void *body, u32 len);

/* Has an event of a watch sent. */
void wire_event(struct wire *w, const char *path, const char *token);

/* False if the guest broke the rules of the ring, now or before; said once on the console. */
__must_check bool wire_check(struct wire *w, u16 domain);

/* Moves what is to be sent into the ring, as far as there is room; true if it was all. */
bool wire_flush(struct wire *w);

/* True if a whole request has come. */
__must_check bool wire_receive(struct wire *w, u16 domain);

/* True if there is something that the guest has not taken yet. */
bool wire_unread(const struct wire *w);

#endif
