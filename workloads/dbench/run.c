// SPDX-License-Identifier: MIT
/*
 * dbench: a file server's load, one client, on ext4: Debian's dbench 4.0 and its load file.
 *
 * The load is a preparation, which makes 67 files, and 129 sessions of some 3 550 operations that
 * leave the same files behind each time. A repetition is a number of sessions, so that the mix is
 * the same however many they are. The load has no times, so dbench never waits to keep to them.
 *
 * Its Flush operations, some 43 a session, are left out. dbench has made them fsync since 2007; that of
 * the paper's time did nothing there, and the paper's 418 MB/s were not waited for at a disk. Synced
 * files are a row of lmbench-file.
 *
 * This dbench runs until its clock says so, and begins again where the load ends. So the load that it
 * gets has lines of ours around the sessions: record locks on a file, the gate, of which this program
 * holds some. The client stops before the first session until it is let in, and after the last for
 * good, when it is killed; dbench then reports as it does when time is over. Its alarm, which would
 * report each second, is blocked. Making files, starting, reporting and removing are not timed.
 *
 * A sample's count is the bytes of the sessions' reads and writes, its time our own: dbench rounds
 * its figure and takes the preparation in. What it counted (lines, bytes, operations) must be what the
 * load has, and it must have complained of nothing.
 */
#include "app.h"
#include "bench.h"
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOAD_OF_DEBIAN "/usr/share/dbench/client.txt"
#define LOAD	       "/tmp/dbench.load"
#define LOG	       "/tmp/dbench.log"
#define LEFT_OUT       "Flush "
#define SESSIONS_MAX   200 /* of one dbench: it starts again for more */
#define START_LIMIT_S  600
#define PAUSE_NS       20000000 /* for the client to come from one line to the next */

/* Where a session begins: a line that comes in each of them once, while no file is open. */
#define SESSION                                                                                    \
	"QUERY_PATH_INFORMATION \"\\clients\\client1\\~dmtmp\\PWRPNT\\PCBENCHM\" 1004 "            \
	"NT_STATUS_OBJECT_NAME_NOT_FOUND\n"

/* Bytes of the gate. The client takes RUNNING itself; the others this program holds before it. */
enum gate_byte { IN, RUNNING, OUT };

/* Handle 1 is the gate's: those of the load have four digits or more. */
#define OPEN_GATE	"NTCreateX \"\\gate\" 0x40 0x1 1 NT_STATUS_OK\n"
#define TAKE(byte)	"LockX 1 " #byte " 1 NT_STATUS_OK\n"
#define GIVE_UP(byte)	"UnlockX 1 " #byte " 1 NT_STATUS_OK\n"
#define BEFORE_SESSIONS TAKE(1) TAKE(0)
#define AFTER_SESSIONS	GIVE_UP(1) TAKE(2)

/* What dbench must count at the end. */
struct tally {
	uint64_t lines, bytes;
};

static const char *load, *sessions[SESSIONS_MAX + 1];
static size_t load_size, n_sessions;
static char directory[256], gate_path[300];
static char *arguments[] = {
    "/usr/bin/dbench", "-t", "1000000000", "-c", LOAD, "-D", directory, "--per-client-results",
    "1",	       NULL};
static const struct app dbench = {.name = "dbench", .argv = arguments};
static int gate;

/* Finds sessions until it knows where the first n end, or the load does. */
static void find_sessions(size_t n)
{
	const char *from = n_sessions > 0 ? sessions[n_sessions] + 1 : load;
	const char *at;

	while (n_sessions < n) {
		at = memmem(from, (size_t)(load + load_size - from), SESSION, strlen(SESSION));
		if (!at)
			break;
		if (sessions[0])
			sessions[++n_sessions] = at;
		else
			sessions[0] = at;
		from = at + 1;
	}
	if (n_sessions == 0)
		app_fail_plain("%s has no sessions as this workload knows them", LOAD_OF_DEBIAN);
}

static void begin(const struct bench_row *row)
{
	struct stat info;
	int fd;

	(void)row;
	app_enter();
	fd = open(LOAD_OF_DEBIAN, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0)
		bench_fail(LOAD_OF_DEBIAN);
	load_size = (size_t)info.st_size;
	load = mmap(NULL, load_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (load == MAP_FAILED)
		bench_fail(LOAD_OF_DEBIAN);
	close(fd);
}

/* Bytes that a line reads or writes; dbench counts what was asked for. */
static uint64_t bytes_of(const char *line)
{
	char name[8];
	uint64_t size;

	if (sscanf(line, "%7s %*u %*u %" SCNu64, name, &size) == 2 &&
	    (strcmp(name, "ReadX") == 0 || strcmp(name, "WriteX") == 0))
		return size;
	return 0;
}

/* Writes whole lines and adds them up, but for those that are left out. */
static void put_lines(FILE *out, const char *from, const char *end, struct tally *tally)
{
	char line[1024];

	while (from < end) {
		const char *next = memchr(from, '\n', (size_t)(end - from));
		size_t length = next ? (size_t)(next + 1 - from) : (size_t)(end - from);

		if (length >= sizeof(line))
			app_fail_plain("%s has a line of %zu bytes", LOAD_OF_DEBIAN, length);
		memcpy(line, from, length);
		line[length] = '\0';
		from += length;
		if (strncmp(line, LEFT_OUT, strlen(LEFT_OUT)) == 0)
			continue;
		fputs(line, out);
		tally->bytes += bytes_of(line);
		tally->lines++;
	}
}

static void put_ours(FILE *out, const char *lines, struct tally *tally)
{
	put_lines(out, lines, lines + strlen(lines), tally);
}

/* Makes the load of `n` sessions; returns the bytes of these. */
static uint64_t write_load(size_t n, struct tally *all)
{
	FILE *out = fopen(LOAD, "w");
	struct tally timed = {0};

	if (!out)
		bench_fail(LOAD);
	put_ours(out, OPEN_GATE, all);
	put_lines(out, load, sessions[0], all);
	put_ours(out, BEFORE_SESSIONS, all);
	for (size_t i = 0; i < n; i++)
		put_lines(out, sessions[i], sessions[i + 1], &timed);
	put_ours(out, AFTER_SESSIONS, all);
	if (fclose(out) != 0)
		bench_fail(LOAD);
	all->lines += timed.lines;
	all->bytes += timed.bytes;
	return timed.bytes;
}

/* What dbench says when all is well: it takes the kernel's first semaphore, number 0, for a failure. */
static bool is_usual(const char *line)
{
	static const char *const usual[] = {
	    " ", "\n", "dbench version ", "Running for ", "failed to create barrier semaphore ",
	    "0 of 1 ", "1 of 1 ", "releasing clients", "Per client results:", "Client 0 did ",
	    "Throughput "};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strncmp(line, usual[i], strlen(usual[i])) == 0)
			return true;
	return false;
}

static FILE *open_log(void)
{
	FILE *log = fopen(LOG, "r");

	if (!log)
		bench_fail(LOG);
	return log;
}

/* Fails with the first complaint in the log: the last words are only that the client has failed. */
static void check_complaints(void)
{
	FILE *log = open_log();
	char line[1024];

	while (fgets(line, sizeof(line), log)) {
		if (!is_usual(line)) {
			line[strcspn(line, "\r\n")] = '\0';
			app_fail_plain("dbench: %s", line);
		}
	}
	fclose(log);
}

/* From dbench's report, which has all clients' operations first, then the one client's again. */
static struct tally read_report(uint64_t *operations)
{
	FILE *log = open_log();
	struct tally client = {0};
	char line[1024];
	uint64_t count;

	while (fgets(line, sizeof(line), log)) {
		if (sscanf(line, "Client 0 did %" SCNu64 " lines and %" SCNu64 " bytes",
			   &client.lines, &client.bytes) == 2)
			break;
		if (sscanf(line, " %*[A-Za-z] %" SCNu64 " %*f %*f", &count) == 1)
			*operations += count;
	}
	fclose(log);
	return client;
}

/* The line it was stopped at was read, but is no operation that was done. */
static void check_counts(const struct tally *wanted)
{
	uint64_t operations = 0;
	struct tally client = read_report(&operations);

	if (client.lines != wanted->lines || client.bytes != wanted->bytes ||
	    operations != wanted->lines - 1)
		app_fail(&dbench,
			 "counts %" PRIu64 " lines, %" PRIu64 " bytes and %" PRIu64
			 " operations, not %" PRIu64 ", %" PRIu64 " and %" PRIu64,
			 client.lines, client.bytes, operations, wanted->lines, wanted->bytes,
			 wanted->lines - 1);
}

static struct flock lock_of(short type, enum gate_byte byte)
{
	return (struct flock){
	    .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
}

static void set_gate(short type, enum gate_byte byte)
{
	struct flock lock = lock_of(type, byte);

	if (fcntl(gate, F_SETLKW, &lock) != 0)
		bench_fail(gate_path);
}

static pid_t client_at_gate(void)
{
	struct flock lock = lock_of(F_WRLCK, RUNNING);

	if (fcntl(gate, F_GETLK, &lock) != 0)
		bench_fail(gate_path);
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

static bool is_at_gate(void)
{
	check_complaints();
	return client_at_gate() > 0;
}

static void pause_a_little(void)
{
	struct timespec pause = {.tv_nsec = PAUSE_NS};

	nanosleep(&pause, NULL);
}

static void make_directory(void)
{
	snprintf(directory, sizeof(directory), "%s/dbench", disk_directory());
	snprintf(gate_path, sizeof(gate_path), "%s/gate", directory);
	if (mkdir(directory, 0777) != 0)
		bench_fail(directory);
	gate = open(gate_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (gate < 0)
		bench_fail(gate_path);
	set_gate(F_WRLCK, IN);
	set_gate(F_WRLCK, OUT);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
	(void)info;
	(void)type;
	(void)place;
	return remove(path);
}

static void remove_all(void)
{
	close(gate);
	if (nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
		bench_fail(directory);
	if (unlink(LOAD) != 0 || unlink(LOG) != 0)
		bench_fail(LOAD);
}

/* What the preparation has written is on the disk before the sessions begin. */
static void run_sessions(size_t n, struct bench_time *t)
{
	struct tally wanted = {0};
	uint64_t bytes;
	pid_t parent, client;

	make_directory();
	bytes = write_load(n, &wanted);
	parent = app_start(&dbench);
	app_await(&dbench, parent, is_at_gate, START_LIMIT_S);
	client = client_at_gate();
	sync();
	pause_a_little();

	bench_start(t);
	set_gate(F_UNLCK, IN);
	set_gate(F_WRLCK, RUNNING);
	bench_stop(t, bytes);

	pause_a_little();
	check_complaints();
	kill(client, SIGKILL);
	app_wait(&dbench, parent, NULL);
	check_complaints();
	check_counts(&wanted);
	remove_all();
}

static void throughput(const struct bench_row *row, uint64_t n, struct bench_time *t)
{
	(void)row;
	find_sessions(n < SESSIONS_MAX ? n : SESSIONS_MAX);
	for (uint64_t part; n > 0; n -= part) {
		part = n < n_sessions ? n : n_sessions;
		run_sessions(part, t);
	}
}

static const struct bench_row rows[] = {
    {{"throughput"}, 6, 1, throughput, begin, NULL, {0}},
};

int main(int argc, char **argv)
{
	sigset_t alarms;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarms, NULL);
	return bench_main(rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
