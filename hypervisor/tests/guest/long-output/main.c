// SPDX-License-Identifier: MIT
/*
 * Prints as much as it can in one call, again and again, by both ways to the console. No byte may
 * be lost or doubled where such a call was stopped for a timer (the runner counts lines), and a
 * neighbour must get its turns all the same.
 */
#include "guest.h"
#include <xen/io/console.h>

#define LINE  64
#define LINES 256
#define CALLS 20

static char text[LINES * LINE];

static void fill(unsigned int call)
{
	for (unsigned int i = 0; i < LINES; i++) {
		char *line = text + i * LINE;

		memset(line, '.', LINE);
		memcpy(line, "line", 4);
		format(line + 5, 12, "%04u/%04u", call, i);
		line[5 + 9] = '.';
		line[LINE - 1] = '\n';
	}
}

/* The ring takes 2048 bytes; the send returns when we have taken them all. */
static void print_by_ring(struct xencons_interface *ring, u32 port)
{
	struct evtchn_send op = {.port = port};

	for (u32 at = 0; at < sizeof(text); at += sizeof(ring->out)) {
		for (u32 i = 0; i < sizeof(ring->out); i++)
			ring->out[MASK_XENCONS_IDX(ring->out_prod + i, ring->out)] = text[at + i];
		ring->out_prod += sizeof(ring->out);
		expect(call2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &op), 0);
		expect(ring->out_cons, ring->out_prod);
	}
}

void test_main(void)
{
	static u8 window[PAGE_SIZE] __page_aligned;

	expect(remap(window, RW(si->console.domU.mfn)), 0);
	for (unsigned int i = 0; i < CALLS; i++) {
		fill(i);
		if (i % 2)
			print_by_ring((struct xencons_interface *)window, si->console.domU.evtchn);
		else
			expect(call3(__HYPERVISOR_console_io, CONSOLEIO_write, sizeof(text), text),
			       0);
	}
}
