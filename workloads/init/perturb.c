// SPDX-License-Identifier: MIT
/*
 * perturb.c: moves a measurement to other places, by a seed.
 *
 * A number that repeats to the bit still depends on where things happen to lie: which cache line of
 * a hash chain, which page of a slab, which instruction the timer tick meets. A perturbed boot
 * shifts them, all from one seed, so that it repeats to the bit as well:
 *   - files in the root file system before the kernel is quiet: up to 1023 pages, in files of up to
 *     PAGES_PER_FILE, so that pages, inodes and names allocated later lie elsewhere;
 *   - an environment variable of up to 4095 bytes, which moves the stacks of all programs;
 *   - a spin to a seeded phase of the tick, right before the program starts.
 * The seeds' consequences come from splitmix64 (Steele, Lea, Flood 2014), one step each.
 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE		 4096
#define PAGES_MAX	 1024
#define PAGES_PER_FILE	 16
#define ENVIRONMENT_MAX	 4096
#define ENVIRONMENT_NAME "REXEN_PERTURB"
#define TICK_NS		 4000000 /* of the stock kernels; a longer tick is met elsewhere too */
#define DIRECTORY	 "/perturb"

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t mixed = *state += 0x9e3779b97f4a7c15ULL;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
	return mixed ^ mixed >> 31;
}

/* Reads a seed, a whole number from 1, and derives all from it; false if it is none. */
bool perturb_parse(const char *text, struct perturbation *p)
{
	uint64_t state;
	char *rest;

	if (*text < '1' || *text > '9')
		return false;
	errno = 0;
	p->seed = strtoull(text, &rest, 10);
	if (errno || *rest)
		return false;
	state = p->seed;
	p->pages = (uint32_t)(splitmix64(&state) % PAGES_MAX);
	p->phase_ns = (uint32_t)(splitmix64(&state) % TICK_NS);
	p->environment = (uint32_t)(splitmix64(&state) % ENVIRONMENT_MAX);
	return true;
}

static bool write_pages(uint32_t number, uint32_t pages)
{
	static char page[PAGE];
	char name[64];
	bool good;
	int fd;

	snprintf(name, sizeof(name), DIRECTORY "/%u", number);
	fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	good = fd >= 0;
	memset(page, 1, sizeof(page));
	for (; good && pages > 0; pages--)
		good = write(fd, page, sizeof(page)) == sizeof(page);
	if (fd >= 0)
		close(fd);
	return good;
}

/* Takes the memory and sets the environment; false, with errno, if the guest has no room. */
bool perturb_place(const struct perturbation *p)
{
	static char padding[ENVIRONMENT_MAX];
	uint32_t file = 0;

	if (mkdir(DIRECTORY, 0700) != 0)
		return false;
	for (uint32_t left = p->pages; left > 0; file++) {
		uint32_t pages = left < PAGES_PER_FILE ? left : PAGES_PER_FILE;

		if (!write_pages(file, pages))
			return false;
		left -= pages;
	}
	memset(padding, 'x', p->environment);
	return setenv(ENVIRONMENT_NAME, padding, 1) == 0;
}

/*
 * Spins until the clock stands at the phase within a tick. It does not sleep: a clock event that
 * only ticks would wake it at phase 0 whatever it asked for.
 */
void perturb_wait_phase(const struct perturbation *p)
{
	struct timespec now;
	uint64_t start, at;

	clock_gettime(CLOCK_MONOTONIC, &now);
	start = (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
	at = start - start % TICK_NS + p->phase_ns;
	if (at < start)
		at += TICK_NS;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec < at);
}

void perturb_print_fact(const struct perturbation *p)
{
	console_printf("@rexen fact perturb seed=%llu pages=%u phase_ns=%u environment=%u\n",
		       (unsigned long long)p->seed, p->pages, p->phase_ns, p->environment);
}
