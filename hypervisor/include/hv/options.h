/* SPDX-License-Identifier: MIT */
/* The hypervisor's command line. */
#ifndef HV_OPTIONS_H
#define HV_OPTIONS_H

#include <hv/printk.h>
#include <hv/types.h>

#define OPTIONS_MAX_DOMAINS 15

struct options {
	enum log_level log_level;
	bool stats;
	u64 tsc_khz;
	u64 slice_us;
	u64 disk_mb, disk_ns, disk_mbps, disk_parts;
	u64 root_start, root_size;
	u64 mem_mb[OPTIONS_MAX_DOMAINS + 1]; /* by domain number, 0 = a fair share */
};

/*
 * Parses line (words separated by spaces) into *o. Returns true, or false with the offending word
 * in wrong.
 */
__must_check bool options_parse(struct options *o, const char *line, char *wrong, size_t size);

#endif
