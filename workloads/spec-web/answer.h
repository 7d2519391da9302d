/* SPDX-License-Identifier: MIT */
/*
 * answer.h: requests as text, and answers held against what they must be.
 */
#ifndef WORKLOADS_SPEC_WEB_ANSWER_H
#define WORKLOADS_SPEC_WEB_ANSWER_H

#include "draw.h"

#define ANSWER_REQUEST_MAX 512

/* Writes the request; returns its length. */
size_t answer_ask(const struct request *request, char text[ANSWER_REQUEST_MAX]);

/* Bytes of the right answer's body. */
size_t answer_size(const struct request *request);

/* What is wrong with an answer's head (a string), or NULL. */
const char *answer_head_fault(const struct request *request, const char *head);

/* Is this part of the body, `size` > 0 bytes from `place`, right? Checked in places. */
bool answer_is_right(const struct request *request, const char *part, size_t place, size_t size);

#endif
