// SPDX-License-Identifier: MIT
/*
 * The stock block front end on our back end, as /init: loads the module, waits for the devices,
 * checks that what was written is read again, that sizes and rights are as told, and times single
 * requests. Prints RESULT SUCCESS only if all held. Beside it in the archive: /xen-blkfront.ko.
 */
#define _GNU_SOURCE
#include "stock.h"

#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define BLOCK	4096
#define ROUNDS	50
#define PATTERN 64 /* blocks of a long transfer */

static uint64_t size_of(int fd)
{
	uint64_t bytes = 0;

	expect(ioctl(fd, BLKGETSIZE64, &bytes) == 0, "size");
	return bytes;
}

static void fill(uint8_t *at, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)(seed + i * 13 + i / 511);
}

static void *pages(size_t n)
{
	void *at = aligned_alloc(BLOCK, n);

	expect(at != NULL, "memory");
	return at;
}

static void transfer(int fd, uint64_t size)
{
	size_t n = PATTERN * BLOCK;
	off_t end = (off_t)(size - n);
	uint8_t *out = pages(n), *in = pages(n);

	fill(out, n, 1);
	expect(pwrite(fd, out, n, 0) == (ssize_t)n, "write at the start");
	expect(pread(fd, in, n, 0) == (ssize_t)n && memcmp(in, out, n) == 0, "read at the start");
	fill(out, n, 2);
	expect(pwrite(fd, out, n, end) == (ssize_t)n, "write at the end");
	expect(pread(fd, in, n, end) == (ssize_t)n && memcmp(in, out, n) == 0, "read at the end");
	expect(pread(fd, in, n, (off_t)size) == 0, "read beyond the end");
}

static void times(int fd)
{
	void *buffer = pages(BLOCK);
	uint64_t start = now();

	for (int i = 0; i < ROUNDS; i++)
		expect(pread(fd, buffer, BLOCK, (i * 37 % 97) * BLOCK) == BLOCK, "read");
	printf("read %lu ns\n", (now() - start) / ROUNDS);
	start = now();
	for (int i = 0; i < ROUNDS; i++)
		expect(pwrite(fd, buffer, BLOCK, (i * 37 % 97) * BLOCK) == BLOCK &&
			   fdatasync(fd) == 0,
		       "write");
	printf("write and sync %lu ns\n", (now() - start) / ROUNDS);
}

int main(void)
{
	int data, root, read_only = 0;
	char buffer[16] = "";

	begin();
	load_module("/xen-blkfront.ko");
	data = open_device("/dev/xvdb", O_RDWR | O_DIRECT);
	expect(data >= 0, "/dev/xvdb");
	if (data >= 0) {
		printf("data disk of %lu bytes\n", size_of(data));
		transfer(data, size_of(data));
		times(data);
	}
	if (strstr(command_line(), "rexen.root")) {
		root = open_device("/dev/xvda", O_RDONLY);
		expect(root >= 0 && read(root, buffer, 9) == 9, "/dev/xvda");
		printf("root disk of %lu bytes begins %s\n", size_of(root), buffer);
		expect(ioctl(root, BLKROGET, &read_only) == 0 && read_only == 1, "read-only");
	}
	return finish();
}
