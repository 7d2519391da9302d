// SPDX-License-Identifier: MIT
/*
 * disk.c: root image and data disk under the names that all systems share.
 *
 * A data disk is filled before anything is measured: a disk whose sectors get their memory at the
 * first write would be slower once, and only on some systems.
 */
#include "prepare.h"
#include "../init/init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG "/sys/kernel/config"
#define CHUNK  (256 * 1024)

void disk_parse(const char *text, struct disk *disk)
{
	char rest;

	if (sscanf(text, "%lu,%lu,%lu%c", &disk->mib, &disk->latency_ns, &disk->rate_mib_s,
		   &rest) != 3 ||
	    disk->mib == 0)
		fail("bad disk=%s: want MiB,ns,MiB/s", text);
}

static void set_null(const char *name, const char *key, unsigned long value)
{
	char path[256];

	snprintf(path, sizeof(path), CONFIG "/nullb/%s/%s", name, key);
	if (!write_file(path, "%lu", value))
		fail("null_blk takes no %s=%lu: %s", key, value, strerror(errno));
}

/* A disk in RAM with the latency of a timer (irqmode 2) and one queue, as a disk of 2003 has. */
void disk_make_null(const char *name, const struct disk *disk)
{
	char path[256];

	if (mount("config", CONFIG, "configfs", 0, NULL) != 0 && errno != EBUSY)
		fail("no configfs for null_blk: %s", strerror(errno));
	snprintf(path, sizeof(path), CONFIG "/nullb/%s", name);
	if (mkdir(path, 0755) != 0)
		fail("null_blk makes no %s: %s", name, strerror(errno));
	set_null(name, "size", disk->mib);
	set_null(name, "memory_backed", 1);
	set_null(name, "irqmode", 2);
	set_null(name, "completion_nsec", disk->latency_ns);
	set_null(name, "mbps", disk->rate_mib_s);
	set_null(name, "power", 1);
	umount2(CONFIG, MNT_DETACH);
}

/* The names below a directory, for a message. */
static const char *names_in(const char *path)
{
	static char text[256];
	struct dirent *entry;
	DIR *dir = opendir(path);
	size_t used = 0;

	text[0] = '\0';
	while (dir && (entry = readdir(dir)) != NULL && used < sizeof(text))
		if (entry->d_name[0] != '.')
			used += (size_t)snprintf(text + used, sizeof(text) - used, " %s",
						 entry->d_name);
	if (dir)
		closedir(dir);
	return used ? text : " none";
}

/* Waits for the device; makes /dev/rexen/<role> a link to it. */
void disk_name(const char *name, const char *role)
{
	uint64_t deadline = guest_boottime_ns() + DEADLINE_NS;
	char device[64], place[64];
	struct stat info;

	snprintf(device, sizeof(device), "/dev/%s", name);
	snprintf(place, sizeof(place), "/dev/rexen/%s", role);
	while (stat(device, &info) != 0 || !S_ISBLK(info.st_mode))
		if (!wait_more(deadline))
			fail("no disk '%s' (%s) came; block devices:%s", role, name,
			     names_in("/sys/block"));
	if (symlink(device, place) != 0)
		fail("%s: %s", place, strerror(errno));
}

void disk_fill(const char *role)
{
	static unsigned char chunk[CHUNK] __attribute__((aligned(4096)));
	char place[64];
	uint64_t size = 0;
	int fd;

	snprintf(place, sizeof(place), "/dev/rexen/%s", role);
	fd = open(place, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) != 0)
		fail("disk '%s' cannot be opened: %s", role, strerror(errno));
	for (size_t i = 0; i < sizeof(chunk); i++)
		chunk[i] = (unsigned char)(i * 37 + 11);
	for (uint64_t at = 0; at < size;) {
		size_t want = size - at < sizeof(chunk) ? (size_t)(size - at) : sizeof(chunk);
		ssize_t put = pwrite(fd, chunk, want, (off_t)at);

		if (put <= 0)
			fail("disk '%s' refuses a write at byte %llu: %s", role,
			     (unsigned long long)at, strerror(errno));
		at += (uint64_t)put;
	}
	if (fsync(fd) != 0)
		fail("disk '%s' refuses a flush: %s", role, strerror(errno));
	close(fd);
}

void disk_mount_root(void)
{
	mkdir(ROOT_PLACE, 0755);
	if (mount("/dev/rexen/root", ROOT_PLACE, "erofs", MS_RDONLY, NULL) != 0)
		fail("the root image cannot be mounted: %s", strerror(errno));
}
