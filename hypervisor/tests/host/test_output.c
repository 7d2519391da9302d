// SPDX-License-Identifier: MIT
/*
 * Printing on a slow line: between two looks at the time no more goes out than fits a FIFO, and a
 * call that is stopped at any of them prints every byte once, in order. (The emulated line is fast:
 * no guest could tell.)
 */
#include "unit.h"
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/uart.h>
#include <hv/vcpu.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>

#define FIFO 16
#define TEXT 10000

extern bool fake_impatient;
extern unsigned int fake_looks, fake_continuations;
extern u64 fake_args[];

static struct shared_info shared;
static struct vcpu vcpu = {.vcpu_info = &shared.vcpu_info[0]};
static struct domain d = {.id = 1, .state = DOMAIN_RUNNING, .vcpu = &vcpu, .shared_info = &shared};
static char text[TEXT], printed[TEXT];
static size_t nr_printed;

void uart_write_guest(const char *s, size_t n)
{
	static unsigned int looks;
	static size_t since;

	if (looks != fake_looks)
		since = 0;
	looks = fake_looks;
	since += n;
	EXPECT(since <= FIFO);
	EXPECT(nr_printed + n <= TEXT);
	memcpy(printed + nr_printed, s, n);
	nr_printed += n;
}

static void expect_printed(size_t n)
{
	EXPECT(nr_printed == n && memcmp(printed, text, n) == 0);
	nr_printed = 0;
	fake_looks++; /* whoever calls next begins anew */
}

static void by_call(void)
{
	u64 args[] = {CONSOLEIO_write, TEXT, (u64)text};

	while (do_console_io(args[0], args[1], args[2]) == __HYPERVISOR_console_io)
		memcpy(args, fake_args, sizeof(args));
	expect_printed(TEXT);
}

static void by_ring(struct xencons_interface *ring, u32 port)
{
	struct evtchn_send op = {.port = port};
	size_t n = (size_t)rand() % sizeof(ring->out) + 1;
	long rc;

	for (size_t i = 0; i < n; i++)
		ring->out[MASK_XENCONS_IDX(ring->out_prod++, ring->out)] = text[i];
	do
		rc = do_event_channel_op(EVTCHNOP_send, (u64)&op);
	while (rc == __HYPERVISOR_event_channel_op);
	EXPECT(rc == 0 && ring->out_cons == ring->out_prod);
	expect_printed(n);
}

int main(void)
{
	struct xencons_interface *ring = mfn_to_virt(mfn(1));
	u32 port = 0;

	srand(5);
	cpu.running = &vcpu;
	vcpu.domain = &d;
	domains[1] = &d;
	max_mfn = 2;
	frame_table = calloc(max_mfn, sizeof(*frame_table));
	if (mmap((void *)DIRECT_MAP_BASE, max_mfn * PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) != (void *)DIRECT_MAP_BASE)
		return 2;
	frame_table[1] = (struct frame){.refs = 1, .owner = 1};
	for (unsigned int i = 0; i < TEXT; i++)
		text[i] = (char)('!' + rand() % 90);
	EXPECT(evtchn_init(&d) == 0);
	EXPECT(console_init(&d, mfn(1), &port) == 0);
	for (unsigned int i = 0; i < 200; i++) {
		fake_impatient = i % 2;
		by_call();
		by_ring(ring, port);
	}
	EXPECT(fake_continuations > 1000); /* else nothing was tried */
	while (!console_release(&d))
		;
	EXPECT(frame_table[1].refs == 1 && frame_table[1].type_refs == 0);
	evtchn_release(&d);
	free(frame_table);
	return unit_failures != 0;
}
