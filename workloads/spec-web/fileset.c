// SPDX-License-Identifier: MIT
/*
 * fileset.c: writes the files. See fileset.h.
 */
#include "fileset.h"

#include "bench.h"
#include "page.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char content[PAGE_SIZE_MAX + PAGE_PERIOD];

/* All files are the same pattern, from one of its places on. */
static const char *content_of(const struct page *page)
{
	static const struct page none;

	if (!content[0])
		for (size_t i = 0; i < sizeof(content); i++)
			content[i] = page_byte(&none, i);
	return content + (page_byte(page, 0) - '!');
}

static void make_file(const char *top, const struct page *page)
{
	char path[256], name[PAGE_NAME + 1], ad[PAGE_AD_SIZE + 1];
	ssize_t size = (ssize_t)page_size(page);
	int fd;

	page_name(name, page);
	snprintf(path, sizeof(path), "%s/%s", top, name);
	page_ad(ad, PAGE_ADS);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, content_of(page), (size_t)size) != size ||
	    (page_has_ad(page) && pwrite(fd, ad, PAGE_AD_SIZE, PAGE_AD_AT) != PAGE_AD_SIZE))
		bench_fail(path);
	close(fd);
}

void fileset_make(const char *top, unsigned int directories)
{
	char path[256];
	struct page page;

	if (mkdir(top, 0755) != 0)
		bench_fail(top);
	for (page.directory = 0; page.directory < directories; page.directory++) {
		snprintf(path, sizeof(path), "%s/d%04u", top, page.directory);
		if (mkdir(path, 0755) != 0)
			bench_fail(path);
		for (page.class = 0; page.class < PAGE_CLASSES; page.class ++)
			for (page.file = 0; page.file < PAGE_FILES; page.file++)
				make_file(top, &page);
	}
	sync();
}
