// SPDX-License-Identifier: MIT
/*
 * Local APIC timer in one-shot mode, and the dispatch of device interrupts.
 *
 * The old interrupt controllers pass the serial port's line through (LINT0 stays in the ExtINT mode
 * the firmware left it in); all their other lines are masked by clock_init().
 */
#include <hv/lapic.h>
#include <hv/processor.h>
#include <hv/timescale.h>
#include <hv/traps.h>
#include <hv/uart.h>

enum {
	REG_TPR = 0x80,
	REG_EOI = 0xb0,
	REG_SPURIOUS = 0xf0,
	REG_LVT_TIMER = 0x320,
	REG_LVT_LINT0 = 0x350,
	REG_INITIAL = 0x380,
	REG_COUNT = 0x390,
	REG_DIVIDE = 0x3e0,
};

#define LVT_MASKED   0x10000
#define LVT_EXTINT   0x700
#define SPURIOUS_ON  0x100
#define DIVIDE_BY_1  0xb
#define PIC1_COMMAND 0x20
#define PIC_EOI	     0x20
#define IRQ_UART     4
#define NS_PER_S     1000000000ull
#define MAX_DEVICES  4

static volatile u8 *lapic;
static u64 counter_hz;
static struct {
	void (*handler)(unsigned int arg);
	unsigned int arg;
} device[MAX_DEVICES];
static unsigned int nr_devices;

static void write_reg(unsigned int reg, u32 v)
{
	*(volatile u32 *)(lapic + reg) = v;
}

void lapic_init(void *base)
{
	lapic = base;
	write_reg(REG_SPURIOUS, SPURIOUS_ON | VECTOR_SPURIOUS);
	write_reg(REG_TPR, 0);
	write_reg(REG_LVT_LINT0, LVT_EXTINT);
	write_reg(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	write_reg(REG_DIVIDE, DIVIDE_BY_1);
	write_reg(REG_INITIAL, ~0u);
}

u32 lapic_counter(void)
{
	return *(volatile u32 *)(lapic + REG_COUNT);
}

void lapic_start(u64 hz)
{
	counter_hz = hz;
	write_reg(REG_INITIAL, 0);
	write_reg(REG_LVT_TIMER, VECTOR_TIMER);
}

void lapic_set_timer(u64 ns)
{
	u64 ticks = ns;

	if (counter_hz != NS_PER_S)
		ticks = mul_div(MIN(ns, NS_PER_S), counter_hz, NS_PER_S);
	write_reg(REG_INITIAL, (u32)MAX(MIN(ticks, 0xffffffffull), 1ull));
}

u8 lapic_take_vector(void (*handler)(unsigned int arg), unsigned int arg)
{
	if (nr_devices == MAX_DEVICES)
		return 0;
	device[nr_devices].handler = handler;
	device[nr_devices].arg = arg;
	return (u8)(VECTOR_DEVICE + nr_devices++);
}

void device_interrupt(unsigned int vector)
{
	if (vector == VECTOR_TIMER) {
		write_reg(REG_EOI, 0);
		timer_interrupt();
	} else if (vector >= VECTOR_DEVICE && vector < VECTOR_DEVICE + nr_devices) {
		write_reg(REG_EOI, 0);
		device[vector - VECTOR_DEVICE].handler(device[vector - VECTOR_DEVICE].arg);
	} else if (vector == IRQ_BASE + IRQ_UART) {
		uart_interrupt();
		outb(PIC1_COMMAND, PIC_EOI);
	}
}
