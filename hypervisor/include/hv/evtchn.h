/* SPDX-License-Identifier: MIT */
/* Event channels, two-level ABI. */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include <hv/domain.h>
#include <hv/types.h>

enum evtchn_state {
	EVTCHN_FREE,
	EVTCHN_UNBOUND,	    /* waits for a peer: .domain may bind */
	EVTCHN_INTERDOMAIN, /* connected to .domain, .port */
	EVTCHN_VIRQ,	    /* .port is the VIRQ */
	EVTCHN_IPI,
	EVTCHN_SERVED, /* by us: a send calls the service numbered .port */
	EVTCHN_JOINED, /* likewise, but opened by the guest for a back end, and its to close */
};

struct evtchn {
	u8 state;
	u16 domain;
	u32 port;
};

/* Ports of a domain; the ABI would allow 4096. */
#define NR_EVTCHN 512u

/* The part of a domain: its port table; at its end peers are disconnected. Returns -ENOMEM. */
__must_check int evtchn_init(struct domain *d);
bool evtchn_release(struct domain *d);

/* What we do when d sends to a port that we serve; false: a timer is due, the send is made again.
 */
typedef bool (*evtchn_service)(struct domain *d);

/* Takes a port of d to be served by fn; 0 if none is free. The guest cannot close it. */
u32 evtchn_serve(struct domain *d, evtchn_service fn);

/* The domain number that front ends open ports and pages to: ours, as no guest has it. */
#define DOMID_BACKEND 0

/* Serves a port that d opened to DOMID_BACKEND. -EINVAL: it did not. */
__must_check int evtchn_join(struct domain *d, u32 port, evtchn_service fn);

/* Leaves it open as it was; if d closed it meanwhile, nothing happens. */
void evtchn_leave(struct domain *d, u32 port);

/* Makes port pending, raises the upcall and wakes d as the ABI says. */
void evtchn_set_pending(struct domain *d, u32 port);

/* Raises a virtual interrupt, if d has bound it. */
void evtchn_raise_virq(struct domain *d, u32 virq);

#endif
