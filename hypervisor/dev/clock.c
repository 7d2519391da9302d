// SPDX-License-Identifier: MIT
/*
 * The clock of the machine is the time-stamp counter, which must run at a constant rate (on the
 * emulated machine it counts nanoseconds). Its rate and the local APIC timer's are measured at once
 * against the old interval timer, in one short spin of plain instructions: two reads of the timer
 * around it cost almost nothing, where polling the timer would be slow on an emulator.
 */
#include <hv/clock.h>
#include <hv/lapic.h>
#include <hv/printk.h>
#include <hv/processor.h>
#include <hv/traps.h>

#define PIT_HZ	     1193182ull
#define PIT_COMMAND  0x43
#define PIT_CHANNEL0 0x40
#define PIT_CHANNEL2 0x42
#define PIT_GATE     0x61
#define SPIN	     500000

#define PIC1		 0x20
#define PIC2		 0xa0
#define UNMASK_UART_ONLY 0xef

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

struct clock boot_clock;

/* Channel 0 of the timer stops after one shot nobody sees; lines other than the UART's are masked.
 */
static void silence_legacy(void)
{
	static const struct {
		u16 port;
		u8 value;
	} steps[] = {
	    {PIT_COMMAND, 0x30}, {PIT_CHANNEL0, 1},    {PIT_CHANNEL0, 0},
	    {PIC1, 0x11},	 {PIC1 + 1, IRQ_BASE}, {PIC1 + 1, 4},
	    {PIC1 + 1, 1},	 {PIC2, 0x11},	       {PIC2 + 1, IRQ_BASE + 8},
	    {PIC2 + 1, 2},	 {PIC2 + 1, 1},	       {PIC1 + 1, UNMASK_UART_ONLY},
	    {PIC2 + 1, 0xff},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(steps); i++)
		outb(steps[i].port, steps[i].value);
}

static u16 read_channel2(void)
{
	u8 lo;

	outb(PIT_COMMAND, 0x80); /* latch */
	lo = inb(PIT_CHANNEL2);
	return (u16)(lo | inb(PIT_CHANNEL2) << 8);
}

static void measure(u64 *tsc_hz, u64 *lapic_hz)
{
	u64 tsc, pit, lapic;
	u64 n = SPIN;

	outb(PIT_GATE, (inb(PIT_GATE) & ~2) | 1);
	outb(PIT_COMMAND, 0xb4); /* channel 2, both bytes, rate generator */
	outb(PIT_CHANNEL2, 0xff);
	outb(PIT_CHANNEL2, 0xff);
	pit = read_channel2();
	tsc = rdtsc();
	lapic = lapic_counter();
	asm volatile("1: dec %0; jnz 1b" : "+r"(n));
	pit = (u16)(pit - read_channel2());
	tsc = rdtsc() - tsc;
	lapic = (u32)(lapic - lapic_counter());
	if (pit == 0)
		panic("the interval timer does not count\n");
	*tsc_hz = timescale_snap_hz(tsc * PIT_HZ / pit);
	*lapic_hz = timescale_snap_hz(mul_div(lapic, *tsc_hz, tsc));
}

static unsigned int cmos(unsigned int index)
{
	unsigned int v;

	outb(CMOS_INDEX, (u8)index);
	v = inb(CMOS_DATA);
	return (v >> 4) * 10 + (v & 15);
}

/* Days from 1970-01-01, Gregorian; years here are 2000..2099, where every fourth is a leap year. */
static u64 days_since_epoch(unsigned int year, unsigned int month, unsigned int day)
{
	static const u16 before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	u64 days = 10957 + year * 365ull + (year + 3) / 4; /* 10957: to 2000-01-01 */

	days += before[(month - 1) % 12];
	if (month > 2 && year % 4 == 0)
		days++;
	return days + day - 1;
}

/* Reads until two readings agree: an update in between shows, and waiting for its flag is slow. */
static u64 read_wall_clock(void)
{
	u64 last = 0;

	for (int i = 0; i < 8; i++) {
		unsigned int second = cmos(0), minute = cmos(2), hour = cmos(4);
		unsigned int day = cmos(7), month = cmos(8), year = cmos(9);
		u64 now =
		    days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;

		if (now == last)
			break;
		last = now;
	}
	return last;
}

void clock_init(u64 tsc_khz)
{
	u64 hz, lapic_hz;

	silence_legacy();
	measure(&hz, &lapic_hz);
	if (tsc_khz) {
		u64 given = tsc_khz * 1000;
		u64 off = given > hz ? given - hz : hz - given;

		if (off > hz / 100)
			print_warn("tsc_khz=%lu ignored: measured %lu kHz\n", tsc_khz, hz / 1000);
		else
			hz = given;
	}
	boot_clock.hz = hz;
	boot_clock.scale = timescale_from_hz(hz);
	boot_clock.wall_sec = read_wall_clock();
	boot_clock.boot_tsc = rdtsc();
	lapic_start(lapic_hz);
	print_info("clock: counter %lu kHz, timer %lu kHz\n", hz / 1000, lapic_hz / 1000);
}

u64 clock_now(void)
{
	return timescale_to_ns(boot_clock.scale, rdtsc() - boot_clock.boot_tsc);
}
