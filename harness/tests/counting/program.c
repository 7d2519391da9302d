// SPDX-License-Identifier: MIT
/*
 * The workload of test_plugin.py: timed sections of which it is known what they execute. No C library,
 * so that every instruction between two marks stands here.
 */
#include "mark.h"

#include <stddef.h>

#define PAGE	 4096
#define LOOPS	 100000
#define CALLS	 50
#define PAGES	 16
#define WRITES	 7
#define PASSES	 10 /* as many as there are lines of EMPTY below */
#define GETPPID	 110
#define WRITE	 1
#define IOPL	 172
#define SLEEP	 35 /* nanosleep */
#define EXIT	 231
#define DEBUG	 "0x80" /* a port that nothing listens to */

#define EMPTY	 "@rexen sample empty run 1 1 1 0\n"

static char text[] = "@rexen sample loop run 1 1 1 0\n@rexen sample calls run 1 1 1 0\n"
		     "@rexen sample pages run 1 1 1 0\n@rexen sample ports run 1 1 1 0\n"
		     "@rexen sample both run 1 1 1 0\n@rexen sample inner run 1 1 1 0\n"
		     "@rexen sample untimed run 1 1 1 0\n" EMPTY EMPTY
			 EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY
		     "@rexen sample stale run 1 1 1 0\n";
static char fresh[PAGES][PAGE] __attribute__((aligned(PAGE)));
static char keys[9], spare[PASSES];

static long call(long number, long a, const void *b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

/* Two instructions a turn, and one before them. */
static inline __attribute__((always_inline)) void loop(void)
{
	__asm__ volatile("mov %0, %%ecx\n1: dec %%ecx\njnz 1b" : : "i"(LOOPS) : "ecx", "cc");
}

static void measure(void)
{
	for (int i = 0; i < 3; i++) {
		mark(MARK_START, &keys[0]);
		loop();
		mark(MARK_STOP, &keys[0]);
		loop();
	}
	mark(MARK_SAMPLE, &keys[0]);

	mark(MARK_START, &keys[1]);
	for (int i = 0; i < CALLS; i++)
		call(GETPPID, 0, NULL, 0);
	mark(MARK_STOP, &keys[1]);
	mark(MARK_SAMPLE, &keys[1]);

	mark(MARK_START, &keys[2]);
	for (int i = 0; i < PAGES; i++)
		*(volatile char *)&fresh[i][0] = 1;
	mark(MARK_STOP, &keys[2]);
	mark(MARK_SAMPLE, &keys[2]);

	call(IOPL, 3, NULL, 0);
	mark(MARK_START, &keys[3]);
	for (int i = 0; i < WRITES; i++)
		__asm__ volatile("out %%al, $" DEBUG : : "a"(0));
	mark(MARK_STOP, &keys[3]);
	mark(MARK_SAMPLE, &keys[3]);

	/* One inside the other: each has its own sum. */
	mark(MARK_START, &keys[4]);
	loop();
	mark(MARK_START, &keys[5]);
	loop();
	mark(MARK_STOP, &keys[5]);
	mark(MARK_STOP, &keys[4]);
	mark(MARK_SAMPLE, &keys[4]);
	mark(MARK_SAMPLE, &keys[5]);
	mark(MARK_SAMPLE, &keys[8]); /* never timed */
}

/* Each pass times something that becomes no sample, the last one at a place that then does. */
static void take_off(void)
{
	for (int i = PASSES - 1; i >= 0; i--) {
		mark(MARK_START, &spare[i]);
		loop();
		mark(MARK_STOP, &spare[i]);
		mark(MARK_START, &keys[7]);
		mark(MARK_STOP, &keys[7]);
		mark(MARK_SAMPLE, &keys[7]);
	}
	mark(MARK_START, &spare[0]);
	mark(MARK_STOP, &spare[0]);
	mark(MARK_SAMPLE, &spare[0]);
}

void _start(void)
{
	static const long hundredth[] = {0, 10000000};

	/* What started us has something to do yet. */
	call(SLEEP, (long)hundredth, NULL, 0);
	mark(MARK_START, &keys[6]);
	mark(MARK_STOP, &keys[6]);
	mark(MARK_CLOCK, &keys[6]);
	measure();
	take_off();
	call(WRITE, 1, text, sizeof(text) - 1);
	call(EXIT, 0, NULL, 0);
}
