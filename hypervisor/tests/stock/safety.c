// SPDX-License-Identifier: MIT
/*
 * Data safety on ext4, as /init of a stock kernel. Words of its command line say what to do:
 *   safety.write=NS      makes the file system, writes records, and crashes the kernel after NS
 *   safety.read=NS       waits so long, mounts what the writer left, says what of it is there
 *   safety.both=NS,...   for each NS: writes, shuts the file system down after NS as if the power
 *                        went, mounts it again, says what is there
 *   safety.nosync        the writer says "acknowledged" without syncing, so there must be losses
 *
 * A record has its number and a checksum, and a length of up to some pages. Each is appended to
 * /data/log; every fourth replaces /data/state as well, by rename. After its fsync the writer says
 * "acknowledged N" or "renamed N". The reader says "found N", the last of an unbroken sequence of
 * whole records, "state N", and how e2fsck ended.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DATA		"/data"
#define LOG		DATA "/log"
#define STATE		DATA "/state"
#define SHUTDOWN	_IOR('X', 125, uint32_t) /* EXT4_IOC_SHUTDOWN, of no user header */
#define NO_FLUSH	2			 /* EXT4_GOING_FLAGS_NOLOGFLUSH */
#define WORDS		1500			 /* of the longest record */
#define SYSLOG_READ_ALL 3

struct record {
	uint64_t number, nr_words, sum;
	uint64_t word[WORDS];
};

static const char *disk; /* what the kernel calls it */

static void fail(const char *what)
{
	printf("failed: %s (%s)\nRESULT FAILURE\n", what, strerror(errno));
	fflush(stdout);
	reboot(RB_POWER_OFF);
}

/* The value of a word of the command line, "" for one without; NULL if it is not there. */
static const char *word(const char *key)
{
	static char line[2048];
	size_t length = strlen(key);
	int fd = open("/proc/cmdline", O_RDONLY);
	ssize_t got = read(fd, line, sizeof(line) - 1);

	close(fd);
	line[got > 0 ? got : 0] = '\0';
	for (char *at = strtok(line, " \n"); at; at = strtok(NULL, " \n"))
		if (strncmp(at, key, length) == 0 && (at[length] == '=' || !at[length]))
			return at[length] ? at + length + 1 : at + length;
	return NULL;
}

static void load_module(const char *path, const char *options)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || syscall(SYS_finit_module, fd, options, 0) != 0)
		fail(path);
	close(fd);
}

/* The disk below a hypervisor; without one a disk in RAM, as slow. */
static void find_disk(void)
{
	if (access("/sys/hypervisor/type", R_OK) == 0) {
		disk = "/dev/xvdb";
		load_module("/modules/xen-blkfront.ko", "");
	} else {
		disk = "/dev/nullb0";
		load_module("/modules/configfs.ko", "");
		load_module("/modules/null_blk.ko", "nr_devices=1 gb=1 memory_backed=1 irqmode=2 "
					    "completion_nsec=100000 submit_queues=1");
	}
	for (int i = 0; access(disk, R_OK | W_OK) != 0; i++) {
		if (i == 2000)
			fail(disk);
		usleep(1000);
	}
}

/* Runs a program on the disk and returns its status; what it says is not of interest. */
static int on_disk(char *const argv[])
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		int nowhere = open("/dev/null", O_WRONLY);

		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A small journal, so that it is full and begins anew within a run. */
static void make_file_system(void)
{
	char *const argv[] = {"/sbin/mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=4", "-E",
			      "nodiscard,lazy_itable_init=0,lazy_journal_init=0", (char *)disk,
			      "16384", NULL};

	if (on_disk(argv) != 0)
		fail("mkfs.ext4");
}

static void mount_data(void)
{
	mkdir(DATA, 0755);
	if (mount(disk, DATA, "ext4", 0, NULL) != 0)
		fail("mount");
}

/* Contents that follow from the number; returns the size. */
static size_t make_record(struct record *r, uint64_t number)
{
	uint64_t lot = number * 0x9e3779b97f4a7c15ull;

	r->number = number;
	r->nr_words = 1 + (lot >> 40) % WORDS;
	r->sum = 0;
	for (uint64_t i = 0; i < r->nr_words; i++) {
		lot = lot * 6364136223846793005ull + 1442695040888963407ull;
		r->word[i] = lot;
		r->sum = r->sum * 31 + lot;
	}
	return offsetof(struct record, word) + r->nr_words * sizeof(r->word[0]);
}

static void put(int fd, const struct record *r, size_t size, int sync)
{
	if (write(fd, r, size) != (ssize_t)size || (sync && fsync(fd) != 0))
		exit(0); /* the file system is gone, as it should */
}

/* Until something ends it. */
static void write_records(int sync)
{
	static struct record r;
	int log = open(LOG, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int directory = open(DATA, O_RDONLY | O_DIRECTORY);

	for (uint64_t number = 1;; number++) {
		size_t size = make_record(&r, number);
		int fd;

		put(log, &r, size, sync);
		printf("acknowledged %lu\n", number);
		if (number % 4)
			continue;
		fd = open(DATA "/new", O_WRONLY | O_CREAT | O_TRUNC, 0644);
		put(fd, &r, size, sync);
		close(fd);
		if (rename(DATA "/new", STATE) != 0 || (sync && fsync(directory) != 0))
			exit(0);
		printf("renamed %lu\n", number);
	}
}

/* Starts a writer; comes back at the time, before it if it is in the middle of something. */
static pid_t write_for(uint64_t ns)
{
	struct sched_param first = {.sched_priority = 1};
	struct timespec end;
	int sync = !word("safety.nosync");
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		write_records(sync);
	clock_gettime(CLOCK_MONOTONIC, &end);
	ns += (uint64_t)end.tv_nsec;
	end.tv_sec += (time_t)(ns / 1000000000);
	end.tv_nsec = (long)(ns % 1000000000);
	sched_setscheduler(0, SCHED_FIFO, &first);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
	return child;
}

/* Whether the file has, from where it is read, the whole record; and nothing else with `alone`. */
static int has_record(int fd, uint64_t number, int alone)
{
	static struct record wanted, got;
	size_t size = make_record(&wanted, number);
	char more;

	return read(fd, &got, size) == (ssize_t)size && memcmp(&got, &wanted, size) == 0 &&
	       (!alone || read(fd, &more, 1) == 0);
}

static void report_log(void)
{
	int fd = open(LOG, O_RDONLY);
	uint64_t number = 1;

	while (has_record(fd, number, 0))
		number++;
	close(fd);
	printf("found %lu\n", number - 1);
}

static void report_state(void)
{
	uint64_t number = 0;
	int fd = open(STATE, O_RDONLY);

	if (fd >= 0 && pread(fd, &number, sizeof(number), 0) == sizeof(number) &&
	    !has_record(fd, number, 1))
		printf("torn state %lu\n", number);
	close(fd);
	printf("state %lu\n", number);
}

/* Mounting replays the journal; the kernel's log says so each time. */
static int replays(void)
{
	static char text[1 << 18];
	int length = klogctl(SYSLOG_READ_ALL, text, sizeof(text) - 1), n = 0;

	text[length > 0 ? length : 0] = '\0';
	for (char *at = text; (at = strstr(at, "recovery complete")); at++)
		n++;
	return n;
}

static void report(void)
{
	char *const argv[] = {"/sbin/e2fsck", "-f", "-n", (char *)disk, NULL};
	int before = replays();

	mount_data();
	printf("replayed %d\n", replays() - before);
	report_log();
	report_state();
	if (umount(DATA) != 0)
		fail("umount");
	printf("e2fsck %d\n", on_disk(argv));
}

static void crash_after(uint64_t ns)
{
	int trigger = open("/proc/sysrq-trigger", O_WRONLY);

	make_file_system();
	mount_data();
	write_for(ns);
	write(trigger, "c", 1);
	fail("the kernel goes on");
}

/*
 * The writer is dead before its file system is: an fsync that is under way may return without an
 * error though its record is lost with the rest, which after a power cut nobody would be told.
 */
static void lose_after(uint64_t ns)
{
	uint32_t how = NO_FLUSH;
	pid_t child;
	int fd;

	make_file_system();
	mount_data();
	fd = open(DATA, O_RDONLY);
	printf("kill %lu\n", ns);
	child = write_for(ns);
	kill(child, SIGKILL);
	if (ioctl(fd, SHUTDOWN, &how) != 0)
		fail("shutdown of the file system");
	close(fd);
	waitpid(child, NULL, 0);
	if (umount(DATA) != 0)
		fail("umount");
	report();
}

int main(void)
{
	static char times[1024];
	const char *value;

	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	freopen("/dev/console", "w", stdout);
	setvbuf(stdout, NULL, _IOLBF, 0);
	value = word("safety.read");
	if (value)
		usleep((useconds_t)(strtoull(value, NULL, 10) / 1000));
	find_disk(); /* not earlier: the kernel reads from it at once */
	if (value)
		report();
	value = word("safety.write");
	if (value)
		crash_after(strtoull(value, NULL, 10));
	value = word("safety.both");
	snprintf(times, sizeof(times), "%s", value ? value : "");
	for (char *at = times; *at; at += *at == ',')
		lose_after(strtoull(at, &at, 10));
	printf("RESULT SUCCESS\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}
