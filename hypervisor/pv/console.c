// SPDX-License-Identifier: MIT
/*
 * Guest output to the serial line, and what is typed there to a guest.
 *
 * hvc0 writes into a ring and sends an event; we empty the ring during that send, so the guest
 * never finds it full. With one domain its bytes go out as they are; with several, whole lines with
 * the domain's name before each. The ring's indices are the guest's: whatever they say, at most one
 * ring of bytes is taken, from inside the page.
 *
 * Input goes to the first domain.
 */
#include <hv/console.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/uart.h>
#include <hv/vcpu.h>
#include <xen/io/console.h>

struct console {
	struct xencons_interface *ring;
	u32 port;
	unsigned int len;
	char line[256];
};

static bool prefix;

void console_set_prefix(bool on)
{
	prefix = on;
}

static void flush_line(struct domain *d)
{
	struct console *c = d->console;
	char head[16];

	uart_write_guest(head, format(head, sizeof(head), "(d%u) ", d->id));
	uart_write_guest(c->line, c->len);
	uart_write_guest("\r\n", 2);
	c->len = 0;
}

static void put_char(struct domain *d, char ch)
{
	struct console *c = d->console;

	if (ch == '\r')
		return;
	if (ch == '\n') {
		flush_line(d);
		return;
	}
	c->line[c->len++] = ch;
	if (c->len == sizeof(c->line))
		flush_line(d);
}

static void output(struct domain *d, const char *s, size_t n)
{
	if (!prefix || !d->console) {
		uart_write_guest(s, n);
		return;
	}
	while (n--)
		put_char(d, *s++);
}

static void drain(struct domain *d)
{
	struct xencons_interface *ring = d->console ? d->console->ring : NULL;
	char copy[sizeof(ring->out)];
	u32 cons, prod;
	size_t n = 0;

	if (!ring)
		return;
	cons = READ_ONCE(ring->out_cons);
	prod = READ_ONCE(ring->out_prod);
	if (prod - cons > sizeof(ring->out))
		cons = prod - (u32)sizeof(ring->out);
	while (cons != prod)
		copy[n++] = ring->out[MASK_XENCONS_IDX(cons++, ring->out)];
	WRITE_ONCE(ring->out_cons, prod);
	output(d, copy, n);
}

int console_init(struct domain *d, mfn_t m, u32 *port)
{
	d->console = domain_page_alloc(d);
	if (!d->console)
		return -ENOMEM;
	*port = evtchn_serve(d, drain);
	if (!*port)
		return -ENOSPC;
	d->console->ring = mfn_to_virt(m);
	d->console->port = *port;
	return page_get_type(d, m, FT_WRITABLE);
}

bool console_release(struct domain *d)
{
	if (!d->console)
		return true;
	drain(d);
	if (d->console->len)
		flush_line(d);
	page_put_type(virt_to_mfn(d->console->ring));
	page_free(d->console);
	d->console = NULL;
	return true;
}

void uart_input(char ch)
{
	for (unsigned int i = 0; i < MAX_DOMAINS; i++) {
		struct domain *d = domains[i];
		struct xencons_interface *ring;
		u32 prod;

		if (!d || !d->console || d->state != DOMAIN_RUNNING)
			continue;
		ring = d->console->ring;
		prod = READ_ONCE(ring->in_prod);
		if (prod - READ_ONCE(ring->in_cons) >= sizeof(ring->in))
			return;
		ring->in[MASK_XENCONS_IDX(prod, ring->in)] = ch;
		WRITE_ONCE(ring->in_prod, prod + 1);
		evtchn_set_pending(d, d->console->port);
		return;
	}
}

#define MAX_WRITE 4096

static long write(struct domain *d, u64 count, u64 ptr)
{
	char chunk[128];
	u64 left = MIN((u64)(u32)count, (u64)MAX_WRITE);
	long done = 0;

	while (left) {
		u64 n = MIN(left, (u64)sizeof(chunk));

		if (!copy_from_guest(chunk, vaddr(ptr), n))
			return -EFAULT;
		output(d, chunk, n);
		ptr += n;
		left -= n;
		done += (long)n;
	}
	return done;
}

long do_console_io(u64 cmd, u64 count, u64 ptr)
{
	switch (cmd) {
	case CONSOLEIO_write:
		return write(current->domain, count, ptr) < 0 ? -EFAULT : 0;
	case CONSOLEIO_read:
		return 0;
	default:
		return hypercall_unknown_op("console_io", cmd);
	}
}
