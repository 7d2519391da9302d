// SPDX-License-Identifier: MIT
/*
 * Where the guest wants its exceptions, events and system calls; assists.
 *
 * Handler addresses are checked to be canonical when they are registered: a return to a handler
 * can then not fault on our side.
 */
#include <hv/descriptors.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/processor.h>
#include <hv/string.h>
#include <hv/vcpu.h>
#include <xen/callback.h>

#define MAX_TRAPS	  256
#define TRAP_MASKS_EVENTS 4

static bool canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}

/* What entry.S reads. It delivers only in the usual form, with events masked; else C does. */
static void refresh_entries(struct vcpu *v)
{
	const struct trap_entry *pf = &v->traps[TRAP_PF];

	cpu.hot.syscall_entry = v->syscall.address;
	cpu.hot.page_fault_entry = pf->flags & TRAP_MASKS_EVENTS ? pf->address : 0;
	v->short_syscalls = v->syscall.address && v->syscall.masks_events;
	if (v->architectural_iopl) { /* it is in every frame */
		cpu.hot.page_fault_entry = 0;
		v->short_syscalls = false;
	}
	descriptors_set_short_syscalls(v->short_syscalls);
}

/* The list is taken entry by entry up to the one with address 0; NULL clears the table. */
long do_set_trap_table(u64 list)
{
	struct vcpu *v = current;

	if (!list) {
		memset(v->traps, 0, MAX_TRAPS * sizeof(v->traps[0]));
		refresh_entries(v);
		return 0;
	}
	for (u64 i = 0; i < MAX_TRAPS; i++) {
		struct trap_info t;

		if (!copy_elem_from(&t, list, i))
			return trace_error(-EFAULT);
		if (!t.address)
			break;
		if (!canonical(t.address))
			return trace_error(-EINVAL);
		v->traps[t.vector] = (struct trap_entry){.address = t.address, .flags = t.flags};
	}
	refresh_entries(v);
	return 0;
}

static struct callback *callback_of(struct vcpu *v, unsigned int type)
{
	switch (type) {
	case CALLBACKTYPE_event:
		return &v->event;
	case CALLBACKTYPE_failsafe:
		return &v->failsafe;
	case CALLBACKTYPE_syscall:
		return &v->syscall;
	case CALLBACKTYPE_syscall32:
		return &v->syscall32;
	default:
		return NULL;
	}
}

static long register_callback(struct vcpu *v, u64 arg)
{
	struct callback_register op;
	struct callback *c;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	if (!canonical(op.address))
		return trace_error(-EINVAL);
	if (op.type == CALLBACKTYPE_nmi || op.type == CALLBACKTYPE_sysenter)
		return 0; /* neither ever happens here */
	c = callback_of(v, op.type);
	if (!c)
		return trace_error(-ENOSYS);
	c->address = op.address;
	c->masks_events = (op.flags & CALLBACKF_mask_events) || op.type == CALLBACKTYPE_event;
	refresh_entries(v);
	return 0;
}

static long unregister_callback(struct vcpu *v, u64 arg)
{
	struct callback_unregister op;
	struct callback *c;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	c = callback_of(v, op.type);
	if (!c || op.type == CALLBACKTYPE_event || op.type == CALLBACKTYPE_failsafe)
		return trace_error(-EINVAL);
	*c = (struct callback){.address = 0};
	refresh_entries(v);
	return 0;
}

long do_callback_op(u64 cmd, u64 arg)
{
	switch (cmd) {
	case CALLBACKOP_register:
		return register_callback(current, arg);
	case CALLBACKOP_unregister:
		return unregister_callback(current, arg);
	default:
		return hypercall_unknown_op("callback_op", cmd);
	}
}

/* CR0.TS for guests that switch the FPU lazily; Linux only ever clears it. */
long do_fpu_taskswitch(u64 set)
{
	current->task_switched = set;
	write_cr0(set ? read_cr0() | X86_CR0_TS : read_cr0() & ~X86_CR0_TS);
	return 0;
}

/* Page-table writes are always emulated, so enabling that assist changes nothing. */
long do_vm_assist(u64 cmd, u64 type)
{
	if (cmd != VMASST_CMD_enable && cmd != VMASST_CMD_disable)
		return trace_error(-ENOSYS);
	switch (type) {
	case VMASST_TYPE_writable_pagetables:
		return 0;
	case VMASST_TYPE_architectural_iopl:
		current->architectural_iopl = cmd == VMASST_CMD_enable;
		refresh_entries(current);
		return 0;
	case VMASST_TYPE_runstate_update_flag:
		current->domain->runstate_update_flag = cmd == VMASST_CMD_enable;
		return 0;
	default:
		return trace_error(-EINVAL);
	}
}
