/* SPDX-License-Identifier: MIT */
/* Grant tables: what a domain lends to others. */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include <hv/domain.h>

/* The part of a domain that its first setup_table makes: frees d's table frames. */
bool grant_release(struct domain *d);

#endif
