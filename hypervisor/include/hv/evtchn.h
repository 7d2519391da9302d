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

/* Makes port pending, raises the upcall and wakes d as the ABI says. */
void evtchn_set_pending(struct domain *d, u32 port);

/* Raises a virtual interrupt, if d has bound it. */
void evtchn_raise_virq(struct domain *d, u32 virq);

#endif
