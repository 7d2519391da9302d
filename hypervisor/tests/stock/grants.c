// SPDX-License-Identifier: MIT
/*
 * The stock kernel's way to lend pages and to map those of others, as /init: with grants.lend=ID on
 * the command line it lends two pages to that domain and waits until one of them bears the answer;
 * with grants.map=ID it maps what that domain lent, checks it and answers. Prints RESULT SUCCESS
 * only if all held. Beside it in the archive: /xen-gntalloc.ko, /xen-gntdev.ko.
 */
#define _GNU_SOURCE
#include "stock.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <xen/sys/gntalloc.h>
#include <xen/sys/gntdev.h>

#define PAGE	4096
#define WORDS	(PAGE / sizeof(uint64_t))
#define MAGIC	0x67726e7400000000ull
#define ANSWER	0x616e737765720000ull
#define LAST_REF 1024

static int open_module(const char *module, const char *device)
{
	int fd;

	load_module(module);
	fd = open(device, O_RDWR);
	expect(fd >= 0, device);
	return fd;
}

static void lend(uint16_t to)
{
	union {
		struct ioctl_gntalloc_alloc_gref op;
		uint32_t space[8];
	} u = {.op = {.domid = to, .flags = GNTALLOC_FLAG_WRITABLE, .count = 2}};
	int fd = open_module("/xen-gntalloc.ko", "/dev/xen/gntalloc");
	volatile uint64_t *p;

	expect(ioctl(fd, IOCTL_GNTALLOC_ALLOC_GREF, &u.op) == 0, "pages to lend");
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)u.op.index);
	if (p == MAP_FAILED) {
		expect(0, "mapping of what is lent");
		return;
	}
	for (unsigned int i = 1; i < 2 * WORDS; i++)
		p[i] = MAGIC + i;
	__atomic_store_n(&p[0], MAGIC, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 5000 && p[WORDS] != ANSWER; i++)
		usleep(1000);
	expect(p[WORDS] == ANSWER, "an answer");
	expect(p[0] == MAGIC && p[WORDS + 1] == MAGIC + WORDS + 1, "nothing else is changed");
}

/* One page by its reference; NULL if it is not for us. */
static volatile uint64_t *map(int fd, uint16_t from, uint32_t ref, int rights)
{
	struct ioctl_gntdev_map_grant_ref op = {.count = 1, .refs = {{.domid = from, .ref = ref}}};
	struct ioctl_gntdev_unmap_grant_ref undo = {.count = 1};
	void *p;

	expect(ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &op) == 0, "a place");
	p = mmap(NULL, PAGE, rights, MAP_SHARED, fd, (off_t)op.index);
	if (p != MAP_FAILED)
		return p;
	undo.index = op.index;
	expect(ioctl(fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &undo) == 0, "giving the place back");
	return NULL;
}

/* The reference of the page that begins with `first`; 0 if there is none yet. */
static uint32_t find(int fd, uint16_t from, uint64_t first)
{
	for (uint32_t ref = 8; ref < LAST_REF; ref++) {
		volatile uint64_t *p = map(fd, from, ref, PROT_READ);
		uint64_t word = p ? p[0] : 0;

		if (p)
			expect(munmap((void *)p, PAGE) == 0, "munmap");
		if (word == first)
			return ref;
	}
	return 0;
}

static uint32_t wait_for(int fd, uint16_t from, uint64_t first)
{
	uint32_t ref = 0;

	for (int i = 0; i < 200 && !ref; i++) {
		usleep(10000);
		ref = find(fd, from, first);
	}
	expect(ref != 0, "a page of the other's");
	return ref;
}

static void use(uint16_t from)
{
	int fd = open_module("/xen-gntdev.ko", "/dev/xen/gntdev");
	uint32_t ref[2] = {wait_for(fd, from, MAGIC), wait_for(fd, from, MAGIC + WORDS)};
	volatile uint64_t *a = map(fd, from, ref[0], PROT_READ);
	volatile uint64_t *b = map(fd, from, ref[1], PROT_READ | PROT_WRITE);

	expect(a && b, "both pages at once");
	for (unsigned int i = 0; a && b && i < WORDS; i++)
		if (a[i] != MAGIC + i || b[i] != MAGIC + WORDS + i) {
			expect(0, "what was lent");
			return;
		}
	if (b)
		b[0] = ANSWER;
	expect(a && munmap((void *)a, PAGE) == 0, "munmap");
	/* b is left to the end of the process, here to that of the domain */
}

/* The number after a word of the kernel's command line; 0 if it is not there. */
static uint16_t option(const char *word)
{
	const char *at = strstr(command_line(), word);

	return at ? (uint16_t)atoi(at + strlen(word)) : 0;
}

int main(void)
{
	uint16_t to, from;

	begin();
	to = option("grants.lend=");
	from = option("grants.map=");
	if (to)
		lend(to);
	if (from)
		use(from);
	expect(to || from, "something to do");
	return finish();
}
