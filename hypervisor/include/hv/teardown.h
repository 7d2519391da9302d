/* SPDX-License-Identifier: MIT */
/* The parts of a domain that are memory: what refers to its frames, and the frames. */
#ifndef HV_TEARDOWN_H
#define HV_TEARDOWN_H

#include <hv/domain.h>

/* Returns bases, descriptor tables, the registered vcpu_info and pins, and works off all tables. */
bool tables_release(struct domain *d);

/* Frees d's frames and counts those that something still refers to. After tables_release(). */
bool memory_release(struct domain *d);

#endif
