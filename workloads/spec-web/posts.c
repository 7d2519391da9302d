// SPDX-License-Identifier: MIT
/*
 * posts.c: forms and the server's log of them. See posts.h.
 */
#include "posts.h"

#include "bench.h"
#include "server.h"

#include <errno.h>

#define POSTS_MAX 200000

static struct post {
	struct page page;
	unsigned int user;
	enum { UNSENT, SENT, ANSWERED, KEPT } state;
} posts[POSTS_MAX];
static unsigned int n_posts;

void posts_send(struct request *request)
{
	if (n_posts == POSTS_MAX) {
		errno = ENOSPC;
		bench_fail("keeping forms");
	}
	request->number = n_posts;
	posts[n_posts++] = (struct post){request->page, request->user, SENT};
}

void posts_answered(const struct request *request)
{
	posts[request->number].state = ANSWERED;
}

static void check_line(const char *line)
{
	char name[PAGE_NAME + 1], wanted[PAGE_NAME + 1];
	unsigned int number, user;
	struct post *post;

	if (sscanf(line, "%u %u %10s", &number, &user, name) != 3 || number >= n_posts)
		server_fail("kept a form that nobody sent");
	post = &posts[number];
	page_name(wanted, &post->page);
	if (post->state == KEPT)
		server_fail("kept form %u twice", number);
	if (user != post->user || strcmp(name, wanted) != 0)
		server_fail("kept form %u with other values", number);
	post->state = KEPT;
}

void posts_check(const char *log)
{
	FILE *file = fopen(log, "re");
	char line[128];

	if (!file)
		bench_fail(log);
	while (fgets(line, sizeof(line), file))
		check_line(line);
	fclose(file);
	for (unsigned int i = 0; i < n_posts; i++)
		if (posts[i].state == ANSWERED)
			server_fail("answered form %u, but did not keep it", i);
}
