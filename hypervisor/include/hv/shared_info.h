/* SPDX-License-Identifier: MIT */
/* The page that hypervisor and guest kernel share. */
#ifndef HV_SHARED_INFO_H
#define HV_SHARED_INFO_H

#include <hv/domain.h>

/* The part of a domain: events masked, clocks set, lent to d for good. Returns -ENOMEM. */
__must_check int shared_info_init(struct domain *d);
bool shared_info_release(struct domain *d);

#endif
