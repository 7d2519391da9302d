/* SPDX-License-Identifier: MIT */
/*
 * mark.h: marks around timed sections, for an emulator that counts what is executed between them.
 *
 * A mark is one instruction that does nothing, with its kind in an address it does not use. Whoever
 * counts (harness/measure/counting/plugin) finds it when it translates the program, and reads which
 * section is meant from the register that a function's first argument is in.
 */
#ifndef WORKLOADS_LIB_MARK_H
#define WORKLOADS_LIB_MARK_H

enum mark { MARK_START = 1, MARK_STOP, MARK_SAMPLE, MARK_CLOCK };

static inline __attribute__((always_inline)) void mark(enum mark kind, const void *section)
{
	__asm__ volatile("nopl %c0(%%rax,%%rax,1)" : : "i"(0x4d415200 | kind), "D"(section));
}

#endif
