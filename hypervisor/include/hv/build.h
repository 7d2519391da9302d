/* SPDX-License-Identifier: MIT */
/* The domain builder: from boot modules to a guest at its first instruction. */
#ifndef HV_BUILD_H
#define HV_BUILD_H

#include <hv/domain.h>
#include <hv/types.h>

struct guest_image {
	paddr_t kernel, ramdisk; /* boot modules */
	u64 kernel_size, ramdisk_size;
	const char *cmdline;
	u64 nr_pages;
};

/*
 * Makes a domain from image; its module frames become the domain's own, what is left of them is
 * freed. Returns NULL and sets *domain, or returns a sentence that names what is wrong.
 */
__must_check const char *domain_build(const struct guest_image *image, struct domain **domain);

/* Hook, defined by io/store.c: d's store speaks by this page, and by a port of d. Negative: short
 * of something. */
__must_check int store_connect(struct domain *d, mfn_t ring, u32 *port);

#endif
