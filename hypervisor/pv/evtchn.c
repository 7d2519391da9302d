// SPDX-License-Identifier: MIT
/*
 * Event channels, in the two-level form: 64 words of pending and mask bits in shared_info, and a
 * selector word per vCPU with a bit for each pending word that is worth looking at.
 *
 * The guest owns the mask bits and clears pending ones; all this memory is the guest's to scribble
 * on, so nothing of ours depends on it. What a port is connected to is kept here, out of its reach.
 * Delivery on a return to the guest is entry.S's and pv/trap.c's business.
 */
#include <hv/evtchn.h>
#include <hv/console.h>
#include <hv/frame.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <xen/event_channel.h>

static_assert(NR_EVTCHN * sizeof(struct evtchn) <= PAGE_SIZE, "ports fit a page");

int evtchn_init(struct domain *d)
{
	d->evtchn = domain_page_alloc(d);
	return d->evtchn ? 0 : -ENOMEM;
}

/* Port 0 is never valid. */
static struct evtchn *port_of(struct domain *d, u32 port)
{
	return port > 0 && port < NR_EVTCHN ? &d->evtchn[port] : NULL;
}

static u32 free_port(struct domain *d)
{
	for (u32 p = 1; p < NR_EVTCHN; p++)
		if (d->evtchn[p].state == EVTCHN_FREE)
			return p;
	return 0;
}

u32 evtchn_alloc_console(struct domain *d)
{
	u32 port = free_port(d);

	if (port)
		d->evtchn[port].state = EVTCHN_CONSOLE;
	return port;
}

void evtchn_set_pending(struct domain *d, u32 port)
{
	struct shared_info *s = d->shared_info;
	struct vcpu_info *info = d->vcpu->vcpu_info;
	u64 bit = 1ull << (port % 64);

	if (s->evtchn_pending[port / 64] & bit)
		return;
	s->evtchn_pending[port / 64] |= bit;
	if (s->evtchn_mask[port / 64] & bit)
		return;
	info->evtchn_pending_sel |= 1ull << (port / 64);
	info->evtchn_upcall_pending = 1;
	sched_wake(d->vcpu);
}

void evtchn_raise_virq(struct domain *d, u32 virq)
{
	if (d->virq_port[virq])
		evtchn_set_pending(d, d->virq_port[virq]);
}

static void disconnect(struct domain *d, u32 port)
{
	struct evtchn *c = &d->evtchn[port];

	if (c->state == EVTCHN_INTERDOMAIN) {
		struct evtchn *peer = &domains[c->domain]->evtchn[c->port];

		peer->state = EVTCHN_UNBOUND;
		peer->domain = d->id;
	}
	if (c->state == EVTCHN_VIRQ)
		d->virq_port[c->port] = 0;
	*c = (struct evtchn){.state = EVTCHN_FREE};
}

void evtchn_release(struct domain *d)
{
	if (!d->evtchn)
		return;
	for (u32 p = 1; p < NR_EVTCHN; p++)
		if (d->evtchn[p].state != EVTCHN_FREE)
			disconnect(d, p);
	page_free(d->evtchn);
	d->evtchn = NULL;
}

static long send(struct domain *d, u32 port)
{
	struct evtchn *c = port_of(d, port);

	if (!c)
		return -EINVAL;
	switch (c->state) {
	case EVTCHN_INTERDOMAIN:
		evtchn_set_pending(domains[c->domain], c->port);
		return 0;
	case EVTCHN_IPI:
		evtchn_set_pending(d, port);
		return 0;
	case EVTCHN_CONSOLE:
		console_ring_drain(d);
		return 0;
	case EVTCHN_UNBOUND:
		return 0;
	default:
		return -EINVAL;
	}
}

static long alloc_unbound(struct domain *d, u64 arg)
{
	struct evtchn_alloc_unbound op;
	u32 port;

	if (!copy_arg_from(&op, arg))
		return -EFAULT;
	if (!domain_for(d, op.dom))
		return -EPERM;
	port = free_port(d);
	if (!port)
		return -ENOSPC;
	op.port = port;
	if (!copy_arg_to(arg, &op))
		return -EFAULT;
	d->evtchn[port] = (struct evtchn){
	    .state = EVTCHN_UNBOUND,
	    .domain = op.remote_dom == DOMID_SELF ? d->id : op.remote_dom,
	};
	return 0;
}

/* Connects a new port of ours with a port that its owner left open for us. */
static long bind_interdomain(struct domain *d, u64 arg)
{
	struct evtchn_bind_interdomain op;
	struct domain *remote;
	struct evtchn *peer;
	u32 port;

	if (!copy_arg_from(&op, arg))
		return -EFAULT;
	remote = domain_by_id(op.remote_dom);
	if (!remote || remote->state != DOMAIN_RUNNING)
		return -ESRCH;
	peer = port_of(remote, op.remote_port);
	if (!peer || peer->state != EVTCHN_UNBOUND || peer->domain != d->id)
		return -EINVAL;
	port = free_port(d);
	if (!port)
		return -ENOSPC;
	op.local_port = port;
	if (!copy_arg_to(arg, &op))
		return -EFAULT;
	d->evtchn[port] = (struct evtchn){EVTCHN_INTERDOMAIN, remote->id, op.remote_port};
	*peer = (struct evtchn){EVTCHN_INTERDOMAIN, d->id, port};
	/* Whatever was sent before the connection must not be lost. */
	evtchn_set_pending(d, port);
	return 0;
}

static long bind_virq(struct domain *d, u64 arg)
{
	struct evtchn_bind_virq op;
	u32 port;

	if (!copy_arg_from(&op, arg))
		return -EFAULT;
	if (op.vcpu != 0)
		return -ENOENT;
	if (op.virq != VIRQ_TIMER && op.virq != VIRQ_DEBUG)
		return -EINVAL;
	if (d->virq_port[op.virq])
		return -EEXIST;
	port = free_port(d);
	if (!port)
		return -ENOSPC;
	op.port = port;
	if (!copy_arg_to(arg, &op))
		return -EFAULT;
	d->evtchn[port] = (struct evtchn){.state = EVTCHN_VIRQ, .port = op.virq};
	d->virq_port[op.virq] = port;
	return 0;
}

static long bind_ipi(struct domain *d, u64 arg)
{
	struct evtchn_bind_ipi op;
	u32 port;

	if (!copy_arg_from(&op, arg))
		return -EFAULT;
	if (op.vcpu != 0)
		return -ENOENT;
	port = free_port(d);
	if (!port)
		return -ENOSPC;
	op.port = port;
	if (!copy_arg_to(arg, &op))
		return -EFAULT;
	d->evtchn[port] = (struct evtchn){.state = EVTCHN_IPI};
	return 0;
}

static long close_port(struct domain *d, u64 arg)
{
	struct evtchn_close op;
	struct evtchn *c;

	if (!copy_arg_from(&op, arg))
		return -EFAULT;
	c = port_of(d, op.port);
	if (!c || c->state == EVTCHN_FREE || c->state == EVTCHN_CONSOLE)
		return -EINVAL;
	disconnect(d, op.port);
	return 0;
}

static long status(struct domain *d, u64 arg)
{
	struct evtchn_status op;
	struct evtchn *c;

	if (!copy_arg_from(&op, arg))
		return -EFAULT;
	if (!domain_for(d, op.dom))
		return -EPERM;
	c = port_of(d, op.port);
	if (!c)
		return -EINVAL;
	op.vcpu = 0;
	switch (c->state) {
	case EVTCHN_FREE:
		op.status = EVTCHNSTAT_closed;
		break;
	case EVTCHN_UNBOUND:
		op.status = EVTCHNSTAT_unbound;
		op.u.unbound.dom = c->domain;
		break;
	case EVTCHN_VIRQ:
		op.status = EVTCHNSTAT_virq;
		op.u.virq = c->port;
		break;
	case EVTCHN_IPI:
		op.status = EVTCHNSTAT_ipi;
		break;
	default:
		op.status = EVTCHNSTAT_interdomain;
		op.u.interdomain.dom = c->domain;
		op.u.interdomain.port = c->port;
	}
	return copy_arg_to(arg, &op) ? 0 : -EFAULT;
}

/* Clears the mask bit; an event that came meanwhile is delivered now. */
static long unmask(struct domain *d, u64 arg)
{
	struct evtchn_unmask op;
	u64 bit;

	if (!copy_arg_from(&op, arg))
		return -EFAULT;
	if (!port_of(d, op.port))
		return -EINVAL;
	bit = 1ull << (op.port % 64);
	d->shared_info->evtchn_mask[op.port / 64] &= ~bit;
	if (d->shared_info->evtchn_pending[op.port / 64] & bit) {
		d->shared_info->evtchn_pending[op.port / 64] &= ~bit;
		evtchn_set_pending(d, op.port);
	}
	return 0;
}

static long bind_vcpu(struct domain *d, u64 arg)
{
	struct evtchn_bind_vcpu op;

	if (!copy_arg_from(&op, arg))
		return -EFAULT;
	if (op.vcpu != 0)
		return -ENOENT;
	return port_of(d, op.port) && d->evtchn[op.port].state != EVTCHN_FREE ? 0 : -EINVAL;
}

long do_event_channel_op(u64 cmd, u64 arg)
{
	struct domain *d = current->domain;
	struct evtchn_send op;

	switch (cmd) {
	case EVTCHNOP_send:
		return copy_arg_from(&op, arg) ? send(d, op.port) : -EFAULT;
	case EVTCHNOP_alloc_unbound:
		return alloc_unbound(d, arg);
	case EVTCHNOP_bind_interdomain:
		return bind_interdomain(d, arg);
	case EVTCHNOP_bind_virq:
		return bind_virq(d, arg);
	case EVTCHNOP_bind_ipi:
		return bind_ipi(d, arg);
	case EVTCHNOP_close:
		return close_port(d, arg);
	case EVTCHNOP_status:
		return status(d, arg);
	case EVTCHNOP_unmask:
		return unmask(d, arg);
	case EVTCHNOP_bind_vcpu:
		return bind_vcpu(d, arg);
	case EVTCHNOP_init_control: /* the FIFO form: Linux then uses ours */
	case EVTCHNOP_expand_array:
	case EVTCHNOP_set_priority:
		return -ENOSYS;
	default:
		return hypercall_unknown_op("event_channel_op", cmd);
	}
}
