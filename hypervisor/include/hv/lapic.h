/* SPDX-License-Identifier: MIT */
/* The local interrupt controller: the one timer, and end of interrupt. */
#ifndef HV_LAPIC_H
#define HV_LAPIC_H

#include <hv/types.h>

/* base: where its registers are mapped. Leaves the timer masked and counting down from the top. */
void lapic_init(void *base);

/* Reads the counter, for clock_init() to calibrate against. */
u32 lapic_counter(void);

/* Enables the timer interrupt; hz is the counter's frequency. */
void lapic_start(u64 hz);

/* One interrupt after ns nanoseconds, replacing any set before; at most some seconds ahead. */
void lapic_set_timer(u64 ns);

/*
 * Takes a vector for a device whose interrupts are messages; handler(arg) is called for each, with
 * interrupts off. 0 if none is left.
 */
u8 lapic_take_vector(void (*handler)(unsigned int arg), unsigned int arg);

/* Hook, defined by domain/sched.c: the timer ran out. */
void timer_interrupt(void);

#endif
