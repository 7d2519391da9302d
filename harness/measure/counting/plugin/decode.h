/* SPDX-License-Identifier: MIT */
/*
 * decode.h: the few x86-64 instructions that are events, and the marks of a workload.
 */
#ifndef COUNTING_DECODE_H
#define COUNTING_DECODE_H

#include <stddef.h>
#include <stdint.h>

#define INSN_MAX 15

enum event {
	EVENT_NONE,
	EVENT_SYSCALL,
	EVENT_IRET,
	EVENT_CR3, /* a load of it */
	EVENT_INVLPG,
	EVENT_PORT_IO,
	EVENT_HALT,
	EVENT_GATE_TABLE, /* lidt */
};

/* As workloads/lib/mark.h has them. */
enum mark_kind { MARK_NONE, MARK_START, MARK_STOP, MARK_SAMPLE, MARK_CLOCK, MARK_KINDS };

enum event decode_event(const uint8_t *bytes, size_t size);
enum mark_kind decode_mark(const uint8_t *bytes, size_t size);

#endif
