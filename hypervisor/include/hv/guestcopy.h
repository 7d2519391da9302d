/* SPDX-License-Identifier: MIT */
/* Reading and writing guest memory through the guest's own, currently loaded page tables. */
#ifndef HV_GUESTCOPY_H
#define HV_GUESTCOPY_H

#include <hv/extable.h>
#include <hv/pagetable.h>
#include <hv/types.h>

/* Copy len bytes; true if all of them were copied. Never touches our half, whatever va is. */
__must_check bool copy_from_guest(void *dst, vaddr_t va, u64 len);
__must_check bool copy_to_guest(vaddr_t va, const void *src, u64 len);

/* The same for one aligned word; false if it cannot be accessed. */
static inline __must_check bool get_guest_u64_unchecked(vaddr_t va, u64 *out);
static inline __must_check bool get_guest_u64(vaddr_t va, u64 *out)
{
	return guest_range_ok(va, 8) && get_guest_u64_unchecked(va, out);
}

/* The same where the caller knows that va lies outside our half. */
static inline __must_check bool get_guest_u64_unchecked(vaddr_t va, u64 *out)
{
	/* clang-format off */
	asm goto("1: mov %1, %0\n\t" ASM_EXTABLE(1b, %l[fault])
		 : "=r"(*out)
		 : "m"(*(const u64 *)va.n)
		 :
		 : fault);
	/* clang-format on */
	return true;
fault:
	return false;
}

static inline __must_check bool put_guest_u64(vaddr_t va, u64 value)
{
	bool ok = false;

	if (!guest_range_ok(va, 8))
		return false;
	asm volatile("1: mov %2, %1\n\t"
		     "movb $1, %0\n"
		     "2:\n" ASM_EXTABLE(1b, 2b)
		     : "+r"(ok), "=m"(*(u64 *)va.n)
		     : "r"(value));
	return ok;
}

/* A hypercall argument that points to one object / to element i of an array. */
#define copy_arg_from(dst, arg) copy_from_guest(dst, vaddr(arg), sizeof(*(dst)))
#define copy_arg_to(arg, src)	copy_to_guest(vaddr(arg), src, sizeof(*(src)))
#define copy_elem_from(dst, arg, i)                                                                \
	copy_from_guest(dst, vaddr((arg) + (i) * sizeof(*(dst))), sizeof(*(dst)))
#define copy_elem_to(arg, i, src)                                                                  \
	copy_to_guest(vaddr((arg) + (i) * sizeof(*(src))), src, sizeof(*(src)))

#endif
