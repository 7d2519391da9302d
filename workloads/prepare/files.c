// SPDX-License-Identifier: MIT
/*
 * files.c: a file system on the data disk, made anew at each boot by the root image's mkfs.
 *
 * Nothing is left to be done in the background while something measures: inode tables and journal
 * are written now. What mkfs would draw by lot or take from the disk's size is fixed.
 */
#include "prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISK	  "/dev/rexen/data"
#define DIRECTORY "/mnt/data"
#define UUID	  "2003a0c7-1900-4000-8000-000000000001"

/*
 * Becomes mkfs with the root image for its root, for it is linked with libraries of that. The mounts
 * are this process' own, so they end with it.
 */
static void become_mkfs(const char *type, int output)
{
	static char program[64];
	char *const argv[] = {
	    program,
	    "-q",
	    "-F",
	    "-b",
	    "4096",
	    "-i",
	    "16384",
	    "-J",
	    "size=16",
	    "-U",
	    UUID,
	    "-E",
	    "nodiscard,lazy_itable_init=0,lazy_journal_init=0,hash_seed=" UUID,
	    DISK,
	    NULL,
	};

	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	snprintf(program, sizeof(program), "/usr/sbin/mkfs.%s", type);
	if (unshare(CLONE_NEWNS) == 0 &&
	    mount("/dev", ROOT_PLACE "/dev", NULL, MS_BIND, NULL) == 0 && chroot(ROOT_PLACE) == 0 &&
	    chdir("/") == 0)
		execv(program, argv);
	dprintf(STDERR_FILENO, "%s: %s", program, strerror(errno));
	_exit(127);
}

/* Reads to the end of what the child says; returns the last line of it. */
static const char *last_line(int from)
{
	static char text[512];
	size_t used = 0;
	ssize_t got;
	char *line;

	while ((got = read(from, text + used, sizeof(text) - 1 - used)) > 0) {
		used += (size_t)got;
		if (used == sizeof(text) - 1)
			used = 0;
	}
	while (used > 0 && text[used - 1] == '\n')
		used--;
	text[used] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

void files_make(const char *type)
{
	const char *said;
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0)
		fail("mkfs.%s cannot be started: %s", type, strerror(errno));
	if (child == 0)
		become_mkfs(type, ends[1]);
	close(ends[1]);
	said = last_line(ends[0]);
	close(ends[0]);
	if (waitpid(child, &status, 0) != child || status != 0)
		fail("mkfs.%s of the root image failed (status 0x%x): %s", type, (unsigned)status,
		     *said ? said : "it says nothing");
	mkdir(DIRECTORY, 0755);
	if (mount(DISK, DIRECTORY, type, 0, NULL) != 0)
		fail("the %s on the data disk cannot be mounted: %s", type, strerror(errno));
}
