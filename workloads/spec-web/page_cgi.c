// SPDX-License-Identifier: MIT
/*
 * page_cgi.c: the CGI program: the page that the query names, between a head and a tail.
 */
#include "page.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void put(const char *text, size_t size)
{
	while (size > 0) {
		ssize_t done = write(STDOUT_FILENO, text, size);

		if (done <= 0)
			exit(1);
		text += done;
		size -= (size_t)done;
	}
}

int main(void)
{
	static char content[PAGE_SIZE_MAX], path[4096], head[128];
	const char *query = getenv("QUERY_STRING"), *top = getenv("DOCUMENT_ROOT");
	struct page page;
	ssize_t size;
	int fd;

	if (!query || !top || !page_parse(query, &page))
		return 1;
	snprintf(path, sizeof(path), "%s/%.*s", top, PAGE_NAME, query);
	fd = open(path, O_RDONLY);
	size = read(fd, content, sizeof(content));
	if (size < 0)
		return 1;
	snprintf(head, sizeof(head), "Content-Type: text/html\nContent-Length: %zu\n\n",
		 strlen(PAGE_HEAD) + (size_t)size + strlen(PAGE_TAIL));
	put(head, strlen(head));
	put(PAGE_HEAD, strlen(PAGE_HEAD));
	put(content, (size_t)size);
	put(PAGE_TAIL, strlen(PAGE_TAIL));
	return 0;
}
