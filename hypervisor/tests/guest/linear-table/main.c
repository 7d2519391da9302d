// SPDX-License-Identifier: MIT
/*
 * Linear page tables: a table that refers to itself, or to another of its own level or above, is
 * refused with -EINVAL at every level, read-only too, in a live table and while one is checked.
 * Could break: a writable way to a table, an endless walk, or entries before the refused one that
 * are never given back (each table must become plain memory again at the end).
 */
#include "guest.h"

static u64 a[512] __page_aligned, b[512] __page_aligned, c[512] __page_aligned;

#define SLOT	    300 /* of an L4: the guest's, and empty */
#define ENTRY(t, i) ((va_to_mfn(t) << PAGE_SHIFT) + 8 * (i))
#define PIN(t, n)   mmuext(MMUEXT_PIN_L1_TABLE + (n) - 1, va_to_mfn(t), 0)
#define UNPIN(t)    mmuext(MMUEXT_UNPIN_TABLE, va_to_mfn(t), 0)
#define SEAL(t)	    expect(remap(t, RO(va_to_mfn(t))), 0)
#define OPEN(t)	    expect(remap(t, RW(va_to_mfn(t))), 0)

static void clear(void)
{
	memset(a, 0, PAGE_SIZE);
	memset(b, 0, PAGE_SIZE);
	memset(c, 0, PAGE_SIZE);
}

/* The tables we run on. */
static void live(void)
{
	u64 m[5];

	for (unsigned int level = 1; level <= 4; level++)
		m[level] = pte_address((u64)a, level) >> PAGE_SHIFT;
	for (unsigned int holder = 2; holder <= 4; holder++)
		for (unsigned int target = holder; target <= 4; target++) {
			u64 ptr = (m[holder] << PAGE_SHIFT) + 8 * SLOT;

			expect(mmu_update(ptr, RO(m[target])), -EINVAL);
			expect(mmu_update(ptr, RW(m[target])), -EINVAL);
			expect(mmu_update(ptr | MMU_PT_UPDATE_PRESERVE_AD, RO(m[target])), -EINVAL);
		}
	/* The slot is still empty, and not by luck: it takes what belongs there. */
	expect(mmu_update((m[4] << PAGE_SHIFT) + 8 * SLOT, RW(m[3])), 0);
	expect(mmu_update((m[4] << PAGE_SHIFT) + 8 * SLOT, 0), 0);
	/* Wrong in the other direction is no linear table. */
	expect(mmu_update((m[4] << PAGE_SHIFT) + 8 * SLOT, RO(m[1])), -EBUSY);
	expect(mmu_update((m[4] << PAGE_SHIFT) + 8 * SLOT, RO(m[2])), -EBUSY);
	expect(mmu_update((m[3] << PAGE_SHIFT) + 8 * SLOT, RO(m[1])), -EBUSY);
}

/* A new table with the entry already in it; a good entry before it must be given back. */
static void checked(unsigned int level)
{
	clear();
	a[1] = RW(va_to_mfn(b));
	a[2] = RO(va_to_mfn(a));
	SEAL(a);
	SEAL(b);
	expect(PIN(a, level), -EINVAL);
	OPEN(b);
	OPEN(a);
	a[2] = 0;
	SEAL(a);
	SEAL(b);
	expect(PIN(a, level), 0);
	expect(mmu_update(ENTRY(a, 2), RO(va_to_mfn(a))), -EINVAL);
	expect(mmu_update(ENTRY(a, 1), RO(va_to_mfn(a))), -EINVAL);
	expect(a[1] & ~0xfffull, va_to_mfn(b) << PAGE_SHIFT);
	expect(UNPIN(a), 0);
	OPEN(a);
	OPEN(b);
}

/* Two tables of one level, each of which would refer to the other. */
static void crossed(unsigned int level)
{
	clear();
	SEAL(a);
	SEAL(b);
	expect(PIN(a, level), 0);
	expect(PIN(b, level), 0);
	expect(mmu_update(ENTRY(a, 0), RO(va_to_mfn(b))), -EINVAL);
	expect(mmu_update(ENTRY(b, 511), RO(va_to_mfn(a))), -EINVAL);
	expect(UNPIN(b), 0);
	OPEN(b);
	b[511] = RO(va_to_mfn(a));
	SEAL(b);
	expect(PIN(b, level), -EINVAL);
	OPEN(b);
	expect(UNPIN(a), 0);
	OPEN(a);
}

/* a refers to b, b to c, c to a: each good until the ring closes, three levels down. */
static void ring(void)
{
	clear();
	a[0] = RW(va_to_mfn(b));
	b[0] = RW(va_to_mfn(c));
	c[0] = RW(va_to_mfn(a));
	SEAL(a);
	SEAL(b);
	SEAL(c);
	expect(PIN(a, 4), -EINVAL);
	expect(PIN(b, 4), -EINVAL);
	OPEN(a);
	OPEN(b);
	OPEN(c);
}

/* At the end of the domain: live tables that nearly were linear are released as well. */
static void left_behind(void)
{
	clear();
	a[0] = RW(va_to_mfn(b));
	SEAL(a);
	SEAL(b);
	expect(PIN(a, 4), 0);
	expect(mmu_update(ENTRY(b, 7), RO(va_to_mfn(a))), -EINVAL);
	expect(mmu_update(ENTRY(a, SLOT), RO(va_to_mfn(a))), -EINVAL);
	expect(mmuext(MMUEXT_NEW_USER_BASEPTR, va_to_mfn(a), 0), 0);
}

void test_main(void)
{
	live();
	for (unsigned int level = 2; level <= 4; level++) {
		checked(level);
		crossed(level);
	}
	ring();
	left_behind();
}
