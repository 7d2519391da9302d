/* SPDX-License-Identifier: MIT */
/*
 * Number types and the few macros every file needs.
 *
 * Machine frames, physical and guest virtual addresses are distinct one-field structs, so that the
 * compiler refuses to mix them; the converters below are the only casts.
 */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* A machine frame number. */
typedef struct {
	u64 n;
} mfn_t;
/* A machine (physical) address. */
typedef struct {
	u64 n;
} paddr_t;
/* A virtual address that a guest gave us: never dereferenced, see mm/guestcopy.c. */
typedef struct {
	u64 n;
} vaddr_t;

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define MFN_INVALID ((mfn_t){~0ull})

static inline mfn_t mfn(u64 n)
{
	return (mfn_t){n};
}

static inline paddr_t paddr(u64 n)
{
	return (paddr_t){n};
}

static inline vaddr_t vaddr(u64 n)
{
	return (vaddr_t){n};
}

static inline paddr_t mfn_to_paddr(mfn_t m)
{
	return (paddr_t){m.n << PAGE_SHIFT};
}

static inline mfn_t paddr_to_mfn(paddr_t p)
{
	return (mfn_t){p.n >> PAGE_SHIFT};
}

#define PFN_UP(x)	 (((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	 ((a) < (b) ? (a) : (b))
#define MAX(a, b)	 ((a) > (b) ? (a) : (b))
#define likely(x)	 __builtin_expect(!!(x), 1)
#define unlikely(x)	 __builtin_expect(!!(x), 0)
#define __must_check	 __attribute__((warn_unused_result))
#define __noreturn	 __attribute__((noreturn))
#define __printf(f, a)	 __attribute__((format(printf, f, a)))
#define __page_aligned	 __attribute__((aligned(4096)))
#define static_assert	 _Static_assert
#define barrier()	 asm volatile("" ::: "memory")
#define READ_ONCE(x)	 (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))

#endif
