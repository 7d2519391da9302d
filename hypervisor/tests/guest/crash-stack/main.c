// SPDX-License-Identifier: MIT
/*
 * A trap while the stack pointer leads nowhere, then into our half: the frame cannot be written,
 * the guest is crashed. A handler that faults again must not loop in the hypervisor.
 */
#include "guest.h"

void test_main(void)
{
	asm volatile("mov %0, %%rsp; ud2" ::"r"(0xffff830000100000ull) : "memory");
}
