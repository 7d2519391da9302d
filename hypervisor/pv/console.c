// SPDX-License-Identifier: MIT
/*
 * Guest output to the serial line, and what is typed there to a guest.
 *
 * hvc0 writes into a ring and sends an event; we empty the ring during that send, which may be
 * interrupted and go on, so the guest never finds it full. With one domain its bytes go out as they
 * are; with several, whole lines with the domain's name before each. The ring's indices are the
 * guest's: whatever they say, at most one ring of bytes is taken, from inside the page.
 *
 * Input belongs to the first domain that was given a console, and to no other: what is typed after
 * its end is dropped.
 */
#include <hv/console.h>
#include <hv/evtchn.h>
#include <hv/frame.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/uart.h>
#include <hv/vcpu.h>
#include <xen/io/console.h>

struct console {
	struct xencons_interface *ring;
	u32 port;
	unsigned int len;
	char line[256];
};

/* On a real line a byte takes 87 us. So much is printed between two looks at the time. */
#define CHUNK 16

static bool prefix;
static struct domain *input_owner;
static bool input_owned; /* at some time */

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

/* Prints what the guest has put into its ring. Returns false if it stopped for a timer. */
static bool drain(struct domain *d)
{
	struct xencons_interface *ring = d->console->ring;
	u32 cons = READ_ONCE(ring->out_cons);
	u32 prod = READ_ONCE(ring->out_prod);

	if (prod - cons > sizeof(ring->out))
		cons = prod - (u32)sizeof(ring->out);
	while (cons != prod) {
		char chunk[CHUNK];
		size_t n = 0;

		while (cons != prod && n < sizeof(chunk))
			chunk[n++] = ring->out[MASK_XENCONS_IDX(cons++, ring->out)];
		output(d, chunk, n);
		WRITE_ONCE(ring->out_cons, cons);
		if (cons != prod && sched_should_preempt())
			return false;
	}
	return true;
}

int console_init(struct domain *d, mfn_t m, u32 *port)
{
	d->console = domain_page_alloc(d);
	if (!d->console)
		return trace_error(-ENOMEM);
	*port = evtchn_serve(d, drain);
	if (!*port)
		return trace_error(-ENOSPC);
	d->console->ring = mfn_to_virt(m);
	d->console->port = *port;
	if (!input_owned)
		input_owner = d;
	input_owned = true;
	return page_get_type(d, m, FT_WRITABLE);
}

bool console_release(struct domain *d)
{
	if (!d->console)
		return true;
	if (!drain(d))
		return false;
	if (d->console->len)
		flush_line(d);
	page_put_type(virt_to_mfn(d->console->ring));
	page_free(d->console);
	d->console = NULL;
	if (input_owner == d)
		input_owner = NULL;
	return true;
}

void uart_input(char ch)
{
	struct domain *d = input_owner;
	struct xencons_interface *ring;
	u32 prod;

	if (!d || d->state != DOMAIN_RUNNING)
		return;
	ring = d->console->ring;
	prod = READ_ONCE(ring->in_prod);
	if (prod - READ_ONCE(ring->in_cons) >= sizeof(ring->in))
		return;
	ring->in[MASK_XENCONS_IDX(prod, ring->in)] = ch;
	WRITE_ONCE(ring->in_prod, prod + 1);
	evtchn_set_pending(d, d->console->port);
}

static long write(struct domain *d, u32 left, u64 ptr)
{
	while (left) {
		char chunk[CHUNK];
		u32 n = MIN(left, (u32)sizeof(chunk));

		if (!copy_from_guest(chunk, vaddr(ptr), n))
			return trace_error(-EFAULT);
		output(d, chunk, n);
		ptr += n;
		left -= n;
		if (left && sched_should_preempt()) {
			u64 args[] = {CONSOLEIO_write, left, ptr};

			return hypercall_continue(__HYPERVISOR_console_io, ARRAY_SIZE(args), args);
		}
	}
	return 0;
}

long do_console_io(u64 cmd, u64 count, u64 ptr)
{
	switch (cmd) {
	case CONSOLEIO_write:
		return write(current->domain, (u32)count, ptr);
	case CONSOLEIO_read:
		return 0;
	default:
		return hypercall_unknown_op("console_io", cmd);
	}
}
