// SPDX-License-Identifier: MIT
/*
 * answer.c: requests of HTTP/1.1 and what answers them. See answer.h.
 */
#include "answer.h"

#include <stdlib.h>

#define STRIDE 1024 /* how far apart content is checked */

size_t answer_ask(const struct request *request, char text[ANSWER_REQUEST_MAX])
{
	static const char *const targets[] = {
	    [STATIC_GET] = "GET /",	[PAGE_GET] = "GET /page?", [CGI_GET] = "GET /cgi?",
	    [AD_GET] = "GET /ad?", [POST] = "POST /post",
	};
	char name[PAGE_NAME + 1], form[128] = "", more[128] = "";

	page_name(name, &request->page);
	if (request->kind == POST) {
		snprintf(form, sizeof(form), "number=%u&user=%u&file=%s", request->number,
			 request->user, name);
		snprintf(more, sizeof(more), "Content-Length: %zu\r\n", strlen(form));
		*name = '\0';
	}
	if (request->from > 0)
		snprintf(more, sizeof(more), "Range: bytes=%zu-\r\n", request->from);
	if (request->kind == AD_GET)
		snprintf(more, sizeof(more), "Cookie: user=%u&last=%u\r\n", request->user,
			 request->ad);
	return (size_t)snprintf(text, ANSWER_REQUEST_MAX,
				"%s%s HTTP/1.1\r\nHost: rexen\r\nConnection: %s\r\n%s\r\n%s",
				targets[request->kind], name,
				request->last ? "close" : "keep-alive", more, form);
}

static size_t head_size(const struct request *request)
{
	return request->kind == STATIC_GET ? 0 : strlen(PAGE_HEAD);
}

size_t answer_size(const struct request *request)
{
	size_t around = request->kind == STATIC_GET ? 0 : strlen(PAGE_HEAD) + strlen(PAGE_TAIL);

	return page_size(&request->page) - request->from + around;
}

const char *answer_head_fault(const struct request *request, const char *head)
{
	const char *status = request->from > 0 ? "HTTP/1.1 206 " : "HTTP/1.1 200 ";
	const char *length = strcasestr(head, "\r\nContent-Length: ");
	const char *cookie = strcasestr(head, "\r\nSet-Cookie: ad=");

	if (strncmp(head, status, strlen(status)) != 0)
		return "another status than asked for";
	if (!length || strtoull(length + strlen("\r\nContent-Length: "), NULL, 10) !=
			   answer_size(request))
		return "another length than the page's";
	if (request->kind == AD_GET &&
	    (!cookie || strtoull(cookie + strlen("\r\nSet-Cookie: ad="), NULL, 10) !=
			    page_next_ad(request->user, request->ad)))
		return "another advertisement than the user's";
	return NULL;
}

/* The byte at a place of the file, whose text at the advertisement's place is `ad`. */
static char file_byte(const struct request *request, size_t place, const char *ad)
{
	if (page_has_ad(&request->page) && place - PAGE_AD_AT < PAGE_AD_SIZE)
		return ad[place - PAGE_AD_AT];
	return page_byte(&request->page, place);
}

static char right_byte(const struct request *request, size_t place, const char *ad)
{
	size_t head = head_size(request), size = page_size(&request->page);

	if (place < head)
		return PAGE_HEAD[place];
	place = place - head + request->from;
	return place < size ? file_byte(request, place, ad) : PAGE_TAIL[place - size];
}

bool answer_is_right(const struct request *request, const char *part, size_t place, size_t size)
{
	size_t ad_at = head_size(request) + PAGE_AD_AT;
	char ad[PAGE_AD_SIZE + 1];

	page_ad(ad, request->kind == AD_GET ? page_next_ad(request->user, request->ad) : PAGE_ADS);
	for (size_t i = 0; i < size; i += STRIDE)
		if (part[i] != right_byte(request, place + i, ad))
			return false;
	for (size_t at = ad_at; request->kind == AD_GET && at < ad_at + PAGE_AD_SIZE; at++)
		if (at - place < size && part[at - place] != right_byte(request, at, ad))
			return false;
	return part[size - 1] == right_byte(request, place + size - 1, ad);
}
