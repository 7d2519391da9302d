// SPDX-License-Identifier: MIT
/*
 * The domain ends in the middle of pinning a large tree: what was taken so far must be given back.
 * The runner looks at the balance of frames and at references left.
 */
#include "guest.h"

#define TABLES 480

static u64 l1[TABLES][512] __page_aligned;
static u64 l2[512] __page_aligned;
static u64 l3[512] __page_aligned;
static u8 page[PAGE_SIZE] __page_aligned;

static void hook(struct guest_regs *r)
{
	expect(r->vector, VECTOR_EVENT);
	finish();
}

void test_main(void)
{
	struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER};
	struct vcpu_set_singleshot_timer op = {.flags = 0};
	u32 lo, hi;

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
	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	op.timeout_abs_ns = ((u64)hi << 32 | lo) - shared->vcpu_info[0].time.tsc_timestamp + 300000;
	expect(call3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &op), 0);
	mmuext(MMUEXT_PIN_L3_TABLE, va_to_mfn(l3), 0);
	check(!"the timer did not interrupt the call");
}
