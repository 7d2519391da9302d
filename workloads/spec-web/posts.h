/* SPDX-License-Identifier: MIT */
/*
 * posts.h: which forms were sent, which were answered, and whether the server kept them.
 */
#ifndef WORKLOADS_SPEC_WEB_POSTS_H
#define WORKLOADS_SPEC_WEB_POSTS_H

#include "draw.h"

/* Notes a form that is sent, and gives it its number. */
void posts_send(struct request *request);

void posts_answered(const struct request *request);

/*
 * Fails unless the log has every form that was answered, once, and none but those that were sent, and
 * each with its user and file.
 */
void posts_check(const char *log);

#endif
