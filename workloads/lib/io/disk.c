// SPDX-License-Identifier: MIT
/*
 * disk.c: opens the data disk, makes a file system on it. See disk.h.
 */
#include "disk.h"

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISK  "/dev/rexen/data"
#define WHERE "/mnt/data"
#define ROOT  "/mnt/root"
#define UUID  "2003a0c7-1900-4000-8000-000000000001"

static const char *disk_path(void)
{
	const char *path = getenv("REXEN_DATA");

	return path ? path : DISK;
}

int disk_open(int flags)
{
	int fd = open(disk_path(), flags | O_CLOEXEC);

	if (fd < 0)
		bench_fail(disk_path());
	if (lseek(fd, 0, SEEK_END) < DISK_AREA) {
		errno = ENOSPC;
		bench_fail("the data disk is smaller than 16 MiB");
	}
	return fd;
}

/*
 * mkfs.ext4 of the root image, by the image's own loader and libraries: there is none in the guest's
 * small root. What it would draw by lot, identity and hash seed, is fixed.
 */
static void make_ext4(void)
{
	char *argv[] = {
	    ROOT "/lib64/ld-linux-x86-64.so.2",
	    "--library-path",
	    ROOT "/usr/lib/x86_64-linux-gnu",
	    ROOT "/usr/sbin/mkfs.ext4",
	    "-q",
	    "-F",
	    "-U",
	    UUID,
	    "-E",
	    "nodiscard,lazy_itable_init=0,lazy_journal_init=0,hash_seed=" UUID,
	    DISK,
	    NULL,
	};
	int status;
	pid_t child = fork();

	if (child < 0)
		bench_fail("fork");
	if (child == 0) {
		int console = open("/dev/null", O_WRONLY);

		dup2(console, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (waitpid(child, &status, 0) != child || status != 0) {
		errno = EIO;
		bench_fail("mkfs.ext4 of the root image");
	}
}

const char *disk_mounted(void)
{
	static const char *where;

	if (where)
		return where;
	where = getenv("REXEN_DATA_DIR");
	if (where)
		return where;
	where = WHERE;
	make_ext4();
	if (mkdir(where, 0755) != 0 && errno != EEXIST)
		bench_fail(where);
	if (mount(DISK, where, "ext4", 0, NULL) != 0)
		bench_fail("mounting the data disk");
	return where;
}
