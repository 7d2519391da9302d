// SPDX-License-Identifier: MIT
/*
 * The only way to guest memory by guest address.
 *
 * The guest's page tables are loaded while we serve it, so its addresses can be used directly, once
 * they are known to lie outside our half. Pages may be absent or read-only (CR0.WP is set, so our
 * writes respect that, which is also what keeps these functions from writing a page table): the
 * exception table ends the copy early and the count left over tells.
 */
#include <hv/guestcopy.h>

static u64 copy_until_fault(void *dst, const void *src, u64 len)
{
	u64 words = len / 8;
	u64 rest = len % 8;

	asm volatile("1: rep movsq\n\t"
		     "mov %[rest], %[count]\n"
		     "2: rep movsb\n\t"
		     "jmp 4f\n"
		     "3: mov $1, %[count]\n"
		     "4:\n" ASM_EXTABLE(1b, 3b) ASM_EXTABLE(2b, 4b)
		     : "+D"(dst), "+S"(src), [count] "+c"(words)
		     : [rest] "r"(rest)
		     : "memory");
	return words;
}

bool copy_from_guest(void *dst, vaddr_t va, u64 len)
{
	return guest_range_ok(va, len) && copy_until_fault(dst, (const void *)va.n, len) == 0;
}

bool copy_to_guest(vaddr_t va, const void *src, u64 len)
{
	return guest_range_ok(va, len) && copy_until_fault((void *)va.n, src, len) == 0;
}
