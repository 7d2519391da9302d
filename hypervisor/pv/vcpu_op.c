// SPDX-License-Identifier: MIT
/* vcpu_op: there is one vCPU per domain, number 0, always up. */
#include <hv/clock.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/timer.h>
#include <hv/vcpu.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

/* XEN_PVCLOCK second copy for the vDSO: a record at a guest address, written once. */
static long register_time_area(u64 arg)
{
	struct vcpu_register_time_memory_area area;
	struct vcpu_time_info t = {.version = 0};

	if (!copy_arg_from(&area, arg))
		return trace_error(-EFAULT);
	timer_fill_clock(&t);
	return copy_to_guest(vaddr((u64)area.addr.v), &t, sizeof(t)) ? 0 : trace_error(-EFAULT);
}

static long register_runstate(struct vcpu *v, u64 arg)
{
	struct vcpu_register_runstate_memory_area area;

	if (!copy_arg_from(&area, arg))
		return trace_error(-EFAULT);
	v->runstate_area = vaddr((u64)area.addr.v);
	vcpu_set_runstate(v, RUNSTATE_running, clock_now());
	vcpu_publish_runstate(v);
	return v->runstate_area.n || !area.addr.v ? 0 : trace_error(-EFAULT);
}

/*
 * Moves the live vcpu_info into the guest's own page: the old contents go along, and everything is
 * marked pending, so that no event falls between the two. Only once.
 */
static long register_info(struct domain *d, struct vcpu *v, u64 arg)
{
	struct vcpu_register_vcpu_info op;
	struct vcpu_info *info;
	int rc;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	if (v->info_frame.n != MFN_INVALID.n || op.offset > PAGE_SIZE - sizeof(*info) ||
	    op.offset % sizeof(u64))
		return trace_error(-EINVAL);
	rc = page_get_type(d, mfn(op.mfn), FT_WRITABLE);
	if (rc < 0)
		return rc;
	info = (struct vcpu_info *)((u8 *)mfn_to_virt(mfn(op.mfn)) + op.offset);
	*info = *v->vcpu_info;
	timer_fill_clock(&info->time);
	info->evtchn_pending_sel = ~0ull;
	info->evtchn_upcall_pending = 1;
	v->info_frame = mfn(op.mfn);
	v->vcpu_info = info;
	cpu.hot.vcpu_info = info;
	return 0;
}

static long set_singleshot(struct vcpu *v, u64 arg)
{
	struct vcpu_set_singleshot_timer op;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	if ((op.flags & VCPU_SSHOTTMR_future) && op.timeout_abs_ns < clock_now())
		return trace_error(-XEN_ETIME);
	/* 0 would mean "none" to the scheduler; it is as much in the past as 1. */
	sched_set_timer(v, op.timeout_abs_ns ? op.timeout_abs_ns : 1);
	return 0;
}

static long get_runstate(struct vcpu *v, u64 arg)
{
	vcpu_set_runstate(v, RUNSTATE_running, clock_now());
	return copy_arg_to(arg, &v->runstate) ? 0 : trace_error(-EFAULT);
}

long do_vcpu_op(u64 cmd, u64 id, u64 arg)
{
	struct vcpu *v = current;

	if ((u32)id != 0)
		return trace_error(-ENOENT);
	switch (cmd) {
	case VCPUOP_is_up:
		return 1;
	case VCPUOP_register_runstate_memory_area:
		return register_runstate(v, arg);
	case VCPUOP_get_runstate_info:
		return get_runstate(v, arg);
	case VCPUOP_register_vcpu_info:
		return register_info(v->domain, v, arg);
	case VCPUOP_register_vcpu_time_memory_area:
		return register_time_area(arg);
	case VCPUOP_stop_periodic_timer:
		return 0;
	case VCPUOP_stop_singleshot_timer:
		sched_set_timer(v, 0);
		return 0;
	case VCPUOP_set_singleshot_timer:
		return set_singleshot(v, arg);
	case VCPUOP_down: /* the only vCPU: nothing can bring it up again */
		domain_shutdown(v->domain, SHUTDOWN_crash);
		return 0;
	case VCPUOP_up:
		return 0;
	default:
		return hypercall_unknown_op("vcpu_op", cmd);
	}
}
