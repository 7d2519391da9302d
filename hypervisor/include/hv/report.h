/* SPDX-License-Identifier: MIT */
/* What is said about a domain when it has ended. */
#ifndef HV_REPORT_H
#define HV_REPORT_H

#include <hv/domain.h>

/*
 * After the last domain: counts over all, and whether every frame is free that was free (or a
 * module's) at boot.
 */
void report_totals(u64 free_at_boot);

/* True if every domain so far ended by powering off, with no leak, and report_totals() was content.
 */
bool report_all_clean(void);

/* Turns the counts on. */
void report_enable_stats(void);

#endif
