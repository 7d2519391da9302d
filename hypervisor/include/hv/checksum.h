/* SPDX-License-Identifier: MIT */
/* The Internet checksum (RFC 1071), over data in pieces. */
#ifndef HV_CHECKSUM_H
#define HV_CHECKSUM_H

#include <hv/types.h>

struct checksum {
	u64 sum;
	bool odd; /* an odd number of bytes so far */
};

/* Adds len bytes at p. */
void checksum_add(struct checksum *c, const void *p, size_t len);

/* Adds two bytes that make the number v. Precondition: an even number of bytes so far. */
static inline void checksum_add_word(struct checksum *c, u16 v)
{
	u64 word = __builtin_bswap16(v);

	c->sum += word;
	c->sum += c->sum < word;
}

/* The sum's complement as the two bytes to store, in the order of the packet. */
u16 checksum_end(const struct checksum *c);

#endif
