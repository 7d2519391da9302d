// SPDX-License-Identifier: MIT
/*
 * draw.c: requests by the published shares of SPECweb99. See draw.h.
 */
#include "draw.h"

#define DIRECTORIES_MAX 1024
#define USERS		10000
/* Of 10 000 connections so many are kept, for ten requests on average: 70 % of all requests. */
#define KEPT	 1892
#define KEPT_MIN 5
#define KEPT_MAX 15

static const unsigned int classes[PAGE_CLASSES] = {35, 50, 14, 1};
static const unsigned int files[PAGE_FILES] = {39, 59, 88, 177, 353, 118, 71, 50, 45};
static const unsigned int kinds[] = {
    [STATIC_GET] = 7000, [PAGE_GET] = 1245, [CGI_GET] = 15, [AD_GET] = 1260, [POST] = 480,
};

static unsigned int zipf[DIRECTORIES_MAX];
static unsigned int n_directories;

/* Directory i is asked for with a weight of 1/(i + 1). */
void draw_begin(unsigned int directories)
{
	n_directories = directories < DIRECTORIES_MAX ? directories : DIRECTORIES_MAX;
	for (unsigned int i = 0; i < n_directories; i++)
		zipf[i] = 1000000 / (i + 1);
}

/* splitmix64 */
static unsigned int random_below(struct draw *draw, unsigned int limit)
{
	uint64_t z = draw->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (unsigned int)((z >> 32) * limit >> 32);
}

static unsigned int choose(struct draw *draw, const unsigned int *weights, unsigned int n)
{
	unsigned int sum = 0, at;

	for (unsigned int i = 0; i < n; i++)
		sum += weights[i];
	at = random_below(draw, sum);
	for (unsigned int i = 0; i < n - 1; i++) {
		if (at < weights[i])
			return i;
		at -= weights[i];
	}
	return n - 1;
}

static void draw_page(struct draw *draw, struct page *page)
{
	page->class = choose(draw, classes, PAGE_CLASSES);
	page->file = choose(draw, files, PAGE_FILES);
	page->directory = choose(draw, zipf, n_directories);
}

static void draw_connection(struct draw *draw)
{
	bool kept = random_below(draw, 10000) < KEPT;

	draw->left = kept ? KEPT_MIN + random_below(draw, KEPT_MAX - KEPT_MIN + 1) : 1;
}

void draw_seed(struct draw *draw, unsigned int seed)
{
	*draw = (struct draw){.state = seed * 0x2545f4914f6cdd1dULL};
	draw->user = random_below(draw, USERS);
	draw->ad = random_below(draw, PAGE_ADS);
}

void draw_next(struct draw *draw, struct request *request)
{
	if (draw->left == 0)
		draw_connection(draw);
	*request = (struct request){.user = draw->user, .ad = draw->ad};
	request->kind = choose(draw, kinds, sizeof(kinds) / sizeof(kinds[0]));
	draw_page(draw, &request->page);
	request->last = --draw->left == 0;
	if (request->kind == AD_GET)
		draw->ad = page_next_ad(draw->user, draw->ad);
}

void draw_first(struct draw *draw, struct request *request)
{
	size_t size;

	do {
		draw_page(draw, &request->page);
		size = page_size(&request->page);
	} while (random_below(draw, PAGE_SIZE_MAX) >= size);
	draw_connection(draw);
	request->kind = STATIC_GET;
	request->from = random_below(draw, (unsigned int)size);
	request->user = draw->user;
	request->ad = draw->ad;
	request->last = --draw->left == 0;
}
