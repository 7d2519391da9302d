// SPDX-License-Identifier: MIT
/*
 * The serial port, polled for output and interrupt-driven for input.
 *
 * Output waits for the transmit FIFO, a bounded number of times: a dead line must not hang the
 * machine. The column is remembered so that a line of ours never continues a guest's half line, and
 * so that a guest's line never begins like one of ours: the last byte of such a beginning goes out
 * behind an asterisk. Whatever could make a reader start a new line, or a terminal return to the
 * first column, counts as a beginning.
 */
#include <hv/uart.h>
#include <hv/printk.h>
#include <hv/processor.h>

#define COM1 0x3f8

enum { DATA = 0, IER = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };

#define LCR_8N1		 0x03
#define LCR_DLAB	 0x80
#define FCR_ENABLE	 0x07
#define MCR_DTR_RTS_OUT2 0x0b
#define IER_RECEIVE	 0x01
#define LSR_RECEIVED	 0x01
#define LSR_EMPTY	 0x20
#define FIFO_SIZE	 16
#define PATIENCE	 100000

#define FIRST_PRINTABLE 0x20
#define LAST_PRINTABLE	0x7e

static const char mark[] = LINE_MARK;
#define MARK_LENGTH (sizeof(mark) - 1)

static bool mid_line;
/* How much of the mark the guest's line consists of; all of it: the line is something else. */
static size_t marked;

void uart_init(void)
{
	outb(COM1 + IER, 0);
	outb(COM1 + LCR, LCR_DLAB);
	outb(COM1 + DATA, 1); /* 115200 baud */
	outb(COM1 + IER, 0);
	outb(COM1 + LCR, LCR_8N1);
	outb(COM1 + FCR, FCR_ENABLE);
	outb(COM1 + MCR, MCR_DTR_RTS_OUT2);
	outb(COM1 + IER, IER_RECEIVE);
}

static void send(const char *s, size_t n)
{
	while (n) {
		size_t chunk = MIN(n, (size_t)FIFO_SIZE);

		for (int i = 0; i < PATIENCE && !(inb(COM1 + LSR) & LSR_EMPTY); i++)
			;
		outsb(COM1 + DATA, s, chunk);
		s += chunk;
		n -= chunk;
	}
}

/* Whether byte c of a guest's line completes the mark. */
static bool completes_mark(char c)
{
	if ((u8)c < FIRST_PRINTABLE || (u8)c > LAST_PRINTABLE)
		marked = 0;
	else if (marked < MARK_LENGTH && c == mark[marked])
		return ++marked == MARK_LENGTH;
	else
		marked = MARK_LENGTH;
	return false;
}

void uart_write_guest(const char *s, size_t n)
{
	size_t sent = 0;

	if (!n)
		return;
	for (size_t i = 0; i < n; i++) {
		if (likely(!completes_mark(s[i])))
			continue;
		send(s + sent, i - sent);
		send("*", 1);
		sent = i;
	}
	send(s + sent, n - sent);
	mid_line = s[n - 1] != '\n';
}

void console_write(const char *s, size_t n)
{
	if (mid_line)
		send("\r\n", 2);
	mid_line = false;
	marked = 0; /* a guest's half line goes on at the first column */
	send(s, n);
}

void uart_interrupt(void)
{
	while (inb(COM1 + LSR) & LSR_RECEIVED)
		uart_input((char)inb(COM1 + DATA));
}
