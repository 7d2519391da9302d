/* SPDX-License-Identifier: MIT */
/* The hypervisor's own console lines, and its death. */
#ifndef HV_PRINTK_H
#define HV_PRINTK_H

#include <stdarg.h>
#include <hv/types.h>

enum log_level { LOG_ALWAYS, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Lines above this level are dropped; option loglvl=. */
extern enum log_level log_level;

/* What every line of ours begins with, before a space, and no line of a guest (dev/uart.c). */
#define LINE_MARK "(rexen)"

/* Prints one line behind the mark; fmt carries its own newline. */
void printk(enum log_level level, const char *fmt, ...) __printf(2, 3);

/* Formats into buf (always terminated); returns the length written. %s %c %d %u %x %p, l, 0-width.
 */
size_t format(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
size_t vformat(char *buf, size_t size, const char *fmt, va_list args);

/* Hook, defined by dev/uart.c: where the bytes of a finished line go. */
void console_write(const char *s, size_t n);

/* An invariant of ours is broken: print the reason and the stack, end the machine. */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;

/* Hook, defined by cpu/traps.c: what panic() does after its line. */
void machine_die(void) __noreturn;

#define print_always(...) printk(LOG_ALWAYS, __VA_ARGS__)
#define print_error(...)  printk(LOG_ERROR, __VA_ARGS__)
#define print_warn(...)	  printk(LOG_WARN, __VA_ARGS__)
#define print_info(...)	  printk(LOG_INFO, __VA_ARGS__)
#define print_debug(...)  printk(LOG_DEBUG, __VA_ARGS__)

/*
 * The value of an error where it is born. A debug build (make DEBUG=1) says file and line, with
 * option loglvl=debug.
 */
#ifdef HV_DEBUG
#define trace_error(error)                                                                         \
	({                                                                                         \
		print_debug("error %d at %s:%d\n", (int)(error), __FILE__, __LINE__);              \
		(error);                                                                           \
	})
#else
#define trace_error(error) (error)
#endif

#define BUG_ON(cond)                                                                               \
	do {                                                                                       \
		if (unlikely(cond))                                                                \
			panic("BUG at %s:%d: %s\n", __FILE__, __LINE__, #cond);                    \
	} while (0)

#endif
