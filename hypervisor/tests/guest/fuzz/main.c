// SPDX-License-Identifier: MIT
/*
 * A million hypercalls with arguments from a seeded generator, so that a run can be repeated
 * exactly; between them work for the back ends, see rings.h. Arguments are drawn from what is
 * interesting: own and foreign frames, table frames, table entries, pointers to buffers that hold
 * more of the same, edges of the address space, small numbers. Whatever a call does to this guest
 * is fine; the hypervisor must live and every frame come back.
 *
 * Options: seed=N; from=MS until=MS: no calls, only the rings, in this time of the machine.
 */
#include "guest.h"

#define CALLS 1000000u

static u8 area[64][PAGE_SIZE] __page_aligned;
static u64 buffer[512] __page_aligned;
static u64 state = 0x5eed;
static u32 accepted[64], breakpoints;

static u64 draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

#define FOREIGN 64

/* Noted before the first call: afterwards even the M2P may have been changed by us. */
static u64 entry_at[64], table_frame[4], foreign[FOREIGN];

static void note_addresses(void)
{
	u64 max = call2(__HYPERVISOR_memory_op, XENMEM_maximum_ram_page, 0) + 1;
	unsigned int n = 0;

	for (unsigned int i = 0; i < 64; i++)
		entry_at[i] = pte_address((u64)area[i], 1);
	for (unsigned int l = 0; l < 4; l++)
		table_frame[l] = pte_address((u64)area[0], l + 1) >> PAGE_SHIFT;
	while (n < FOREIGN) {
		u64 m = draw() % (max + 8);

		if (m >= max || machine_to_phys_mapping[m] >= si->nr_pages ||
		    pfn_to_mfn(machine_to_phys_mapping[m]) != m)
			foreign[n++] = m;
		else if (draw() % 64 == 0)
			foreign[n++] = ~0ull >> (draw() % 40);
	}
}

/* Never a frame of our own code, stack or data: a call may do to a frame what it is asked to. */
static u64 any_frame(void)
{
	u64 r = draw();

	switch (r % 8) {
	case 0:
		return foreign[(r >> 8) % FOREIGN];
	case 1:
		return si->shared_info >> PAGE_SHIFT;
	case 2:
		return table_frame[(r >> 16) % 4];
	default:
		return va_to_mfn(area[(r >> 8) % 64]);
	}
}

static u64 any_value(void)
{
	static const u64 edges[] = {0,
				    1,
				    2,
				    3,
				    7,
				    8,
				    15,
				    16,
				    64,
				    4096,
				    0x7ff0,
				    0x7ff1,
				    0xffffffff,
				    ~0ull,
				    0x7fffffffffffffff,
				    0x0000800000000000,
				    0xffff800000000000,
				    0xffff830000000000,
				    0xffff880000000000,
				    0xffff808000100000};
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
		return entry_at[(r >> 8) % 64];
	case 8:
		return (r >> 8) & 31;
	default:
		return r >> ((r >> 8) & 63);
	}
}

#include "rings.h"

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

/* Calls whose first argument is a small number and whose second points to a structure. */
static bool has_operations(u64 nr)
{
	switch (nr) {
	case __HYPERVISOR_memory_op:
	case __HYPERVISOR_xen_version:
	case __HYPERVISOR_grant_table_op:
	case __HYPERVISOR_vcpu_op:
	case __HYPERVISOR_sched_op:
	case __HYPERVISOR_event_channel_op:
	case __HYPERVISOR_physdev_op:
		return true;
	default:
		return false;
	}
}

static void fill_buffer(u64 nr)
{
	for (unsigned int i = 0; i < 16; i++)
		buffer[draw() % 128] = any_value();
	if (nr == __HYPERVISOR_mmuext_op) {
		for (unsigned int i = 0; i < 384; i += 3)
			buffer[i] = draw() % 24;
		for (unsigned int i = 1; i < 384; i += 3)
			buffer[i] = buffer[i - 1] == MMUEXT_NEW_BASEPTR
					? va_to_mfn((void *)si->pt_base)
					: any_frame();
	}
	if (nr == __HYPERVISOR_mmu_update)
		for (unsigned int i = 0; i < 512; i += 2)
			buffer[i] =
			    (draw() % 8 ? entry_at[draw() % 64] : foreign[draw() % FOREIGN] << 12) |
			    (draw() % 4);
}

static void one_call(u64 nr)
{
	u64 arg[5];

	for (unsigned int i = 0; i < 5; i++)
		arg[i] = any_value();
	if (nr == __HYPERVISOR_update_va_mapping)
		arg[0] = (u64)area[draw() % 64];
	if (nr == __HYPERVISOR_mmu_update || nr == __HYPERVISOR_mmuext_op) {
		arg[0] = (u64)buffer + (draw() % 64) * 8 * (nr == __HYPERVISOR_mmuext_op ? 3 : 2);
		arg[1] = draw() % 8;
		arg[2] = draw() & 1 ? 0 : (u64)&buffer[500];
		arg[3] = DOMID_SELF;
	}
	if (has_operations(nr) && draw() % 4) {
		arg[0] = draw() % 16;
		arg[1] = nr == __HYPERVISOR_vcpu_op ? 0 : (u64)buffer;
		arg[2] = nr == __HYPERVISOR_vcpu_op ? (u64)buffer : 1;
	}
	if (nr == __HYPERVISOR_update_descriptor)
		arg[0] = (any_frame() << PAGE_SHIFT) | (draw() & 0xff8);
	if (nr == __HYPERVISOR_vcpu_op)
		arg[1] &= 1;
	if (has_operations(nr) && draw() % 2)
		for (unsigned int i = 0; i < 4; i++)
			buffer[i] = draw() % 2 ? draw() % 64 : (draw() % 64) << 32 | DOMID_SELF;
	if (!allowed(nr, arg[0]))
		return;
	if (nr == __HYPERVISOR_event_channel_op && (u32)arg[0] == EVTCHNOP_close) {
		arg[1] = (u64)buffer;
		if (is_our_port((u32)buffer[0]))
			return;
	}
	if (nr == __HYPERVISOR_grant_table_op && draw() % 2)
		arg[0] = draw() % 2 ? draw() % 2 : GNTTABOP_copy;
	if (nr == __HYPERVISOR_grant_table_op && grant_call(arg[0]))
		return;
	if (hypercall(nr, arg[0], arg[1], arg[2], arg[3], arg[4]) >= 0)
		accepted[nr]++;
}

static void read_seed(void)
{
	state = number_option("seed", state);
	say("fuzz: seed %lu\n", state);
}

static void hook(struct guest_regs *r)
{
	if (r->vector == VECTOR_EVENT) {
		r->rflags &= ~0x200ull; /* events stay masked: vcpu_info may be anywhere by now */
		return;
	}
	if (r->vector == 1) { /* a breakpoint that we set by chance; the resume flag lets us pass */
		breakpoints++;
		r->rflags |= 0x10000;
		r->cs &= 0xffff;
		return;
	}
	/* A buffer page that a call took from us; skipping is not possible, so say so and stop. */
	say("fuzz: trap %lu at %lx cr2 %lx\n", r->vector, r->rip, shared->vcpu_info[0].arch.cr2);
	finish();
}

void test_main(void)
{
	static const u8 numbers[] = {1,	 2,  5,	 8,  9, 10, 12, 14, 15, 17, 20, 20,
				     21, 24, 25, 26, 26, 1, 1,  14, 29, 32, 33, 55};
	u64 until = number_option("until", 0);
	unsigned int made = 0;

	trap_hook = hook;
	read_seed();
	note_addresses();
	open_rings();
	if (until)
		only_rings(number_option("from", 0), until);
	for (; !until && made < CALLS; made++) {
		u64 nr = numbers[draw() % ARRAY_SIZE(numbers)];

		if (made % 16 == 0 || nr == __HYPERVISOR_mmuext_op || nr == __HYPERVISOR_mmu_update)
			fill_buffer(nr);
		one_call(nr);
		if (made % 32 == 0)
			ring_step();
	}
	close_rings();
	for (unsigned int nr = 0; nr < ARRAY_SIZE(accepted); nr++)
		if (accepted[nr])
			say("fuzz: call %u accepted %u times\n", nr, accepted[nr]);
	say("fuzz: %u calls, %u breakpoints\n", made, breakpoints);
}
