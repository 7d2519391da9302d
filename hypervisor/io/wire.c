// SPDX-License-Identifier: MIT
/*
 * Messages of the store in its ring.
 *
 * The ring is the guest's to scribble on: of its indices only the difference to ours counts, and a
 * message is complete in memory of ours before it is looked at. A request is taken only when the
 * answer to the one before is out, so a guest that reads no answers has itself to blame; events
 * that find no room are lost with it. A guest that breaks the framing is no longer listened to, and
 * the ring's error field says why.
 */
#include <hv/wire.h>
#include <hv/printk.h>
#include <hv/string.h>

void wire_event(struct wire *w, const char *path, const char *token)
{
	u32 path_len = (u32)strlen(path) + 1, token_len = (u32)strlen(token) + 1;
	struct xsd_sockmsg head = {.type = XS_WATCH_EVENT, .len = path_len + token_len};
	u8 *to = w->events + w->events_len;

	if (sizeof(head) + head.len > EVENTS_MAX - w->events_len)
		return;
	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), path, path_len);
	memcpy(to + sizeof(head) + path_len, token, token_len);
	w->events_len += (u32)sizeof(head) + head.len;
}

void wire_answer(struct wire *w, const void *body, u32 len)
{
	w->answer->head = w->request->head;
	w->answer->head.len = len;
	memmove(w->answer->body, body, len);
	w->answered = true;
}

bool wire_flush(struct wire *w)
{
	u32 space = XENSTORE_RING_SIZE - (w->rsp_prod - READ_ONCE(w->ring->rsp_cons));

	if (w->broken || space > XENSTORE_RING_SIZE)
		return false;
	while (w->events_len || w->answered) {
		const u8 *from = w->events;
		u32 len = w->events_len;

		if (!w->sent)
			w->sending_events = !w->answered;
		if (!w->sending_events) {
			from = (const u8 *)w->answer;
			len = (u32)sizeof(w->answer->head) + w->answer->head.len;
		}
		for (; w->sent < len && space; space--)
			w->ring->rsp[MASK_XENSTORE_IDX(w->rsp_prod++)] = (char)from[w->sent++];
		WRITE_ONCE(w->ring->rsp_prod, w->rsp_prod);
		if (w->sent < len)
			return false;
		w->sent = 0;
		if (w->sending_events)
			w->events_len = 0;
		else
			w->answered = false;
	}
	return true;
}

/* Not more is consumed than was sent, not more sent than there is room for. */
static bool sane(const struct wire *w)
{
	u32 unread = w->rsp_prod - READ_ONCE(w->ring->rsp_cons);
	u32 available = READ_ONCE(w->ring->req_prod) - w->req_cons;

	return unread <= XENSTORE_RING_SIZE && available <= XENSTORE_RING_SIZE;
}

static bool give_up(struct wire *w, u16 domain, u32 why)
{
	print_warn("d%u: its store ring makes no sense (error %u): no longer served\n", domain,
		   why);
	w->broken = true;
	WRITE_ONCE(w->ring->error, why);
	return false;
}

/* Takes bytes of the request, up to `end` of them; what does not fit is taken and forgotten. */
static bool take_bytes(struct wire *w, u32 end, u32 *available)
{
	u8 *to = (u8 *)w->request;

	for (; w->received < end && *available; w->received++, --*available) {
		u8 byte = (u8)w->ring->req[MASK_XENSTORE_IDX(w->req_cons++)];

		if (w->received < sizeof(struct message))
			to[w->received] = byte;
	}
	WRITE_ONCE(w->ring->req_cons, w->req_cons);
	return w->received == end;
}

bool wire_check(struct wire *w, u16 domain)
{
	if (w->broken)
		return false;
	return sane(w) || give_up(w, domain, XENSTORE_ERROR_RINGIDX);
}

bool wire_receive(struct wire *w, u16 domain)
{
	u32 available = READ_ONCE(w->ring->req_prod) - w->req_cons;
	u32 head = sizeof(w->request->head);

	if (available > XENSTORE_RING_SIZE)
		return false; /* since wire_check(): the next one tells */
	if (w->received < head && !take_bytes(w, head, &available))
		return false;
	if (w->request->head.len > XENSTORE_PAYLOAD_MAX)
		return give_up(w, domain, XENSTORE_ERROR_PROTO);
	return take_bytes(w, head + w->request->head.len, &available);
}

bool wire_unread(const struct wire *w)
{
	return READ_ONCE(w->ring->rsp_cons) != w->rsp_prod;
}
