/* SPDX-License-Identifier: MIT */
/*
 * client.h: the load: simulated clients, each behind a line of its own.
 */
#ifndef WORKLOADS_SPEC_WEB_CLIENT_H
#define WORKLOADS_SPEC_WEB_CLIENT_H

#include "bench.h"

#define CLIENT_MOST	  6000
#define CLIENT_LINE_BPS	  400000 /* bits a second that a client's line carries */
#define CLIENT_WANTED_BPS 320000 /* what it must get of that */

struct probe {
	unsigned int clients;
	uint64_t bytes;	   /* that they received in the window */
	uint64_t window_ns;
	uint64_t busy_ns;  /* of the window, when the processor was not idle */
	uint64_t requests; /* answered in the window */
};

/*
 * That many clients work for a while, then for the window, which is timed by *t. Every answer is
 * checked; a wrong one, or a connection that is lost, fails the workload.
 */
void client_probe(unsigned int clients, uint64_t window_ns, struct probe *probe,
		  struct bench_time *t);

#endif
