// SPDX-License-Identifier: MIT
/*
 * A bad neighbour: floods itself with events and timers, yields, faults, prints and makes the
 * longest batches it can. It must not keep the other domain from its share, nor disturb its output.
 */
#include "guest.h"

static struct mmu_update batch[4096] __page_aligned;
static u8 page[PAGE_SIZE] __page_aligned;

static void hook(struct guest_regs *r)
{
	(void)r;
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	for (unsigned int i = 0; i < 64; i++)
		shared->evtchn_pending[i] = 0;
}

static void fault(u64 va)
{
	WRITE_ONCE(*(u64 *)va, 1);
}

void test_main(void)
{
	struct evtchn_bind_ipi ipi = {.vcpu = 0};
	struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER};
	struct evtchn_send op;
	struct vcpu_set_singleshot_timer timer = {.timeout_abs_ns = 1};
	u32 done = 0;

	trap_hook = hook;
	call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &ipi);
	call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &virq);
	op.port = ipi.port;
	for (unsigned int i = 0; i < ARRAY_SIZE(batch); i++)
		batch[i] = (struct mmu_update){pte_address((u64)page, 1),
					       i & 1 ? RW(va_to_mfn(page)) : RO(va_to_mfn(page))};
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	for (unsigned int i = 0; i < 20000; i++) {
		call2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &op);
		call3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &timer);
		expect(catch_trap(fault, 0x1000), 14);
		shared->vcpu_info[0].evtchn_upcall_mask = 0;
		if (i % 100 == 0) {
			expect(call4(__HYPERVISOR_mmu_update, batch, ARRAY_SIZE(batch), &done,
				     DOMID_SELF),
			       0);
			expect(done, ARRAY_SIZE(batch));
			say("storm %u\n", i);
		}
	}
}
