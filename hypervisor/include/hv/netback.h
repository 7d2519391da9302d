/* SPDX-License-Identifier: MIT */
/* Packets between the rings of interfaces and the cards. */
#ifndef HV_NETBACK_H
#define HV_NETBACK_H

#include <hv/vif.h>

/* Packets may pass from and to v, whose rings are held and whose port is set. */
void netback_start(struct vif *v);

/* None any more; what the card still reads stays held, and is counted by v->packets. */
void netback_stop(struct vif *v);

/* The front ends of d sent an event. False: a timer is due, to be called again. */
bool netback_service(struct domain *d);

/* Forgets v, whose domain ends. Precondition: stopped. */
void netback_forget(struct vif *v);

/* How often, and how many instructions each, packets passed all interfaces; option stats. */
void netback_report(void);

#endif
