// SPDX-License-Identifier: MIT
/*
 * Debug registers as the guest reads and writes them: by hypercall, or by MOV, which is emulated.
 *
 * What is refused would reach beyond the guest: addresses in our half, DR7.GD, which would trap our
 * own accesses, and breakpoints on ports, which need CR4.DE. Reserved bits are as the processor has
 * them.
 */
#include <hv/debugreg.h>
#include <hv/hypercall.h>
#include <hv/pagetable.h>
#include <hv/printk.h>
#include <hv/vcpu.h>

#define DR6_ZEROS      0x1000
#define DR7_ZEROS      0xd800
#define DR7_GD	       0x2000
#define CONDITION_PORT 2

static bool watches_ports(u64 control)
{
	for (unsigned int i = 0; i < 4; i++)
		if (((control >> DR7_CONDITION(i)) & 3) == CONDITION_PORT)
			return true;
	return false;
}

static int write_status(struct debug_state *s, u64 value)
{
	if (value >> 32)
		return trace_error(-EINVAL);
	s->status = (value | DR6_RESET) & ~(u64)DR6_ZEROS;
	return 0;
}

static int write_control(struct debug_state *s, u64 value)
{
	if (value >> 32)
		return trace_error(-EINVAL);
	if (value & DR7_GD)
		return trace_error(-EPERM);
	if ((value & DR7_ENABLE) && watches_ports(value))
		return trace_error(-EPERM);
	s->control = (value & ~(u64)DR7_ZEROS) | DR7_RESET;
	debug_load(s);
	return 0;
}

/* One byte is enough to look at: what is watched around it is aligned to its size. */
static int write_address(struct debug_state *s, unsigned int reg, u64 value)
{
	if (!guest_range_ok(vaddr(value), 1))
		return trace_error(-EPERM);
	s->address[reg] = value;
	debug_load(s);
	return 0;
}

int debugreg_write(unsigned int reg, u64 value)
{
	struct debug_state *s = &current->debug;

	switch (reg) {
	case 0 ... 3:
		return write_address(s, reg, value);
	case 4:
	case 6:
		return write_status(s, value);
	case 5:
	case 7:
		return write_control(s, value);
	default:
		return trace_error(-ENODEV);
	}
}

int debugreg_read(unsigned int reg, u64 *value)
{
	const struct debug_state *s = &current->debug;

	switch (reg) {
	case 0 ... 3:
		*value = s->address[reg];
		return 0;
	case 4:
	case 6:
		*value = s->status;
		return 0;
	case 5:
	case 7:
		*value = s->control;
		return 0;
	default:
		return trace_error(-ENODEV);
	}
}

long do_set_debugreg(u64 reg, u64 value)
{
	return debugreg_write((unsigned int)reg, value);
}

/* A value may look like an error; the ABI has it so. */
long do_get_debugreg(u64 reg)
{
	u64 value;
	int rc = debugreg_read((unsigned int)reg, &value);

	return rc < 0 ? rc : (long)value;
}
