// SPDX-License-Identifier: MIT
/*
 * lmbench-memory: files, mappings and faults, the rows of the paper's Table 5.
 *
 * Written to the published definitions of lmbench 3 (lat_fs, lat_mmap, lat_sig prot,
 * lat_pagefault). An operation is one file, one mapping made, touched and taken away, one
 * protection fault caught, one page read or written for the first time, one such page unmapped.
 * Files lie on tmpfs, where the paper had ext3: see README.md.
 */
#include "bench.h"
#include "files.h"
#include "mapped.h"
#include "signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>

#define PAGE	  4096
#define MAP_PAGES (MAPPED_SIZE / PAGE)

static volatile uint64_t faults_left;
static struct bench_time *fault_time;
static uint64_t fault_count;
static sigjmp_buf after_faults;

/* The write is tried again on return, and faults again; the last fault closes the section. */
static void on_fault(int number)
{
	(void)number;
	if (--faults_left > 0)
		return;
	bench_stop(fault_time, fault_count);
	siglongjmp(after_faults, 1);
}

/* The signal's own cost is subtracted: what remains is the fault. */
static void protection_fault(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	struct sigaction action = {.sa_handler = on_fault}, old;
	volatile char *where = mapped(PAGE, PROT_READ);
	struct bench_time caught = {0};

	(void)row;
	signals_time_catch(n, &caught);
	faults_left = n;
	fault_count = n;
	fault_time = t;
	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &old);
	if (sigsetjmp(after_faults, 1) == 0) {
		bench_start(t);
		*where = 1;
	}
	sigaction(SIGSEGV, &old, NULL);
	munmap((void *)where, PAGE);
	bench_subtract(t, &caught, n);
}

static uint32_t page_order[MAP_PAGES];

/* A fixed shuffle, so that no read-ahead or locality helps and every run does the same. */
static void shuffle_pages(const struct bench_row *row)
{
	uint64_t state = 1;

	mapped_begin(row);
	for (uint32_t i = 0; i < MAP_PAGES; i++)
		page_order[i] = i;
	for (uint32_t i = MAP_PAGES - 1; i > 0; i--) {
		uint32_t other, page = page_order[i];

		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		other = (uint32_t)(state >> 33) % (i + 1);
		page_order[i] = page_order[other];
		page_order[other] = page;
	}
}

/* A fresh mapping of the file, without any page in the page table. */
static char *map_untouched(int protection)
{
	char *where = mapped(MAPPED_SIZE, protection);

	if (msync(where, MAPPED_SIZE, MS_INVALIDATE) != 0)
		bench_fail("msync");
	return where;
}

static void unmap(char *where, struct bench_time *t)
{
	bench_start(t);
	munmap(where, MAPPED_SIZE);
	bench_stop(t, MAP_PAGES);
}

static void touch_pages(volatile char *where, bool write, struct bench_time *t)
{
	bench_start(t);
	for (size_t i = 0; i < MAP_PAGES; i++) {
		volatile char *byte = where + (size_t)page_order[i] * PAGE;

		if (write)
			*byte = 1;
		else
			(void)*byte;
	}
	bench_stop(t, MAP_PAGES);
}

/*
 * Every page of a fresh mapping is touched in shuffled order: t[0]. An operation is one page, which
 * is not always one fault: since 2014 Linux maps up to 16 cached pages at one read fault. Write
 * faults come one by one. t[1] takes the pages away again: unmapping, less unmapping untouched.
 */
static void page_fault(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	bool write = row->arg[0];
	int protection = write ? PROT_READ | PROT_WRITE : PROT_READ;
	struct bench_time untouched = {0};

	for (uint64_t i = 0; i < n; i++)
		unmap(map_untouched(protection), &untouched);
	for (uint64_t i = 0; i < n; i++) {
		char *where = map_untouched(protection);

		touch_pages(where, write, &t[0]);
		unmap(where, &t[1]);
	}
	bench_subtract(&t[1], &untouched, n * MAP_PAGES);
}

static const struct bench_row rows[] = {
    {{"create_0k", "delete_0k"}, 4000, 100, files_pass, files_begin, files_finish, {0}},
    {{"create_10k", "delete_10k"}, 4000, 100, files_pass, files_begin, files_finish, {10240}},
    {{"mmap"}, 300, 2, mapped_latency, mapped_begin, mapped_finish, {0}},
    {{"prot_fault"}, 10000, 100, protection_fault, mapped_begin, mapped_finish, {0}},
    {{"page_fault", "page_unmap"}, 30, 1, page_fault, shuffle_pages, mapped_finish, {0}},
    {{"write_fault"}, 12, 1, page_fault, shuffle_pages, mapped_finish, {1}},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
