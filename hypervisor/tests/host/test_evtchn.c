// SPDX-License-Identifier: MIT
/* Event bits: pending, mask, selector, upcall; ports of every kind; peers that go away. */
#include "unit.h"
#include <hv/evtchn.h>
#include <hv/pagetable.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/vcpu.h>
#include <stdlib.h>
#include <string.h>
#include <xen/event_channel.h>

extern unsigned int fake_wakeups;

static unsigned int served;

static struct shared_info shared[3];
static struct vcpu vcpu[3];
static struct domain dom[3];

static void make(unsigned int i)
{
	dom[i] = (struct domain){
	    .id = (u16)i, .state = DOMAIN_RUNNING, .vcpu = &vcpu[i], .shared_info = &shared[i]};
	vcpu[i] = (struct vcpu){.domain = &dom[i], .vcpu_info = &shared[i].vcpu_info[0]};
	domains[i] = &dom[i];
	EXPECT(evtchn_init(&dom[i]) == 0);
}

static void bits(void)
{
	struct vcpu_info *info = vcpu[1].vcpu_info;

	fake_wakeups = 0;
	evtchn_set_pending(&dom[1], 130);
	EXPECT(shared[1].evtchn_pending[2] == 4);
	EXPECT(info->evtchn_pending_sel == 4 && info->evtchn_upcall_pending == 1);
	evtchn_set_pending(&dom[1], 130);
	EXPECT(fake_wakeups == 1);
	memset(&shared[1], 0, sizeof(shared[1]));
	shared[1].evtchn_mask[2] = 4;
	evtchn_set_pending(&dom[1], 130);
	EXPECT(shared[1].evtchn_pending[2] == 4 && info->evtchn_upcall_pending == 0);
	memset(&shared[1], 0, sizeof(shared[1]));
}

static long op(unsigned int cmd, void *arg)
{
	return do_event_channel_op(cmd, (u64)arg);
}

static void pairs(void)
{
	struct evtchn_alloc_unbound open = {.dom = DOMID_SELF, .remote_dom = 2};
	struct evtchn_bind_interdomain bind = {.remote_dom = 1};
	struct evtchn_send send;
	struct evtchn_close close;

	cpu.running = &vcpu[1];
	EXPECT(op(EVTCHNOP_alloc_unbound, &open) == 0);
	bind.remote_port = open.port;
	EXPECT(op(EVTCHNOP_bind_interdomain, &bind) == -EINVAL); /* not opened for domain 1 */
	cpu.running = &vcpu[2];
	EXPECT(op(EVTCHNOP_bind_interdomain, &bind) == 0);
	send.port = bind.local_port;
	EXPECT(op(EVTCHNOP_send, &send) == 0);
	EXPECT(shared[1].evtchn_pending[0] == 1ull << open.port);
	evtchn_release(&dom[2]); /* the peer goes: the port is open again */
	EXPECT(dom[1].evtchn[open.port].state == EVTCHN_UNBOUND);
	cpu.running = &vcpu[1];
	close.port = open.port;
	EXPECT(op(EVTCHNOP_close, &close) == 0);
	EXPECT(op(EVTCHNOP_close, &close) == -EINVAL);
}

static bool serve(struct domain *d)
{
	EXPECT(d == &dom[1]);
	served++;
	return true;
}

/* Wants to be called again the first time. */
static bool serve_other(struct domain *d)
{
	EXPECT(d == &dom[1]);
	served += 100;
	return served > 200;
}

static void virqs_and_services(void)
{
	struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER};
	struct evtchn_status status = {.dom = DOMID_SELF};
	struct evtchn_send send, other;
	struct evtchn_close close;

	memset(&shared[1], 0, sizeof(shared[1]));
	EXPECT(op(EVTCHNOP_bind_virq, &virq) == 0);
	EXPECT(op(EVTCHNOP_bind_virq, &virq) == -EEXIST);
	evtchn_raise_virq(&dom[1], VIRQ_TIMER);
	EXPECT(shared[1].evtchn_pending[0] == 1ull << virq.port);
	close.port = virq.port;
	EXPECT(op(EVTCHNOP_close, &close) == 0);
	evtchn_raise_virq(&dom[1], VIRQ_TIMER);
	EXPECT(op(EVTCHNOP_bind_virq, &virq) == 0);
	virq.virq = 24;
	EXPECT(op(EVTCHNOP_bind_virq, &virq) == -EINVAL);
	send.port = evtchn_serve(&dom[1], serve);
	other.port = evtchn_serve(&dom[1], serve_other);
	EXPECT(send.port && op(EVTCHNOP_send, &send) == 0 && served == 1);
	EXPECT(other.port);
	EXPECT(op(EVTCHNOP_send, &other) == __HYPERVISOR_event_channel_op && served == 101);
	EXPECT(op(EVTCHNOP_send, &other) == 0 && served == 201);
	status.port = other.port;
	EXPECT(op(EVTCHNOP_status, &status) == 0);
	EXPECT(status.status == EVTCHNSTAT_interdomain && status.u.interdomain.port == 0);
	close.port = send.port;
	EXPECT(op(EVTCHNOP_close, &close) == -EINVAL); /* ours, not the guest's to close */
	send.port = 0x80000000u;
	EXPECT(op(EVTCHNOP_send, &send) == -EINVAL);
	EXPECT(do_event_channel_op(EVTCHNOP_send, HV_VA_START) == -EFAULT);
	EXPECT(op(12345, &send) == -ENOSYS);
}

/* A port opened to a back end is served by it, and stays the guest's: Linux closes it, and dies if
 * that fails. */
static void back_end(void)
{
	struct evtchn_alloc_unbound open = {.dom = DOMID_SELF, .remote_dom = DOMID_BACKEND};
	struct evtchn_alloc_unbound other = {.dom = DOMID_SELF, .remote_dom = 2};
	struct evtchn_send send;
	struct evtchn_close close;

	EXPECT(op(EVTCHNOP_alloc_unbound, &open) == 0 && op(EVTCHNOP_alloc_unbound, &other) == 0);
	EXPECT(evtchn_join(&dom[1], other.port, serve) == -EINVAL); /* opened to somebody else */
	EXPECT(evtchn_join(&dom[1], other.port + 1, serve) == -EINVAL); /* not open */
	EXPECT(evtchn_join(&dom[1], 0, serve) == -EINVAL);
	EXPECT(evtchn_join(&dom[1], NR_EVTCHN, serve) == -EINVAL);
	EXPECT(evtchn_join(&dom[1], open.port, serve) == 0);
	EXPECT(evtchn_join(&dom[1], open.port, serve) == -EINVAL); /* once */
	served = 0;
	send.port = open.port;
	EXPECT(op(EVTCHNOP_send, &send) == 0 && served == 1);
	evtchn_leave(&dom[1], open.port);
	EXPECT(op(EVTCHNOP_send, &send) == 0 && served == 1);
	EXPECT(evtchn_join(&dom[1], open.port, serve) == 0);
	close.port = open.port;
	EXPECT(op(EVTCHNOP_close, &close) == 0 && op(EVTCHNOP_send, &send) == -EINVAL);
	evtchn_leave(&dom[1], open.port); /* too late, and no harm */
	EXPECT(evtchn_join(&dom[1], open.port, serve) == -EINVAL);
}

int main(void)
{
	make(1);
	make(2);
	bits();
	pairs();
	virqs_and_services();
	back_end();
	evtchn_release(&dom[1]);
	return unit_failures != 0;
}
