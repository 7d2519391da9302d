// SPDX-License-Identifier: MIT
/* sched_op: the guest waits, yields, polls or ends. */
#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <xen/event_channel.h>
#include <xen/sched.h>

#define MAX_POLL_PORTS 128

/* Unmasks events and sleeps unless one is pending already; it is delivered on the way out. */
static long block(void)
{
	struct vcpu_info *info = cpu.hot.vcpu_info;

	info->evtchn_upcall_mask = 0;
	if (!READ_ONCE(info->evtchn_upcall_pending))
		sched_block();
	return 0;
}

static bool any_pending(const struct domain *d, u64 ports, u32 count, bool *fault)
{
	for (u32 i = 0; i < count; i++) {
		u32 port;

		if (!copy_elem_from(&port, ports, i) || port >= EVTCHN_2L_NR_CHANNELS) {
			*fault = true;
			return false;
		}
		if (d->shared_info->evtchn_pending[port / 64] >> (port % 64) & 1)
			return true;
	}
	return false;
}

/*
 * Waits for one of some ports or a time. Any wake-up ends the wait: callers look again by contract.
 * A masked port raises no upcall and would not wake us, so such a wait becomes a yield.
 */
static long poll(struct domain *d, u64 arg)
{
	struct sched_poll op;
	bool fault = false;
	bool pending;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	if (op.nr_ports > MAX_POLL_PORTS)
		return trace_error(-EINVAL);
	pending = any_pending(d, (u64)op.ports.p, op.nr_ports, &fault);
	if (fault)
		return trace_error(-EFAULT);
	if (!pending && (!op.timeout || op.timeout > clock_now()))
		sched_yield();
	return 0;
}

static long shutdown(struct domain *d, u64 arg)
{
	struct sched_shutdown op;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	if (op.reason > SHUTDOWN_MAX)
		return trace_error(-EINVAL);
	domain_shutdown(d, op.reason);
	return 0;
}

long do_sched_op(u64 cmd, u64 arg)
{
	switch (cmd) {
	case SCHEDOP_yield:
		sched_yield();
		return 0;
	case SCHEDOP_block:
		return block();
	case SCHEDOP_poll:
		return poll(current->domain, arg);
	case SCHEDOP_shutdown:
		return shutdown(current->domain, arg);
	default:
		return hypercall_unknown_op("sched_op", cmd);
	}
}
