/* SPDX-License-Identifier: MIT */
/* What is said about a domain when it has ended. */
#ifndef HV_REPORT_H
#define HV_REPORT_H

#include <hv/domain.h>

/* Prints the domain's end, the balance of frames, and with option stats its hypercalls. */
void report_domain(const struct domain *d, u64 leaks);

/* True if every domain so far ended by powering off, with no leak. */
bool report_all_clean(void);

/* Turns the counts on. */
void report_enable_stats(void);

#endif
