// SPDX-License-Identifier: MIT
/*
 * guest.c: the machine under init: mounts, facts, waiting until the kernel is quiet, power off.
 *
 * All of it is deterministic: the same kernel on the same machine does the same here each time.
 */
#include "init.h"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <linux/random.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define CLOCKSOURCE_FILE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

#define WINDOW_NS	 100000000L
#define QUIET_LIMIT_NS	 5000000000ULL
#define QUIET_WINDOWS	 2
#define IDLE_MIN_PERCENT 99

/* A kernel without devtmpfs (some builds of User-Mode Linux) gets the few nodes by hand. */
static void make_device_nodes(void)
{
	mount("dev", "/dev", "tmpfs", 0, "mode=0755");
	mknod("/dev/console", S_IFCHR | 0600, makedev(5, 1));
	mknod("/dev/tty", S_IFCHR | 0666, makedev(5, 0));
	mknod("/dev/null", S_IFCHR | 0666, makedev(1, 3));
	mknod("/dev/zero", S_IFCHR | 0666, makedev(1, 5));
	mknod("/dev/urandom", S_IFCHR | 0666, makedev(1, 9));
}

/* Mounts what programs expect and makes /dev/console standard input, output and error. */
void guest_mount(void)
{
	int console;

	umask(022);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	if (mount("dev", "/dev", "devtmpfs", 0, "mode=0755") != 0)
		make_device_nodes();
	mount("tmp", "/tmp", "tmpfs", 0, "mode=1777");
	console = open("/dev/console", O_RDWR | O_NOCTTY);
	if (console < 0)
		return;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(console, fd);
	if (console > STDERR_FILENO)
		close(console);
}

uint64_t guest_boottime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/*
 * Credits the kernel's generator with a constant. A measured guest keeps no secret, and a
 * generator without credit collects jitter in a loop, or reseeds from a worker, in the middle of
 * some benchmark.
 */
void guest_seed_random(void)
{
	struct {
		int entropy_bits, size;
		unsigned char bytes[64];
	} seed = {.entropy_bits = 512, .size = 64};
	int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

	for (unsigned int i = 0; i < sizeof(seed.bytes); i++)
		seed.bytes[i] = (unsigned char)(i * 37 + 11);
	if (fd < 0)
		return;
	ioctl(fd, RNDADDENTROPY, &seed);
	close(fd);
}

/* The kernel gives lo its 127.0.0.1 when it comes up. */
void guest_loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
		request.ifr_flags |= IFF_UP | IFF_RUNNING;
		ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
}

static size_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

/* Ticks since boot from the first line of /proc/stat: idle (with iowait), and all of them. */
static bool read_ticks(unsigned long long *idle, unsigned long long *all)
{
	enum { IDLE = 3, IOWAIT = 4, N_KINDS = 8 };
	char text[512], *at = text + sizeof("cpu") - 1;

	*idle = *all = 0;
	if (!read_text("/proc/stat", text, sizeof(text)))
		return false;
	for (int kind = 0; kind < N_KINDS; kind++) {
		unsigned long long ticks = strtoull(at, &at, 10);

		*all += ticks;
		if (kind == IDLE || kind == IOWAIT)
			*idle += ticks;
	}
	return *all > 0;
}

/*
 * Linux starts on tsc-early and moves to tsc (or what is better) about a second later, in a worker
 * that may correct the frequency as well: a benchmark must not have that in its middle.
 */
static bool clock_is_settled(void)
{
	char text[64];

	read_text(CLOCKSOURCE_FILE, text, sizeof(text));
	return strcmp(text, "tsc-early\n") != 0;
}

/*
 * Sleeps until two windows in a row were idle, 5 s at most; returns the time then. Memory freed
 * through RCU and work queued by boot would otherwise share the CPU with the first benchmark:
 * membarrier waits for a grace period, the windows for the workers.
 */
uint64_t guest_wait_quiet(void)
{
	unsigned long long idle0 = 0, all0 = 0, idle1 = 0, all1 = 0;
	uint64_t limit = guest_boottime_ns() + QUIET_LIMIT_NS;
	int quiet = 0;

	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	while (quiet < QUIET_WINDOWS && guest_boottime_ns() < limit) {
		struct timespec window = {.tv_nsec = WINDOW_NS};
		bool known = read_ticks(&idle0, &all0);

		nanosleep(&window, NULL);
		if (!known || !read_ticks(&idle1, &all1) || all1 == all0 || !clock_is_settled())
			quiet = 0;
		else if ((idle1 - idle0) * 100 >= (all1 - all0) * IDLE_MIN_PERCENT)
			quiet++;
		else
			quiet = 0;
	}
	return guest_boottime_ns();
}

static void print_fact(const char *prefix, const char *key, const char *value)
{
	int length = (int)strcspn(value, "\r\n");

	if (length > 0)
		console_printf("%s %s %.*s\n", prefix, key, length, value);
}

static void print_fact_file(const char *prefix, const char *key, const char *path)
{
	char text[256];

	if (read_text(path, text, sizeof(text)))
		print_fact(prefix, key, text);
}

/* Finds `name<blanks>:<blanks>value` in a text of such lines. */
static const char *field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	if (!at)
		return "";
	at += strcspn(at, ":\n");
	return *at == ':' ? at + 1 + strspn(at + 1, " \t") : "";
}

static void print_cpu_facts(const char *prefix)
{
	static char text[8192];
	const char *flags, *flags_end, *mark;
	bool hypervisor;

	if (!read_text("/proc/cpuinfo", text, sizeof(text)))
		return;
	print_fact(prefix, "cpu", field(text, "model name"));
	flags = field(text, "flags");
	flags_end = flags + strcspn(flags, "\n");
	mark = strstr(flags, " hypervisor");
	hypervisor = mark && mark < flags_end;
	print_fact(prefix, "cpu_hypervisor_flag", hypervisor ? "yes" : "no");
}

void guest_print_facts(const char *prefix)
{
	struct utsname names;
	char text[4096];
	char number[32];

	if (uname(&names) == 0)
		print_fact(prefix, "kernel", names.release);
	print_cpu_facts(prefix);
	snprintf(number, sizeof(number), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	print_fact(prefix, "cpus", number);
	if (read_text("/proc/meminfo", text, sizeof(text))) {
		snprintf(number, sizeof(number), "%lu", strtoul(field(text, "MemTotal"), NULL, 10));
		print_fact(prefix, "memory_kb", number);
	}
	print_fact_file(prefix, "clocksource", CLOCKSOURCE_FILE);
	print_fact_file(prefix, "timer",
			"/sys/devices/system/clockevents/clockevent0/current_device");
	print_fact_file(prefix, "hypervisor", "/sys/hypervisor/type");
}

/* A machine that cannot switch itself off resets instead; its owner runs it without reboot. */
void guest_power_off(void)
{
	reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}
