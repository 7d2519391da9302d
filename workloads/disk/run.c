// SPDX-License-Identifier: MIT
/*
 * disk: requests to the data disk, past the page cache.
 *
 * Every sector of the area begins with its place and how often its block was written. Reads are
 * checked one by one, outside the timed sections; what a row has written is read back at its end.
 */
#include "bench.h"
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECTOR	  512
#define BLOCK	  4096
#define LARGE	  65536
#define BLOCKS	  (DISK_AREA / BLOCK)
#define DEPTH_MAX 8

enum how { SEQUENTIAL = 0, RANDOM = 1, WRITE = 2, SYNC = 4, BYTES = 8 };

static unsigned char buffer[DEPTH_MAX][LARGE] __attribute__((aligned(BLOCK)));
static uint32_t written[BLOCKS]; /* how often */
static int direct_fd, cached_fd;
static uint64_t place, lot;

static uint64_t tag(uint64_t at)
{
	return at << 24 | (written[at / BLOCK] & 0xffffff);
}

static void fill(unsigned char *data, uint64_t at, size_t size)
{
	for (size_t i = 0; i < size; i += BLOCK)
		written[(at + i) / BLOCK]++;
	for (size_t i = 0; i < size; i += SECTOR) {
		uint64_t value = tag(at + i);

		memcpy(data + i, &value, sizeof(value));
	}
}

static void check(const unsigned char *data, uint64_t at, size_t size)
{
	for (size_t i = 0; i < size; i += SECTOR) {
		uint64_t value = tag(at + i);

		if (memcmp(data + i, &value, sizeof(value)) != 0) {
			errno = EBADMSG;
			bench_fail("a sector holds what was not written there");
		}
	}
}

/* In order, or by a fixed lot; both begin anew with each row. */
static uint64_t next_place(bool random, size_t size)
{
	uint64_t at = place;

	place = (place + size) % DISK_AREA;
	if (!random)
		return at;
	lot = lot * 6364136223846793005ULL + 1442695040888963407ULL;
	return (lot >> 33) % (DISK_AREA / size) * size;
}

static void write_area(void)
{
	for (uint64_t at = 0; at < DISK_AREA; at += LARGE) {
		fill(buffer[0], at, LARGE);
		if (pwrite(direct_fd, buffer[0], LARGE, (off_t)at) != LARGE)
			bench_fail("writing the area");
	}
}

static void begin(const struct bench_row *row)
{
	(void)row;
	place = 0;
	lot = 1;
	direct_fd = disk_open(O_RDWR | O_DIRECT);
	cached_fd = disk_open(O_RDWR);
	if (written[0] == 0)
		write_area();
}

static void finish(const struct bench_row *row)
{
	for (uint64_t at = 0; row->arg[1] & WRITE && at < DISK_AREA; at += LARGE) {
		if (pread(direct_fd, buffer[0], LARGE, (off_t)at) != LARGE)
			bench_fail("reading back");
		check(buffer[0], at, LARGE);
	}
	close(direct_fd);
	close(cached_fd);
}

/* One request at a time, each in a timed section of its own. */
static void requests(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	size_t size = (size_t)row->arg[0];
	long how = row->arg[1];
	int fd = how & SYNC ? cached_fd : direct_fd;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t at = next_place(how & RANDOM, size);
		ssize_t done;

		if (how & WRITE)
			fill(buffer[0], at, size);
		bench_start(t);
		done = how & WRITE ? pwrite(fd, buffer[0], size, (off_t)at)
				   : pread(fd, buffer[0], size, (off_t)at);
		if (done == (ssize_t)size && how & SYNC && fdatasync(fd) != 0)
			bench_fail("fdatasync");
		bench_stop(t, how & BYTES ? size : 1);
		if (done != (ssize_t)size)
			bench_fail(how & WRITE ? "write" : "read");
		if (!(how & WRITE))
			check(buffer[0], at, size);
	}
}

static void submit(aio_context_t context, struct iocb *request, unsigned int slot)
{
	*request = (struct iocb){
	    .aio_data = slot,
	    .aio_lio_opcode = IOCB_CMD_PREAD,
	    .aio_fildes = (uint32_t)direct_fd,
	    .aio_buf = (uint64_t)(uintptr_t)buffer[slot],
	    .aio_nbytes = BLOCK,
	    .aio_offset = (int64_t)next_place(true, BLOCK),
	};
	if (syscall(SYS_io_submit, context, 1L, &request) != 1)
		bench_fail("io_submit");
}

/* Keeps so many random reads in flight; one that is done makes room for the next. */
static void queue(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	struct iocb requests[DEPTH_MAX];
	struct io_event events[DEPTH_MAX];
	unsigned int depth = (unsigned int)row->arg[0];
	aio_context_t context = 0;
	uint64_t begun = 0, done = 0;

	if (syscall(SYS_io_setup, depth, &context) != 0)
		bench_fail("io_setup");
	bench_start(t);
	for (; begun < depth && begun < n; begun++)
		submit(context, &requests[begun], (unsigned int)begun);
	while (done < n) {
		long got = syscall(SYS_io_getevents, context, 1L, (long)depth, events, NULL);

		if (got < 1)
			bench_fail("io_getevents");
		for (long i = 0; i < got; i++, done++) {
			unsigned int slot = (unsigned int)events[i].data;

			if (events[i].res != BLOCK) {
				errno = events[i].res < 0 ? (int)-events[i].res : EIO;
				bench_fail("a queued read");
			}
			check(buffer[slot], (uint64_t)requests[slot].aio_offset, BLOCK);
			if (begun < n) {
				submit(context, &requests[slot], slot);
				begun++;
			}
		}
	}
	bench_stop(t, n);
	syscall(SYS_io_destroy, context);
}

static const struct bench_row rows[] = {
    {{"read_sequential_4k"}, 200, 4, requests, begin, finish, {BLOCK, SEQUENTIAL}},
    {{"read_random_4k"}, 200, 4, requests, begin, finish, {BLOCK, RANDOM}},
    {{"write_sequential_4k"}, 200, 4, requests, begin, finish, {BLOCK, SEQUENTIAL | WRITE}},
    {{"write_random_4k"}, 200, 4, requests, begin, finish, {BLOCK, RANDOM | WRITE}},
    {{"write_sync"}, 100, 4, requests, begin, finish, {BLOCK, SEQUENTIAL | WRITE | SYNC}},
    {{"read_sequential_64k"}, 100, 4, requests, begin, finish, {LARGE, SEQUENTIAL | BYTES}},
    {{"read_random_64k"}, 100, 4, requests, begin, finish, {LARGE, RANDOM | BYTES}},
    {{"write_sequential_64k"}, 100, 4, requests, begin, finish, {LARGE, WRITE | BYTES}},
    {{"write_random_64k"}, 100, 4, requests, begin, finish, {LARGE, RANDOM | WRITE | BYTES}},
    {{"requests_1"}, 200, 4, queue, begin, finish, {1, RANDOM}},
    {{"requests_8"}, 800, 16, queue, begin, finish, {8, RANDOM}},
};

int main(int argc, char **argv)
{
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
