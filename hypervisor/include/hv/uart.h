/* SPDX-License-Identifier: MIT */
/* The serial port COM1: the machine's console. */
#ifndef HV_UART_H
#define HV_UART_H

#include <hv/types.h>

/* Sets the line up; printing works from here on. */
void uart_init(void);

/*
 * Guest output: bytes as they are, but a line that begins as ours do is made to differ. A line of
 * ours that follows starts on a fresh line.
 */
void uart_write_guest(const char *s, size_t n);

/* Called by the interrupt: hands every received byte to uart_input(). */
void uart_interrupt(void);

/* Hook, defined by pv/console.c: a byte typed at the console. */
void uart_input(char c);

#endif
