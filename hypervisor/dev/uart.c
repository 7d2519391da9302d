// SPDX-License-Identifier: MIT
/*
 * The serial port, polled for output and interrupt-driven for input.
 *
 * Output waits for the transmit FIFO, a bounded number of times: a dead line must not hang the
 * machine. The column is remembered so that a line of ours never continues a guest's half line.
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

static bool mid_line;

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
		n -= chunk;
		asm volatile("rep outsb" : "+S"(s), "+c"(chunk) : "d"(COM1 + DATA) : "memory");
	}
}

void uart_write_guest(const char *s, size_t n)
{
	if (!n)
		return;
	send(s, n);
	mid_line = s[n - 1] != '\n';
}

void console_write(const char *s, size_t n)
{
	if (mid_line)
		send("\r\n", 2);
	mid_line = false;
	send(s, n);
}

void uart_interrupt(void)
{
	while (inb(COM1 + LSR) & LSR_RECEIVED)
		uart_input((char)inb(COM1 + DATA));
}
