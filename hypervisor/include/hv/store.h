/* SPDX-License-Identifier: MIT */
/* The store: configuration and state of devices, shared between a domain and its back ends. */
#ifndef HV_STORE_H
#define HV_STORE_H

#include <hv/domain.h>
#include <hv/types.h>

/* The part of a domain. Returns -ENOMEM. */
__must_check int store_init(struct domain *d);
bool store_release(struct domain *d);

/*
 * Writes a node of d's store as the hypervisor, and tells d if it watches it. path: absolute, or
 * below /local/domain/<d>. The text may be 127 characters long. -ENOSPC: d has used up its share.
 */
__must_check int store_write(struct domain *d, const char *path, const char *fmt, ...)
    __printf(3, 4);

/* The value of a node (it ends with NUL), valid until the next write; NULL if there is none. */
const char *store_read(struct domain *d, const char *path);

/* The same as a decimal number that is all of the value; false if it is none. */
__must_check bool store_read_u32(struct domain *d, const char *path, u32 *out);

/*
 * Has fn called whenever a domain has changed something at or below `top` of its own,
 * "device/vbd". To be said once or many times. What it finds there is what a guest wrote.
 */
void store_on_write(const char *top, void (*fn)(struct domain *d));

#endif
