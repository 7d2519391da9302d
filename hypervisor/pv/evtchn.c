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
#include <hv/frame.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <xen/event_channel.h>

static_assert(NR_EVTCHN * sizeof(struct evtchn) <= PAGE_SIZE, "ports fit a page");

static evtchn_service services[4];

int evtchn_init(struct domain *d)
{
	d->evtchn = domain_page_alloc(d);
	return d->evtchn ? 0 : trace_error(-ENOMEM);
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

/* Which service a port has is told by a number, the same for all domains. */
static unsigned int service_number(evtchn_service fn)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(services); i++) {
		if (!services[i])
			services[i] = fn;
		if (services[i] == fn)
			return i;
	}
	panic("more services than event channels can tell apart\n");
}

u32 evtchn_serve(struct domain *d, evtchn_service fn)
{
	u32 port = free_port(d);

	if (port)
		d->evtchn[port] = (struct evtchn){EVTCHN_SERVED, 0, service_number(fn)};
	return port;
}

int evtchn_join(struct domain *d, u32 port, evtchn_service fn)
{
	struct evtchn *c = port_of(d, port);

	if (!c || c->state != EVTCHN_UNBOUND || c->domain != DOMID_BACKEND)
		return -EINVAL;
	*c = (struct evtchn){EVTCHN_JOINED, DOMID_BACKEND, service_number(fn)};
	return 0;
}

void evtchn_leave(struct domain *d, u32 port)
{
	struct evtchn *c = port_of(d, port);

	if (c && c->state == EVTCHN_JOINED)
		*c = (struct evtchn){EVTCHN_UNBOUND, DOMID_BACKEND, 0};
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

bool evtchn_release(struct domain *d)
{
	for (u32 p = 1; p < NR_EVTCHN; p++)
		if (d->evtchn[p].state != EVTCHN_FREE)
			disconnect(d, p);
	page_free(d->evtchn);
	d->evtchn = NULL;
	return true;
}

/* The structure that each operation of ours reads, as a copy of the guest's. */
union operation {
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_status status;
	struct evtchn_unmask unmask;
};

static long send(struct domain *d, union operation *op)
{
	u32 port = op->send.port;
	struct evtchn *c = port_of(d, port);

	if (!c)
		return trace_error(-EINVAL);
	switch (c->state) {
	case EVTCHN_INTERDOMAIN:
		evtchn_set_pending(domains[c->domain], c->port);
		return 0;
	case EVTCHN_IPI:
		evtchn_set_pending(d, port);
		return 0;
	case EVTCHN_SERVED:
	case EVTCHN_JOINED:
		if (!services[c->port](d))
			return hypercall_continue(__HYPERVISOR_event_channel_op, 0, NULL);
		return 0;
	case EVTCHN_UNBOUND:
		return 0;
	default:
		return trace_error(-EINVAL);
	}
}

/* Connects a new port of d. Its number goes to the guest with the rest of the structure. */
static long connect(struct domain *d, struct evtchn c, u32 *number)
{
	u32 port = free_port(d);

	if (!port)
		return trace_error(-ENOSPC);
	d->evtchn[port] = c;
	*number = port;
	return 0;
}

static long alloc_unbound(struct domain *d, union operation *op)
{
	struct evtchn c = {EVTCHN_UNBOUND, op->alloc_unbound.remote_dom, 0};

	if (!domain_for(d, op->alloc_unbound.dom))
		return trace_error(-EPERM);
	if (c.domain == DOMID_SELF)
		c.domain = d->id;
	return connect(d, c, &op->alloc_unbound.port);
}

/* Connects a new port of ours with a port that its owner left open for us. */
static long bind_interdomain(struct domain *d, union operation *op)
{
	struct domain *remote = domain_by_id(op->bind_interdomain.remote_dom);
	u32 remote_port = op->bind_interdomain.remote_port;
	u32 *port = &op->bind_interdomain.local_port;
	struct evtchn *peer;
	long rc;

	if (!remote || remote->state != DOMAIN_RUNNING)
		return trace_error(-ESRCH);
	peer = port_of(remote, remote_port);
	if (!peer || peer->state != EVTCHN_UNBOUND || peer->domain != d->id)
		return trace_error(-EINVAL);
	rc = connect(d, (struct evtchn){EVTCHN_INTERDOMAIN, remote->id, remote_port}, port);
	if (rc < 0)
		return rc;
	*peer = (struct evtchn){EVTCHN_INTERDOMAIN, d->id, *port};
	/* Whatever was sent before the connection must not be lost. */
	evtchn_set_pending(d, *port);
	return 0;
}

static long bind_virq(struct domain *d, union operation *op)
{
	u32 virq = op->bind_virq.virq;

	if (op->bind_virq.vcpu != 0)
		return trace_error(-ENOENT);
	if (virq != VIRQ_TIMER && virq != VIRQ_DEBUG)
		return trace_error(-EINVAL);
	if (d->virq_port[virq])
		return trace_error(-EEXIST);
	if (connect(d, (struct evtchn){EVTCHN_VIRQ, 0, virq}, &op->bind_virq.port) < 0)
		return trace_error(-ENOSPC);
	d->virq_port[virq] = op->bind_virq.port;
	return 0;
}

static long bind_ipi(struct domain *d, union operation *op)
{
	if (op->bind_ipi.vcpu != 0)
		return trace_error(-ENOENT);
	return connect(d, (struct evtchn){.state = EVTCHN_IPI}, &op->bind_ipi.port);
}

static long close_port(struct domain *d, union operation *op)
{
	struct evtchn *c = port_of(d, op->close.port);

	if (!c || c->state == EVTCHN_FREE || c->state == EVTCHN_SERVED)
		return trace_error(-EINVAL);
	disconnect(d, op->close.port);
	return 0;
}

/* What we serve looks like a port of domain 0, whoever that may be. */
static long status(struct domain *d, union operation *op)
{
	struct evtchn_status *s = &op->status;
	struct evtchn *c = port_of(d, s->port);

	if (!domain_for(d, s->dom))
		return trace_error(-EPERM);
	if (!c)
		return trace_error(-EINVAL);
	s->vcpu = 0;
	switch (c->state) {
	case EVTCHN_FREE:
		s->status = EVTCHNSTAT_closed;
		break;
	case EVTCHN_UNBOUND:
		s->status = EVTCHNSTAT_unbound;
		s->u.unbound.dom = c->domain;
		break;
	case EVTCHN_VIRQ:
		s->status = EVTCHNSTAT_virq;
		s->u.virq = c->port;
		break;
	case EVTCHN_IPI:
		s->status = EVTCHNSTAT_ipi;
		break;
	default:
		s->status = EVTCHNSTAT_interdomain;
		s->u.interdomain.dom = c->domain;
		s->u.interdomain.port = c->state == EVTCHN_INTERDOMAIN ? c->port : 0;
	}
	return 0;
}

/* Clears the mask bit; an event that came meanwhile is delivered now. */
static long unmask(struct domain *d, union operation *op)
{
	u32 port = op->unmask.port;
	u64 bit = 1ull << (port % 64);

	if (!port_of(d, port))
		return trace_error(-EINVAL);
	d->shared_info->evtchn_mask[port / 64] &= ~bit;
	if (d->shared_info->evtchn_pending[port / 64] & bit) {
		d->shared_info->evtchn_pending[port / 64] &= ~bit;
		evtchn_set_pending(d, port);
	}
	return 0;
}

static long bind_vcpu(struct domain *d, union operation *op)
{
	struct evtchn *c = port_of(d, op->bind_vcpu.port);

	if (op->bind_vcpu.vcpu != 0)
		return trace_error(-ENOENT);
	return c && c->state != EVTCHN_FREE ? 0 : trace_error(-EINVAL);
}

#define OPERATION(field, handler, does_answer)                                                     \
	{.size = sizeof(((union operation *)NULL)->field), .answers = does_answer, .fn = handler}

static const struct {
	u32 size;
	bool answers; /* the structure goes back to the guest, with the number of a port */
	long (*fn)(struct domain *d, union operation *op);
} operations[] = {
    [EVTCHNOP_send] = OPERATION(send, send, false),
    [EVTCHNOP_alloc_unbound] = OPERATION(alloc_unbound, alloc_unbound, true),
    [EVTCHNOP_bind_interdomain] = OPERATION(bind_interdomain, bind_interdomain, true),
    [EVTCHNOP_bind_virq] = OPERATION(bind_virq, bind_virq, true),
    [EVTCHNOP_bind_ipi] = OPERATION(bind_ipi, bind_ipi, true),
    [EVTCHNOP_close] = OPERATION(close, close_port, false),
    [EVTCHNOP_status] = OPERATION(status, status, true),
    [EVTCHNOP_unmask] = OPERATION(unmask, unmask, false),
    [EVTCHNOP_bind_vcpu] = OPERATION(bind_vcpu, bind_vcpu, false),
};

/*
 * A structure that is to be answered is first written back as it is: then the answer can no longer
 * fail, for no operation of ours changes what the guest has mapped, and nothing is to be undone.
 */
long do_event_channel_op(u64 cmd, u64 arg)
{
	union operation op;
	long rc;

	if (cmd == EVTCHNOP_init_control || cmd == EVTCHNOP_expand_array ||
	    cmd == EVTCHNOP_set_priority)
		return trace_error(-ENOSYS); /* the FIFO form: Linux then uses ours */
	if (cmd >= ARRAY_SIZE(operations) || !operations[cmd].fn)
		return hypercall_unknown_op("event_channel_op", cmd);
	if (!copy_from_guest(&op, vaddr(arg), operations[cmd].size))
		return trace_error(-EFAULT);
	if (!operations[cmd].answers)
		return operations[cmd].fn(current->domain, &op);
	if (!copy_to_guest(vaddr(arg), &op, operations[cmd].size))
		return trace_error(-EFAULT);
	rc = operations[cmd].fn(current->domain, &op);
	BUG_ON(rc == 0 && !copy_to_guest(vaddr(arg), &op, operations[cmd].size));
	return rc;
}
