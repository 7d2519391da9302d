// SPDX-License-Identifier: MIT
/*
 * Event channels and time: ports are bound, sent, masked, closed; a masked port raises nothing; the
 * upcall comes only when events are unmasked; timers fire once, past ones at once; block returns.
 */
#include "guest.h"

static unsigned int upcalls;

static void hook(struct guest_regs *r)
{
	expect(r->vector, VECTOR_EVENT);
	check(shared->vcpu_info[0].evtchn_upcall_mask == 1);
	shared->vcpu_info[0].evtchn_upcall_pending = 0;
	shared->vcpu_info[0].evtchn_pending_sel = 0;
	for (unsigned int i = 0; i < 64; i++)
		shared->evtchn_pending[i] = 0;
	upcalls++;
}

static void unmask_events(void)
{
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	barrier();
	if (shared->vcpu_info[0].evtchn_upcall_pending)
		call2(__HYPERVISOR_xen_version, XENVER_version, 0);
}

static u32 bind_ipi(void)
{
	struct evtchn_bind_ipi op = {.vcpu = 0};

	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &op), 0);
	return op.port;
}

static long send(u32 port)
{
	struct evtchn_send op = {.port = port};

	return call2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &op);
}

static long close_port(u32 port)
{
	struct evtchn_close op = {.port = port};

	return call2(__HYPERVISOR_event_channel_op, EVTCHNOP_close, &op);
}

static u64 now(void)
{
	volatile struct vcpu_time_info *t = &shared->vcpu_info[0].time;
	u32 lo, hi;
	u64 ticks;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	ticks = ((u64)hi << 32 | lo) - t->tsc_timestamp;
	ticks = t->tsc_shift < 0 ? ticks >> -t->tsc_shift : ticks << t->tsc_shift;
	return t->system_time + (u64)(((unsigned __int128)ticks * t->tsc_to_system_mul) >> 32);
}

static long set_timer(u64 at)
{
	struct vcpu_set_singleshot_timer op = {.timeout_abs_ns = at};

	return call3(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, &op);
}

static void ports(void)
{
	u32 port = bind_ipi();
	struct evtchn_status status = {.dom = DOMID_SELF, .port = port};
	struct evtchn_alloc_unbound open = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF};

	shared->vcpu_info[0].evtchn_upcall_mask = 1;
	expect(send(port), 0);
	check(shared->vcpu_info[0].evtchn_upcall_pending);
	expect(upcalls, 0);
	unmask_events();
	expect(upcalls, 1);
	shared->evtchn_mask[0] |= 1ull << port;
	expect(send(port), 0);
	expect(upcalls, 1);
	check(shared->evtchn_pending[0] & (1ull << port));
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, &(struct evtchn_unmask){port}),
	       0);
	expect(upcalls, 2);
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &status), 0);
	expect(status.status, EVTCHNSTAT_ipi);
	expect(close_port(port), 0);
	expect(close_port(port), -EINVAL);
	expect(send(port), -EINVAL);
	expect(send(0), -EINVAL);
	expect(send(0xffffffff), -EINVAL);
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_init_control, 0), -ENOSYS);
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &open), 0);
	bind.remote_port = open.port;
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind), 0);
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind), -EINVAL);
	upcalls = 0;
	expect(send(open.port), 0);
	check(upcalls > 0);
	expect(close_port(open.port), 0);
	expect(close_port(bind.local_port), 0);
	bind.remote_dom = 77;
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, &bind), -ESRCH);
}

static void exhaustion(void)
{
	struct evtchn_bind_ipi op = {.vcpu = 0};
	static u32 got[1024];
	unsigned int n = 0;

	while (n < 1024 && call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &op) == 0)
		got[n++] = op.port;
	check(n > 100 && n < 1024);
	while (n--)
		expect(close_port(got[n]), 0);
}

static void timers(void)
{
	struct evtchn_bind_virq op = {.virq = VIRQ_TIMER};
	u64 start;

	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &op), 0);
	expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &op), -EEXIST);
	unmask_events();
	upcalls = 0;
	expect(set_timer(0), 0);
	expect(upcalls, 1);
	start = now();
	expect(set_timer(start + 1000000), 0);
	expect(call2(__HYPERVISOR_sched_op, SCHEDOP_block, 0), 0);
	expect(upcalls, 2);
	check(now() >= start + 1000000 && now() < start + 1100000);
	start = now();
	expect(set_timer(start + 200000), 0);
	while (upcalls == 2 && now() < start + 10000000)
		;
	expect(upcalls, 3);
	expect(set_timer(now() + 100000), 0);
	expect(call3(__HYPERVISOR_vcpu_op, VCPUOP_stop_singleshot_timer, 0, 0), 0);
	start = now();
	while (now() < start + 1000000)
		;
	expect(upcalls, 3);
	expect(call1(__HYPERVISOR_set_timer_op, now() + 100000), 0);
	expect(call2(__HYPERVISOR_sched_op, SCHEDOP_block, 0), 0);
	expect(upcalls, 4);
}

void test_main(void)
{
	trap_hook = hook;
	unmask_events();
	upcalls = 0;
	ports();
	exhaustion();
	timers();
}
