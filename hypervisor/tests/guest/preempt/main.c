// SPDX-License-Identifier: MIT
/*
 * Pinning and unpinning a large tree of tables takes milliseconds of checking. A timer that is due
 * meanwhile must come through, to us as to another domain, and the call must still finish. While it
 * is half checked, a table can be neither written nor mapped writable. (Half released, the next
 * call that changes tables finishes the release first.)
 */
#include "guest.h"

#define TABLES 480

static u64 l1[TABLES][512] __page_aligned;
static u64 l2[512] __page_aligned;
static u64 l3[512] __page_aligned;
static u8 page[PAGE_SIZE] __page_aligned;
static u64 fired_at;
static bool probing;

static u64 now(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((u64)hi << 32 | lo) - shared->vcpu_info[0].time.tsc_timestamp;
}

static void hook(struct guest_regs *r)
{
	expect(r->vector, VECTOR_EVENT);
	fired_at = now();
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	shared->evtchn_pending[0] = 0;
	if (!probing)
		return;
	check(remap(l2, RW(va_to_mfn(l2))) < 0);
	check(remap(l3, RW(va_to_mfn(l3))) < 0);
	check(mmu_update((va_to_mfn(l2) << PAGE_SHIFT) + 8, 0) < 0);
	probing = false;
}

/* Sets the timer, makes the call, and looks when the event came. The clock counts nanoseconds. */
static void timed(unsigned int cmd, u64 m)
{
	struct vcpu_set_singleshot_timer op;
	u64 start = now();

	fired_at = 0;
	probing = cmd != MMUEXT_UNPIN_TABLE;
	op.timeout_abs_ns = start + 300000;
	op.flags = 0;
	expect(call3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &op), 0);
	expect(mmuext(cmd, m, 0), 0);
	check(now() > start + 1000000); /* else it proves nothing */
	check(fired_at >= start + 300000 && fired_at < start + 450000);
	check(!probing);
}

void test_main(void)
{
	struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER};

	trap_hook = hook;
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &virq), 0);
	for (unsigned int i = 0; i < TABLES; i++) {
		for (unsigned int k = 0; k < 512; k++)
			l1[i][k] = RO(va_to_mfn(page));
		expect(remap(l1[i], RO(va_to_mfn(l1[i]))), 0);
		l2[i] = RW(va_to_mfn(l1[i]));
	}
	l3[0] = RW(va_to_mfn(l2));
	expect(remap(l2, RO(va_to_mfn(l2))), 0);
	expect(remap(l3, RO(va_to_mfn(l3))), 0);
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	timed(MMUEXT_PIN_L3_TABLE, va_to_mfn(l3));
	check(remap(l2, RW(va_to_mfn(l2))) < 0);
	check(remap(l1[7], RW(va_to_mfn(l1[7]))) < 0);
	timed(MMUEXT_UNPIN_TABLE, va_to_mfn(l3));
	expect(remap(l3, RW(va_to_mfn(l3))), 0);
	expect(remap(l2, RW(va_to_mfn(l2))), 0);
	for (unsigned int i = 0; i < TABLES; i++)
		expect(remap(l1[i], RW(va_to_mfn(l1[i]))), 0);
	/* Once more, and left to the domain's end. */
	for (unsigned int i = 0; i < TABLES; i++)
		expect(remap(l1[i], RO(va_to_mfn(l1[i]))), 0);
	expect(remap(l2, RO(va_to_mfn(l2))), 0);
	expect(remap(l3, RO(va_to_mfn(l3))), 0);
	expect(mmuext(MMUEXT_PIN_L3_TABLE, va_to_mfn(l3), 0), 0);
}
