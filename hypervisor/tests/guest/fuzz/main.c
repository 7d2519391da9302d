// SPDX-License-Identifier: MIT
/*
 * A million hypercalls with arguments from a seeded generator, so that a run can be repeated
 * exactly. Arguments are drawn from what is interesting: own and foreign frames, table frames, table
 * entries, pointers to buffers that hold more of the same, edges of the address space, small numbers.
 * Whatever a call does to this guest is fine; the hypervisor must live and every frame come back.
 */
#include "guest.h"

#define CALLS 1000000u

static u8 area[64][PAGE_SIZE] __page_aligned;
static u64 buffer[512] __page_aligned;
static u64 state = 0x5eed;

static u64 draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static u64 any_frame(void)
{
	u64 r = draw();

	switch (r % 8) {
	case 0:
		return (r >> 8) % 20000;
	case 1:
		return si->shared_info >> PAGE_SHIFT;
	case 2:
		return pte_address((u64)area[(r >> 8) % 64], 1 + (r >> 16) % 4) >> PAGE_SHIFT;
	default:
		return va_to_mfn(area[(r >> 8) % 64]);
	}
}

static u64 any_value(void)
{
	static const u64 edges[] = {0, 1, 2, 3, 7, 8, 15, 16, 64, 4096, 0x7ff0, 0x7ff1, 0xffffffff, ~0ull,
				    0x7fffffffffffffff, 0x0000800000000000, 0xffff800000000000,
				    0xffff830000000000, 0xffff880000000000, 0xffff808000100000};
	u64 r = draw();

	switch (r % 10) {
	case 0:
		return edges[(r >> 8) % ARRAY_SIZE(edges)];
	case 1:
		return any_frame();
	case 2:
		return (any_frame() << PAGE_SHIFT) | ((r >> 8) & 0xfff);
	case 3:
		return (any_frame() << PAGE_SHIFT) | 0x67;
	case 4:
		return (u64)area[(r >> 8) % 64] + ((r >> 16) & 0xfff);
	case 5:
	case 6:
		return (u64)buffer + ((r >> 8) & 0x7f8);
	case 7:
		return pte_address((u64)area[(r >> 8) % 64], 1);
	case 8:
		return (r >> 8) & 31;
	default:
		return r >> ((r >> 8) & 63);
	}
}

/* Ends, sleeps and output are left out; so is what takes away our own code, stack or handlers. */
static bool allowed(u64 nr, u64 a)
{
	switch (nr) {
	case __HYPERVISOR_console_io:
	case __HYPERVISOR_iret:
	case __HYPERVISOR_multicall:
	case __HYPERVISOR_set_trap_table:
	case __HYPERVISOR_callback_op:
	case __HYPERVISOR_stack_switch:
		return false;
	case __HYPERVISOR_sched_op:
		return a == SCHEDOP_yield || a == SCHEDOP_poll;
	case __HYPERVISOR_vcpu_op:
		return a != VCPUOP_down;
	case __HYPERVISOR_memory_op:
		return true;
	default:
		return true;
	}
}

/* Entries of batches that would leave us without our tables are turned into harmless ones. */
static bool harmless(u64 nr)
{
	if (nr == __HYPERVISOR_mmuext_op)
		return true;
	return nr != __HYPERVISOR_mmu_update && nr != __HYPERVISOR_update_va_mapping;
}

static void fill_buffer(u64 nr)
{
	for (unsigned int i = 0; i < 16; i++)
		buffer[draw() % 128] = any_value();
	if (nr == __HYPERVISOR_mmuext_op) {
		for (unsigned int i = 0; i < 384; i += 3)
			buffer[i] = draw() % 24;
		for (unsigned int i = 1; i < 384; i += 3)
			buffer[i] = any_frame();
	}
	if (nr == __HYPERVISOR_mmu_update)
		for (unsigned int i = 0; i < 512; i += 2)
			buffer[i] = pte_address((u64)area[draw() % 64], 1) | (draw() % 4);
}

static void one_call(u64 nr)
{
	u64 arg[5];

	for (unsigned int i = 0; i < 5; i++)
		arg[i] = any_value();
	if (nr == __HYPERVISOR_update_va_mapping)
		arg[0] = (u64)area[draw() % 64];
	if (nr == __HYPERVISOR_mmu_update || nr == __HYPERVISOR_mmuext_op) {
		arg[0] = (u64)buffer + (draw() % 64) * 8 * (harmless(nr) ? 3 : 2);
		arg[1] = draw() % 8;
		arg[2] = draw() & 1 ? 0 : (u64)&buffer[500];
		arg[3] = DOMID_SELF;
	}
	if (!allowed(nr, arg[0]))
		return;
	hypercall(nr, arg[0], arg[1], arg[2], arg[3], arg[4]);
}

static void hook(struct guest_regs *r)
{
	if (r->vector == VECTOR_EVENT) {
		shared->vcpu_info[0].evtchn_upcall_pending = 0;
		return;
	}
	/* A buffer page that a call took from us; skipping is not possible, so say so and stop. */
	say("fuzz: trap %lu at %lx cr2 %lx\n", r->vector, r->rip, shared->vcpu_info[0].arch.cr2);
	finish();
}

void test_main(void)
{
	static const u8 numbers[] = {1, 2, 5, 8, 9, 10, 12, 14, 15, 17, 20, 21, 24, 25, 26, 26, 1, 1, 14, 29, 32, 33, 55};
	unsigned int made = 0;

	trap_hook = hook;
	for (; made < CALLS; made++) {
		u64 nr = numbers[draw() % ARRAY_SIZE(numbers)];

		if (made % 16 == 0 || nr == __HYPERVISOR_mmuext_op || nr == __HYPERVISOR_mmu_update)
			fill_buffer(nr);
		one_call(nr);
		/* The guest has its events masked and its bases may have moved: put them right. */
		if (made % 64 == 0)
			mmuext(MMUEXT_NEW_BASEPTR, va_to_mfn((void *)si->pt_base), 0);
	}
	say("fuzz: %u calls\n", made);
}
