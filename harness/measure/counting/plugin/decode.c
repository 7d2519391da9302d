// SPDX-License-Identifier: MIT
/*
 * decode.c: an instruction's first bytes -> the event it is. See decode.h.
 */
#include "decode.h"

#include <stdbool.h>
#include <string.h>

static bool is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0xf2 || byte == 0xf3 || (byte & 0xf0) == 0x40;
}

/* The digit that the middle of a ModRM byte is, and whether its operand lies in memory. */
static unsigned int digit(uint8_t modrm)
{
	return modrm >> 3 & 7;
}

static bool in_memory(uint8_t modrm)
{
	return modrm >> 6 != 3;
}

static enum event decode_two_bytes(const uint8_t *bytes, size_t size)
{
	if (size < 1)
		return EVENT_NONE;
	if (bytes[0] == 0x05)
		return EVENT_SYSCALL;
	if (size < 2)
		return EVENT_NONE;
	if (bytes[0] == 0x22 && digit(bytes[1]) == 3)
		return EVENT_CR3;
	if (bytes[0] == 0x01 && in_memory(bytes[1]) && digit(bytes[1]) == 3)
		return EVENT_GATE_TABLE;
	if (bytes[0] == 0x01 && in_memory(bytes[1]) && digit(bytes[1]) == 7)
		return EVENT_INVLPG;
	return EVENT_NONE;
}

enum event decode_event(const uint8_t *bytes, size_t size)
{
	while (size > 0 && is_prefix(*bytes)) {
		bytes++;
		size--;
	}
	if (size == 0)
		return EVENT_NONE;
	if (bytes[0] == 0x0f)
		return decode_two_bytes(bytes + 1, size - 1);
	if (bytes[0] == 0xcf)
		return EVENT_IRET;
	if (bytes[0] == 0xf4)
		return EVENT_HALT;
	/* in and out, then ins and outs */
	if ((bytes[0] & 0xf4) == 0xe4)
		return EVENT_PORT_IO;
	if ((bytes[0] & 0xfc) == 0x6c)
		return EVENT_PORT_IO;
	return EVENT_NONE;
}

enum mark_kind decode_mark(const uint8_t *bytes, size_t size)
{
	static const uint8_t nop[] = {0x0f, 0x1f, 0x84, 0x00};
	static const uint8_t name[] = {'R', 'A', 'M'};

	if (size != 8 || memcmp(bytes, nop, sizeof(nop)) != 0 || memcmp(bytes + 5, name, 3) != 0)
		return MARK_NONE;
	return bytes[4] > MARK_NONE && bytes[4] < MARK_KINDS ? (enum mark_kind)bytes[4] : MARK_NONE;
}
