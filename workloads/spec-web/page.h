/* SPDX-License-Identifier: MIT */
/*
 * page.h: what the web server's files and pages look like, known at both ends.
 *
 * The server's module and its CGI program make pages by it, the client checks them by it. A file's
 * name tells its size and content, so nobody has to read one to know what it holds.
 */
#ifndef WORKLOADS_SPEC_WEB_PAGE_H
#define WORKLOADS_SPEC_WEB_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PAGE_CLASSES  4
#define PAGE_FILES    9
#define PAGE_NAME     10 /* characters of a name */
#define PAGE_PERIOD   89 /* of a file's content: no power of two, all of it printable */
#define PAGE_AD_AT    512
#define PAGE_AD_SIZE  64
#define PAGE_ADS      360
#define PAGE_AD_BEGIN "<!-- ad "
#define PAGE_HEAD     "<html><head><title>Rexen</title></head><body><pre>\n"
#define PAGE_TAIL     "\n</pre></body></html>\n"
#define PAGE_SIZE_MAX (PAGE_FILES * 100 * 1024)

struct page {
	unsigned int directory, class, file;
};

/* dDDDD/cC_F, PAGE_NAME characters and a NUL. */
static inline void page_name(char name[PAGE_NAME + 1], const struct page *page)
{
	snprintf(name, PAGE_NAME + 1, "d%04u/c%u_%u", page->directory % 10000, page->class % 10,
		 page->file % 10);
}

static inline bool page_parse(const char *name, struct page *page)
{
	char again[PAGE_NAME + 1];

	if (sscanf(name, "d%4u/c%1u_%1u", &page->directory, &page->class, &page->file) != 3 ||
	    page->class >= PAGE_CLASSES || page->file >= PAGE_FILES)
		return false;
	page_name(again, page);
	return strncmp(name, again, PAGE_NAME) == 0;
}

/* 0.1 to 0.9 KB in class 0, ten times that in each class above. */
static inline size_t page_size(const struct page *page)
{
	static const size_t tenths[PAGE_CLASSES] = {1, 10, 100, 1000};

	return (page->file + 1) * tenths[page->class] * 1024 / 10;
}

static inline char page_byte(const struct page *page, size_t place)
{
	size_t shift = (page->directory * PAGE_CLASSES + page->class) * PAGE_FILES + page->file;

	return (char)('!' + (place + shift) % PAGE_PERIOD);
}

/* Files of two classes have a place where an advertisement can be put. */
static inline bool page_has_ad(const struct page *page)
{
	return page->class == 1 || page->class == 2;
}

/* The text at that place: an advertisement, or with PAGE_ADS the mark that none is there yet. */
static inline void page_ad(char text[PAGE_AD_SIZE + 1], unsigned int ad)
{
	snprintf(text, PAGE_AD_SIZE + 1, PAGE_AD_BEGIN "%03u --><img src=\"/ads/%03u.gif\">%25s",
		 ad % 1000, ad % 1000, "");
	text[PAGE_AD_SIZE - 1] = '\n';
}

/* Whom an advertisement is for, and what a user is like: some of six traits. */
static inline unsigned int page_traits(unsigned int of)
{
	of = of * 2654435761u + 12345;
	return of >> 13 & of >> 22 & 63;
}

/* The advertisement after `last` that suits the user; the next one if none does. */
static inline unsigned int page_next_ad(unsigned int user, unsigned int last)
{
	unsigned int traits = page_traits(user + PAGE_ADS);

	for (unsigned int i = 1; i <= PAGE_ADS; i++)
		if (page_traits((last + i) % PAGE_ADS) & traits)
			return (last + i) % PAGE_ADS;
	return (last + 1) % PAGE_ADS;
}

#endif
