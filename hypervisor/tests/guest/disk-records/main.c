// SPDX-License-Identifier: MIT
/*
 * Data safety. As a writer (option kill=NS): writes numbered records, flushes, says which are
 * acknowledged, and is ended by its own timer wherever it is at that time. As a reader (option
 * read=NS): waits so long, then says what is on the disk. The runner compares the two.
 */
#include "front.h"

#define RECORDS 200

static u64 page[512] __page_aligned;

static u64 word(u64 record, u64 i)
{
	return record * 0x9e3779b97f4a7c15ull ^ (i << 32);
}

static void die(struct guest_regs *r)
{
	(void)r;
	poweroff(SHUTDOWN_crash);
}

static void arm(u64 ns)
{
	struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};
	u64 now = clock_ns() - shared->vcpu_info[0].time.tsc_timestamp;
	struct vcpu_set_singleshot_timer op = {.timeout_abs_ns = now + ns};

	trap_hook = die;
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &bind), 0);
	for (unsigned int i = 0; i < 64; i++)
		shared->evtchn_mask[i] = ~0ull;
	shared->evtchn_mask[bind.port / 64] &= ~(1ull << bind.port % 64);
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	expect(call3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &op), 0);
}

static void write_records(struct block *b)
{
	grant(9, page, true);
	for (u64 record = 1; record <= RECORDS; record++) {
		for (u64 i = 0; i < 512; i++)
			page[i] = word(record, i);
		expect(block_do(b, BLKIF_OP_WRITE, record * 8, 9, 0, 7), BLKIF_RSP_OKAY);
		expect(block_do(b, BLKIF_OP_FLUSH_DISKCACHE, 0, 0, 0, 0), BLKIF_RSP_OKAY);
		say("acknowledged %lu\n", record);
	}
}

static void read_records(struct block *b)
{
	u64 record;

	grant(9, page, false);
	for (record = 1; record <= RECORDS; record++) {
		bool whole = true;

		expect(block_do(b, BLKIF_OP_READ, record * 8, 9, 0, 7), BLKIF_RSP_OKAY);
		for (u64 i = 0; i < 512; i++)
			whole &= page[i] == word(record, i);
		if (!whole)
			break;
	}
	say("found %lu\n", record - 1);
}

void test_main(void)
{
	struct block b;
	u64 kill = number_option("kill", 0), start = clock_ns();

	check(block_connect(&b));
	if (kill) {
		arm(kill);
		write_records(&b);
	} else {
		while (clock_ns() - start < number_option("read", 0))
			call2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		read_records(&b);
	}
}
