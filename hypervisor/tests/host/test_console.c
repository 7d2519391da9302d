// SPDX-License-Identifier: MIT
/*
 * What is typed goes into the ring of the first domain, as long as it lives, and then nowhere.
 */
#include "unit.h"
#include <hv/console.h>
#include <hv/evtchn.h>
#include <hv/page_type.h>
#include <hv/uart.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/io/console.h>

#define PORT 2

static struct domain d1 = {.id = 1, .state = DOMAIN_RUNNING};
static struct domain d2 = {.id = 2, .state = DOMAIN_RUNNING};
static struct frame frames[2];
static const struct domain *notified;
static unsigned int types;

void uart_write_guest(const char *s, size_t n)
{
	(void)s;
	(void)n;
}

u32 evtchn_serve(struct domain *d, evtchn_service fn)
{
	(void)d;
	(void)fn;
	return PORT;
}

void evtchn_set_pending(struct domain *d, u32 port)
{
	EXPECT(port == PORT);
	notified = d;
}

int page_get_type(struct domain *d, mfn_t m, enum frame_type type)
{
	(void)d;
	(void)m;
	(void)type;
	types++;
	return 0;
}

void page_put_type(mfn_t m)
{
	(void)m;
	types--;
}

static struct xencons_interface *ring(unsigned int n)
{
	return mfn_to_virt(mfn(n));
}

/* Who is notified of a byte typed. */
static const struct domain *type(char c)
{
	notified = NULL;
	uart_input(c);
	return notified;
}

int main(void)
{
	u32 port;

	if (mmap((void *)DIRECT_MAP_BASE, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) != (void *)DIRECT_MAP_BASE)
		return 2;
	frame_table = frames;
	max_mfn = 2;
	domains[1] = &d1;
	domains[2] = &d2;
	EXPECT(type('0') == NULL); /* nobody there yet */
	EXPECT(console_init(&d1, mfn(0), &port) == 0 && port == PORT);
	EXPECT(console_init(&d2, mfn(1), &port) == 0);
	EXPECT(type('a') == &d1);
	EXPECT(ring(0)->in_prod == 1 && ring(0)->in[0] == 'a');
	for (unsigned int i = 0; i < 2 * sizeof(ring(0)->in); i++) /* more than it holds */
		type('b');
	EXPECT(ring(0)->in_prod == sizeof(ring(0)->in) && ring(0)->in[0] == 'a');
	ring(0)->in_cons = ring(0)->in_prod;
	d1.state = DOMAIN_DYING;
	EXPECT(type('c') == NULL);
	console_release(&d1);
	EXPECT(type('d') == NULL);
	d1.state = DOMAIN_DEAD;
	domains[1] = NULL;
	EXPECT(type('e') == NULL);
	EXPECT(ring(1)->in_prod == 0);
	/* Nor does a later domain inherit it. */
	EXPECT(console_init(&d1, mfn(0), &port) == 0);
	EXPECT(type('f') == NULL);
	console_release(&d1);
	console_release(&d2);
	EXPECT(types == 0);
	return unit_failures != 0;
}
