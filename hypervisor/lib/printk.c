// SPDX-License-Identifier: MIT
/*
 * Formatted lines for the hypervisor's console.
 *
 * Every line of ours starts with "(rexen) ", so that a reader of the console can tell it from what
 * guests print. Nothing here allocates or blocks; the machine has one processor and we run with
 * interrupts off, so one static line buffer is enough.
 */
#include <hv/printk.h>
#include <hv/string.h>

enum log_level log_level = LOG_WARN;

struct out {
	char *buf;
	size_t size;
	size_t len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len++] = c;
}

static void put_string(struct out *o, const char *s, int width, bool left)
{
	int pad = width - (int)strlen(s);

	for (; !left && pad > 0; pad--)
		put(o, ' ');
	while (*s)
		put(o, *s++);
	for (; left && pad > 0; pad--)
		put(o, ' ');
}

static void put_number(struct out *o, u64 value, unsigned int base, bool negative, int width,
		       char pad)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		digits[n++] = '-';
	for (; width > n; width--)
		put(o, pad);
	while (n--)
		put(o, digits[n]);
}

static void put_signed(struct out *o, s64 v, int width, char pad)
{
	put_number(o, v < 0 ? -(u64)v : (u64)v, 10, v < 0, width, pad);
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = {.buf = buf, .size = size};

	for (; *fmt; fmt++) {
		bool is_long = false;
		bool left = false;
		char pad = ' ';
		int width = 0;

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt++;
		if (*fmt == '-')
			left = true, fmt++;
		if (*fmt == '0')
			pad = '0', fmt++;
		while (*fmt >= '0' && *fmt <= '9')
			width = width * 10 + (*fmt++ - '0');
		while (*fmt == 'l')
			is_long = true, fmt++;
		switch (*fmt) {
		case 's':
			put_string(&o, va_arg(args, const char *), width, left);
			break;
		case 'c':
			put(&o, (char)va_arg(args, int));
			break;
		case 'd':
			put_signed(&o, is_long ? va_arg(args, s64) : va_arg(args, int), width, pad);
			break;
		case 'u':
			put_number(&o, is_long ? va_arg(args, u64) : va_arg(args, unsigned int), 10,
				   false, width, pad);
			break;
		case 'x':
			put_number(&o, is_long ? va_arg(args, u64) : va_arg(args, unsigned int), 16,
				   false, width, pad);
			break;
		case 'p':
			put_number(&o, (u64)va_arg(args, void *), 16, false, 16, '0');
			break;
		default:
			put(&o, *fmt);
		}
	}
	if (size)
		o.buf[o.len] = '\0';
	return o.len;
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = vformat(buf, size, fmt, args);
	va_end(args);
	return n;
}

static void print_line(const char *fmt, va_list args)
{
	static char line[512];
	size_t n = format(line, sizeof(line), LINE_MARK " ");

	n += vformat(line + n, sizeof(line) - n, fmt, args);
	console_write(line, n);
}

void printk(enum log_level level, const char *fmt, ...)
{
	va_list args;

	if (level > log_level)
		return;
	va_start(args, fmt);
	print_line(fmt, args);
	va_end(args);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line(fmt, args);
	va_end(args);
	machine_die();
}
