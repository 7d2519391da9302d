// SPDX-License-Identifier: MIT
/*
 * A multicall that ends in iret with no frame at the stack pointer: the entry cannot be refused any
 * more, so the guest is crashed. Going on after the call is a failure.
 */
#include "guest.h"

void test_main(void)
{
	static struct multicall_entry list[2] = {{.op = __HYPERVISOR_xen_version},
						 {.op = __HYPERVISOR_iret}};

	asm volatile("mov $0x3000, %%esp; syscall"
		     :
		     : "a"(__HYPERVISOR_multicall), "D"(list), "S"(2)
		     : "rcx", "r11", "memory");
	check(!"a frame was read where there is none");
	finish();
}
