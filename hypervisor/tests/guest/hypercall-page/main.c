// SPDX-License-Identifier: MIT
/*
 * A guest with a HYPERCALL_PAGE note finds it filled: call through it, rcx and r11 preserved.
 */
#include "guest.h"

void test_main(void)
{
	u64 rax = XENVER_version, rcx = 0x1234, r11 = 0x5678;

	asm volatile("mov %[c], %%rcx; mov %[b], %%r11; call *%[page]\n\t"
		     "mov %%rcx, %[c]; mov %%r11, %[b]"
		     : "=a"(rax), [c] "+r"(rcx), [b] "+r"(r11)
		     : [page] "r"(hypercall_page + 32 * __HYPERVISOR_xen_version),
		       "D"(XENVER_version), "S"(0)
		     : "rcx", "r11", "rdx", "memory");
	expect(rax, (4 << 16) | 20);
	expect(rcx, 0x1234);
	expect(r11, 0x5678);
}
