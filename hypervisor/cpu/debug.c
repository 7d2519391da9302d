// SPDX-License-Identifier: MIT
/*
 * Breakpoints of the loaded vCPU in the processor's debug registers.
 *
 * They stay armed while we serve the guest: switching them at every entry would cost every entry.
 * So they must not hurt. Their addresses lie outside our half, hence no instruction of ours can hit
 * one; our reads and writes of guest memory can, and so can a load of SS just before `syscall`,
 * whose exception waits for our first instruction. Debug exceptions have a stack of their own, and
 * one taken while we run is dropped (cpu/traps.c).
 */
#include <hv/debug.h>
#include <hv/processor.h>
#include <hv/string.h>

#define STATUS_BREAKPOINTS 0xf
#define STATUS_OTHERS	   0xe000 /* register access, single step, task switch */

static bool armed;

void debug_reset(struct debug_state *s)
{
	*s = (struct debug_state){.status = DR6_RESET, .control = DR7_RESET};
}

void debug_unload(void)
{
	if (armed)
		write_dr7(DR7_RESET);
	armed = false;
}

/* A processor ignores the low bits of an address by the length watched; QEMU's would not. */
static u64 aligned(const struct debug_state *s, unsigned int i)
{
	static const u8 low_bits[] = {0, 1, 7, 3};

	return s->address[i] & ~(u64)low_bits[s->control >> DR7_LENGTH(i) & 3];
}

void debug_load(const struct debug_state *s)
{
	debug_unload(); /* before addresses change under it */
	if (likely(!(s->control & DR7_ENABLE)))
		return;
	write_breakpoint(0, aligned(s, 0));
	write_breakpoint(1, aligned(s, 1));
	write_breakpoint(2, aligned(s, 2));
	write_breakpoint(3, aligned(s, 3));
	write_dr7(s->control);
	armed = true;
}

/* Which breakpoints were hit is said anew each time; the rest stays until the guest clears it. */
void debug_take_status(struct debug_state *s)
{
	u64 now = read_dr6();

	write_dr6(DR6_RESET);
	s->status =
	    (s->status & ~(u64)STATUS_BREAKPOINTS) | (now & (STATUS_BREAKPOINTS | STATUS_OTHERS));
}
