// SPDX-License-Identifier: MIT
/*
 * The sum is kept as 64 bits with the carry added back in, which is the same sum modulo 2^16 - 1;
 * the order of bytes does not matter to it but for a piece that begins at an odd place, whose sum
 * is turned by one byte.
 */
#include <hv/checksum.h>

#define BLOCK 64

/* Wherever it lies. */
struct word {
	u64 v;
} __attribute__((packed));
struct half {
	u32 v;
} __attribute__((packed));

static u64 add_carry(u64 a, u64 b)
{
	return a + b + (a + b < a);
}

/* Eight words at once: under the instruction clock of the emulated machine a byte is dear. */
static u64 sum_blocks(u64 sum, const u8 *p, size_t blocks)
{
	if (!blocks)
		return sum;
	asm("1: add (%[p]), %[sum]\n\t"
	    "adc 8(%[p]), %[sum]\n\t"
	    "adc 16(%[p]), %[sum]\n\t"
	    "adc 24(%[p]), %[sum]\n\t"
	    "adc 32(%[p]), %[sum]\n\t"
	    "adc 40(%[p]), %[sum]\n\t"
	    "adc 48(%[p]), %[sum]\n\t"
	    "adc 56(%[p]), %[sum]\n\t"
	    "adc $0, %[sum]\n\t"
	    "add $64, %[p]\n\t"
	    "dec %[n]\n\t"
	    "jnz 1b"
	    : [sum] "+r"(sum), [p] "+r"(p), [n] "+r"(blocks)
	    :
	    : "memory", "cc");
	return sum;
}

static u16 fold(u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)((sum & 0xffff) + (sum >> 16));
}

void checksum_add(struct checksum *c, const void *p, size_t len)
{
	const u8 *s = p;
	u64 sum = sum_blocks(0, s, len / BLOCK);
	size_t left = len % BLOCK;
	u64 last = 0;
	unsigned int shift = 0;

	for (s += len - left; left >= 8; s += 8, left -= 8)
		sum = add_carry(sum, ((const struct word *)s)->v);
	if (left & 4) {
		sum = add_carry(sum, ((const struct half *)s)->v);
		s += 4;
	}
	for (left &= 3; left; shift += 8, left--)
		last |= (u64)*s++ << shift;
	sum = add_carry(sum, last);
	if (c->odd)
		sum = __builtin_bswap16(fold(sum));
	c->odd ^= len & 1;
	c->sum = add_carry(c->sum, sum);
}

u16 checksum_end(const struct checksum *c)
{
	return (u16)~fold(c->sum);
}
