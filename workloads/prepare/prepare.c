// SPDX-License-Identifier: MIT
/*
 * prepare.c: what runs before init where a workload needs devices: the same view on every system.
 *
 * It is /prepare, in an archive that only such boots have, and ends by becoming /init. Words of the
 * kernel command line say what there is, in the names of this kernel:
 *   rexen.modules=NAME,...   loaded in this order from /modules
 *   rexen.root=DEVICE        becomes /dev/rexen/root, mounted read-only on /mnt/root
 *   rexen.data=DEVICE        becomes /dev/rexen/data
 *   rexen.disk=MIB,NS,MIB/S  every sector of the data disk is written here, and a DEVICE named
 *                            nullb... is made here, with this speed
 *   rexen.files=TYPE         a file system on the data disk, mounted on /mnt/data
 *   rexen.net=LEFT,RIGHT     become net0 and net1, in the namespaces left and right
 * In a first level, where rexen.host= is on the line, it obeys rexen.host.modules= and so on, and
 * stops short of what is the guest's: no mount, no namespaces. The guest then gets no rexen.disk=:
 * the disk is filled where it is.
 * What does not come within DEADLINE_NS ends the boot.
 */
#include "prepare.h"
#include "../init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_SIZE 4096

static bool first_level;

void fail(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (first_level)
		console_printf("@rexen host fail %s\n", text);
	else
		console_printf("@rexen begin 1 -\n@rexen fail - %s\n@rexen end %d 0\n", text,
			       STATUS_NO_EXEC);
	console_drain();
	guest_power_off();
}

bool wait_more(uint64_t deadline_ns)
{
	struct timespec pause = {.tv_nsec = 1000000};

	nanosleep(&pause, NULL);
	return guest_boottime_ns() < deadline_ns;
}

bool write_file(const char *path, const char *format, ...)
{
	char text[256];
	va_list args;
	int fd, length;
	bool good;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, text, (size_t)length) == length;
	if (fd >= 0)
		close(fd);
	return good;
}

/* Copies the value of the word `key=value` of the command line; false if it is not there. */
static bool word(const char *key, char value[LINE_MAX_SIZE])
{
	static char line[LINE_MAX_SIZE];
	size_t length = strlen(key);
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (fd >= 0)
		close(fd);
	line[got > 0 ? got : 0] = '\0';
	for (char *at = strtok(line, " \n"); at; at = strtok(NULL, " \n")) {
		if (strncmp(at, key, length) == 0 && at[length] == '=') {
			snprintf(value, LINE_MAX_SIZE, "%s", at + length + 1);
			return true;
		}
	}
	return false;
}

/* The word of this level: rexen.<name>= or rexen.host.<name>=. */
static bool level_word(const char *name, char value[LINE_MAX_SIZE])
{
	char key[64];

	snprintf(key, sizeof(key), "rexen.%s%s", first_level ? "host." : "", name);
	return word(key, value);
}

static void load_modules(char *names)
{
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		char path[256];
		int fd;

		snprintf(path, sizeof(path), "/modules/%s.ko", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fail("no module %s in the initrd", name);
		/* null_blk would make disks of its own by default. */
		if (syscall(SYS_finit_module, fd, strcmp(name, "null_blk") ? "" : "nr_devices=0",
			    0) != 0 &&
		    errno != EEXIST)
			fail("module %s cannot be loaded: %s", name, strerror(errno));
		close(fd);
	}
}

static void prepare_root(const char *name)
{
	disk_name(name, "root");
	if (!first_level)
		disk_mount_root();
}

static void prepare_data(const char *name)
{
	bool made_here = strncmp(name, "nullb", 5) == 0;
	char text[LINE_MAX_SIZE];
	struct disk disk;
	bool lowest = level_word("disk", text);

	if (lowest)
		disk_parse(text, &disk);
	else if (made_here)
		fail("data=%s without disk=", name);
	if (made_here)
		disk_make_null(name, &disk);
	disk_name(name, "data");
	if (lowest)
		disk_fill("data");
}

static void prepare_net(char *names)
{
	char *comma = strchr(names, ',');

	if (!comma)
		fail("bad net=%s: want two names", names);
	*comma = '\0';
	net_name(names, comma + 1);
	if (!first_level)
		net_settle();
}

int main(void)
{
	char *const argv[] = {"/init", NULL};
	static char text[LINE_MAX_SIZE];

	guest_mount();
	mkdir("/dev/rexen", 0755);
	mkdir("/mnt", 0755);
	first_level = word("rexen.host", text);
	if (level_word("modules", text))
		load_modules(text);
	if (level_word("root", text))
		prepare_root(text);
	if (level_word("data", text))
		prepare_data(text);
	if (!first_level && word("rexen.files", text))
		files_make(text);
	if (level_word("net", text))
		prepare_net(text);
	sync();
	/* init mounts anew. What is made in a devtmpfs stays, and where it is mounted it is refused. */
	umount2("/dev", MNT_DETACH);
	umount2("/tmp", MNT_DETACH);
	umount2("/sys", MNT_DETACH);
	umount2("/proc", MNT_DETACH);
	execv(argv[0], argv);
	fail("cannot start %s: %s", argv[0], strerror(errno));
}
