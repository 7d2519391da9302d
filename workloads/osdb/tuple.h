/* SPDX-License-Identifier: MIT */
/*
 * tuple.h: what the tuples of every relation are, computed from their place alone: the loader writes
 * them, the users know by it what must come back.
 *
 * A relation of n tuples has the keys 0, 2, 3 ... n: OSDB's have no key 1. A tuple's rank is its
 * place in another order; in a relation with fewer values than tuples, several have the same rank.
 * All attributes but key and int are functions of the rank.
 */
#ifndef WORKLOADS_OSDB_TUPLE_H
#define WORKLOADS_OSDB_TUPLE_H

#include <stdint.h>
#include <stdio.h>

#define STRIDE	   2147483647ULL /* a prime above every n: multiples of it modulo n are a permutation */
#define SIGNED_MAX 500000000
#define CODE	   "BENCHMARKS" /* the code of rank 0, which a check looks for */
#define MOST	   1000000

struct tuple {
	uint32_t key, integer, rank;
	int32_t sign; /* the attribute signed */
	uint32_t cents; /* the attribute decim, in hundredths */
	char date[11], code[11], name[21];
};

/* Scatters; the same number always gives the same. */
static inline uint64_t tuple_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline uint32_t tuple_key(uint32_t place)
{
	return place ? place + 1 : 0;
}

static inline uint32_t tuple_place(uint32_t key)
{
	return key ? key - 1 : 0;
}

static inline void tuple_letters(char *text, int size, uint64_t from)
{
	for (int i = 0; i < size; i++, from = i % 8 ? from >> 8 : tuple_mix(from))
		text[i] = (char)('A' + (from & 0xff) % 26);
	text[size] = '\0';
}

/* The tuple at `place` (from 0) of a relation of n tuples with `values` different ranks. */
static inline struct tuple tuple_at(uint32_t place, uint32_t n, uint32_t values)
{
	struct tuple t = {.key = tuple_key(place)};
	uint32_t other = (uint32_t)((place * STRIDE + 1) % n);
	uint64_t x;

	t.integer = tuple_key(other);
	t.rank = other % values;
	x = tuple_mix(t.rank);
	t.sign = (int32_t)(x % (2 * SIGNED_MAX + 1)) - SIGNED_MAX;
	t.cents = (uint32_t)(tuple_mix(x) % 1000000000);
	snprintf(t.date, sizeof(t.date), "%04u-%02u-%02u", 1900 + (unsigned int)(x >> 8) % 100,
		 1 + (unsigned int)(x >> 16) % 12, 1 + (unsigned int)(x >> 24) % 28);
	tuple_letters(t.code, sizeof(t.code) - 1, tuple_mix(x + 1));
	if (t.rank == 0)
		snprintf(t.code, sizeof(t.code), CODE);
	tuple_letters(t.name, sizeof(t.name) - 1, tuple_mix(x + 2));
	return t;
}

/* The place of the i-th tuple that a user asks for in a pass with this seed. */
static inline uint32_t tuple_asked(uint64_t seed, uint32_t user, uint32_t i, uint32_t n)
{
	return (uint32_t)(tuple_mix(seed << 48 ^ (uint64_t)user << 32 ^ i) % n);
}

/* What run tells a user to do, and what it answers once that is done. */
enum task { TASK_IR, TASK_OLTP, TASK_CROSS_SECTION, TASK_SUMS };

struct order {
	uint32_t task, count;
	uint64_t seed;
};

struct answer {
	int64_t sum, weighted; /* TASK_SUMS: of signed, and of signed times key */
};

#endif
