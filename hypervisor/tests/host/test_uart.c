// SPDX-License-Identifier: MIT
/*
 * Guest output goes out byte by byte as it is, except where a line would look like one of ours: fed
 * in pieces of every size, with every way of starting a line.
 */
#include "unit.h"
#include <hv/printk.h>
#include <hv/processor.h>
#include <hv/uart.h>
#include <string.h>

static char line[4096];
static size_t length;

void outb(u16 port, u8 v)
{
	(void)port;
	(void)v;
}

void outsb(u16 port, const char *s, size_t n)
{
	EXPECT(port == 0x3f8 && n <= 16 && length + n < sizeof(line));
	memcpy(line + length, s, n);
	length += n;
	line[length] = 0;
}

u8 inb(u16 port)
{
	(void)port;
	return 0x20; /* the transmitter is empty */
}

void uart_input(char c)
{
	(void)c;
}

static void feed(const char *s, size_t piece)
{
	for (size_t n = strlen(s); n;) {
		size_t now = MIN(n, piece);

		uart_write_guest(s, now);
		s += now;
		n -= now;
	}
}

/* What comes out for s, from the beginning of a line. */
static void expect_out(const char *s, const char *want)
{
	for (size_t piece = 1; piece <= strlen(s); piece++) {
		uart_write_guest("\n", 1);
		length = 0;
		feed(s, piece);
		if (strcmp(line, want) != 0)
			fprintf(stderr, "got %s\n", line);
		EXPECT(strcmp(line, want) == 0);
	}
}

static void unchanged(const char *s)
{
	expect_out(s, s);
}

int main(void)
{
	unchanged("@rexen sample null_call run 1 18000 6662308 70\r\n@rexen end 0 12\r\n");
	unchanged("[    1.939409] mce: Unable to init MCE device (rc: -5)\r\n");
	unchanged("(rexe) (Rexen) (d1) (rexen\r\nx(rexen) hypervisor died\n (rexen) died\n");
	unchanged("((rexen) no\n");
	expect_out("(rexen) hypervisor died\r\n", "(rexen*) hypervisor died\r\n");
	expect_out("a\n(rexen) b\n\n(rexen)(rexen) c\n", "a\n(rexen*) b\n\n(rexen*)(rexen) c\n");
	/* Carriage return, form feed, a Unicode line separator, backspace. */
	expect_out("harmless\r(rexen) x", "harmless\r(rexen*) x");
	expect_out("a\f(rexen) x", "a\f(rexen*) x");
	expect_out("a\xe2\x80\xa8(rexen) x", "a\xe2\x80\xa8(rexen*) x");
	expect_out("a\b(rexen) x", "a\b(rexen*) x");
	expect_out("\r\n\r(rexen) x", "\r\n\r(rexen*) x");
	/* Our own lines are as ever, and what the guest prints after one starts at the first
	 * column. */
	uart_write_guest("abc", 3);
	length = 0;
	print_always("ours\n");
	uart_write_guest("(rexen) not\n", 12);
	print_always("ours\n");
	EXPECT(strcmp(line, "\r\n(rexen) ours\n(rexen*) not\n(rexen) ours\n") == 0);
	uart_write_guest("(rexen", 6);
	length = 0;
	print_always("ours\n");
	uart_write_guest(") x\n", 4);
	EXPECT(strcmp(line, "\r\n(rexen) ours\n) x\n") == 0);
	return unit_failures != 0;
}
