// SPDX-License-Identifier: MIT
/*
 * A guest without any trap handler faults: reported with reason and registers, ended alone.
 * The runner expects the crash; reaching the end would be a failure.
 */
#include "guest.h"

void test_main(void)
{
	call1(__HYPERVISOR_set_trap_table, 0);
	asm volatile("mov %0, %%r15; ud2" ::"r"(0x1badcafe1badcafeull) : "r15");
}
