// SPDX-License-Identifier: MIT
/*
 * Absurd processor state: iret frames with bad selectors, addresses and flags, handlers and stacks
 * at addresses that are not canonical or lie in our half, recursive faults. All must come back as
 * errors or as the guest's own exceptions.
 */
#include "guest.h"
#include <xen/callback.h>

#define NONCANONICAL 0x0000800000000000ull
#define OURS	     0xffff830000000000ull

static void iret_with(u64 arg)
{
	guest_iret((struct iret_context *)arg);
}

/* Shows the flags as they are, which a bounce frame would not. */
static void landed(void)
{
	asm volatile("pushfq; popq %%rax; .globl landed_ud2; landed_ud2: ud2" ::: "rax", "memory");
}
extern char landed_ud2[];

/* Back in the guest kernel through a frame, each time with something wrong in it. */
static void bad_frames(void)
{
	static u8 stack[PAGE_SIZE] __page_aligned;
	struct iret_context good = {.cs = FLAT_KERNEL_CS & ~3,
				    .ss = FLAT_KERNEL_SS,
				    .rflags = 0x202,
				    .rip = (u64)landed,
				    .rsp = (u64)stack + PAGE_SIZE};
	struct iret_context f = good;

	expect(catch_trap(iret_with, (u64)&f), 6);
	check(last_trap.rip == (u64)landed_ud2);
	/* Flags we must not grant: IOPL 3, NT, VM, everything. */
	f.rflags = ~0ull & ~0x100ull;
	expect(catch_trap(iret_with, (u64)&f), 6);
	expect(last_trap.rflags & 0x3000, 0);
	expect(last_trap.rax & 0x3000, 0);
	expect(last_trap.rax & 0x200, 0x200);
	f = good;
	f.rip = NONCANONICAL;
	expect(catch_trap(iret_with, (u64)&f), 13);
	f = good;
	f.rip = OURS;
	expect(catch_trap(iret_with, (u64)&f), 14);
	f = good;
	f.cs = 0xe008;
	expect(catch_trap(iret_with, (u64)&f), 13);
	f.cs = 0x1230;
	expect(catch_trap(iret_with, (u64)&f), 13);
	f.cs = 0xfff8;
	expect(catch_trap(iret_with, (u64)&f), 13);
	f.cs = 0;
	expect(catch_trap(iret_with, (u64)&f), 13);
	f = good;
	f.ss = 0xe010;
	expect(catch_trap(iret_with, (u64)&f), 13);
	f.ss = 0xe040;
	expect(catch_trap(iret_with, (u64)&f), 13);
}

static void syscall_at_edge(u64 unused)
{
	(void)unused;
	asm volatile("mov $17, %%eax; xor %%edi, %%edi; syscall" ::: "rax", "rcx", "r11", "rdi");
}

static void bad_addresses(void)
{
	struct callback_register cb = {.type = CALLBACKTYPE_syscall, .address = NONCANONICAL};
	static struct trap_info t[2];

	t[0] = (struct trap_info){14, 4, FLAT_KERNEL_CS, NONCANONICAL};
	expect(call1(__HYPERVISOR_set_trap_table, t), -EINVAL);
	expect(call2(__HYPERVISOR_callback_op, CALLBACKOP_register, &cb), -EINVAL);
	cb.type = 99;
	cb.address = 0;
	check(call2(__HYPERVISOR_callback_op, CALLBACKOP_register, &cb) < 0);
	expect(call2(__HYPERVISOR_stack_switch, 0, OURS + 4096), -EPERM);
	expect(call2(__HYPERVISOR_stack_switch, 0, NONCANONICAL + 4096), -EPERM);
	expect(call2(__HYPERVISOR_stack_switch, 0, 16), -EPERM);
	expect(call2(__HYPERVISOR_set_segment_base, SEGBASE_FS, NONCANONICAL), -EINVAL);
	expect(call2(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER, NONCANONICAL), -EINVAL);
	expect(call2(__HYPERVISOR_set_segment_base, 77, 0), -ENOSYS);
	expect(call2(__HYPERVISOR_set_debugreg, 0, OURS), -EPERM);
	expect(call2(__HYPERVISOR_set_debugreg, 99, 0), -ENODEV);
	expect(call1(__HYPERVISOR_get_debugreg, 99), -ENODEV);
	expect(catch_trap(syscall_at_edge, 0), -1);
}

/* Every pointer argument, aimed at our half, at nothing, and across the edges. */
static void bad_pointers(void)
{
	static const u64 at[] = {OURS,
				 0xffff800000000000ull,
				 0xffff808000100000ull,
				 0x10,
				 0x00007ffffffffff8ull,
				 NONCANONICAL,
				 ~0ull,
				 ~7ull,
				 0xffff87fffffffff8ull};
	static const u64 nr[] = {__HYPERVISOR_mmu_update, __HYPERVISOR_mmuext_op,
				 __HYPERVISOR_multicall, __HYPERVISOR_set_gdt};
	static const u64 sub[] = {__HYPERVISOR_memory_op, __HYPERVISOR_event_channel_op,
				  __HYPERVISOR_callback_op, __HYPERVISOR_xen_version};

	static u8 page[PAGE_SIZE] __page_aligned, odd[64];
	struct mmu_update good = {pte_address((u64)page, 1), RW(va_to_mfn(page))};

	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(nr); k++)
			check(call4(nr[k], at[i], 1, 0, DOMID_SELF) < 0);
		check(call4(__HYPERVISOR_mmu_update, at[i], 0x7fffffff, 0, DOMID_SELF) < 0);
		check(call4(__HYPERVISOR_mmuext_op, at[i], 0xffffffff, at[i], DOMID_SELF) < 0);
		for (unsigned int k = 0; k < ARRAY_SIZE(sub); k++)
			check(call2(sub[k], 6, at[i]) < 0);
		check(call3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, at[i]) < 0);
		check(call3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, at[i]) < 0);
		check(call3(__HYPERVISOR_console_io, CONSOLEIO_write, 64, at[i]) < 0);
		check(call3(__HYPERVISOR_grant_table_op, 6, at[i], 1) < 0);
		check(call2(__HYPERVISOR_sched_op, SCHEDOP_poll, at[i]) < 0);
		check(call2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, at[i]) < 0);
		check(call1(__HYPERVISOR_set_trap_table, at[i]) < 0);
		check(call3(__HYPERVISOR_update_va_mapping, at[i], RW(va_to_mfn(shared)), 0) < 0);
	}
	/* Lists that are not aligned are read all the same; entries that are not are aligned down.
	 */
	memcpy(odd + 3, &good, sizeof(good));
	expect(call4(__HYPERVISOR_mmu_update, odd + 3, 1, 0, DOMID_SELF), 0);
	good.ptr |= 4;
	expect(call4(__HYPERVISOR_mmu_update, &good, 1, odd + 5, DOMID_SELF), 0);
	/* An unreadable page in the middle of a batch: what came before is done, the rest is not.
	 */
	expect(call4(__HYPERVISOR_mmu_update, guest_stack_top, 0, 0, 7), -EPERM);
	expect(call4(__HYPERVISOR_mmuext_op, guest_stack_top, 0, 0, 7), -EPERM);
}

static void unknown_calls(void)
{
	struct multicall_entry nested[2] = {{.op = __HYPERVISOR_multicall}, {.op = 1000}};

	for (u64 nr = 33; nr < 300; nr++)
		if (nr != 33)
			expect(call0(nr), -ENOSYS);
	expect(hypercall(1ull << 32 | 17, 0, 0, 0, 0, 0), (4 << 16) | 20);
	expect(call0(0xfffffff0ull), -ENOSYS);
	expect(call0(~0ull), -ENOSYS);
	expect(call2(__HYPERVISOR_multicall, nested, 2), 0);
	expect(nested[0].result, (u64)-EINVAL);
	expect(nested[1].result, (u64)-ENOSYS);
}

static void bad_info_page(void)
{
	struct vcpu_register_vcpu_info op = {.mfn = va_to_mfn(shared), .offset = 4096};

	check(call3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &op) < 0);
	op.offset = 4090;
	check(call3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &op) < 0);
	op.offset = 4;
	check(call3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &op) < 0);
	op.offset = 0;
	op.mfn = pte_address((u64)shared, 1) >> PAGE_SHIFT;
	check(call3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &op) < 0);
	op.mfn = ~0ull;
	check(call3(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &op) < 0);
	expect(call3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, 1, 0), -ENOENT);
	expect(call3(__HYPERVISOR_vcpu_op, VCPUOP_is_up, ~0ull, 0), -ENOENT);
}

void test_main(void)
{
	bad_addresses();
	bad_pointers();
	unknown_calls();
	bad_info_page();
	bad_frames();
}
