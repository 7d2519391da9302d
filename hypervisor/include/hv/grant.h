/* SPDX-License-Identifier: MIT */
/* Grant tables: what a domain lends to others. */
#ifndef HV_GRANT_H
#define HV_GRANT_H

#include <hv/domain.h>
#include <hv/types.h>
#include <xen/grant_table.h>

/* A page of a domain that a back end of ours uses for a while. */
struct held {
	u16 owner; /* its domain */
	bool write;
	u32 ref;
	mfn_t mfn;
};

/*
 * Takes the page that owner granted by ref to the back ends' domain. The owner sees the grant in
 * use, and the page can neither leave it nor, if write, become a table, until grant_release().
 * GNTST_okay, or the GNTST_ error: a bad reference, not granted (so), not a page of the owner's.
 */
__must_check int grant_hold(struct domain *owner, u32 ref, bool write, struct held *h);

/* Gives it back. To be done before the owner's own tables are: see boot/parts.c. */
void grant_release(struct held *h);

/*
 * The part of a domain that its first grant or mapping makes: gives back what d maps of others and
 * frees its table. While others map d's pages, d is out of the schedule, and false is returned.
 */
bool grant_table_release(struct domain *d);

#endif
