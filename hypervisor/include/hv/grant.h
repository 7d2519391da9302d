/* SPDX-License-Identifier: MIT */
/* Grant tables: what a domain lends to others. */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include <hv/domain.h>

/* Frees d's table frames. */
void grant_release(struct domain *d);

#endif
