// SPDX-License-Identifier: MIT
/*
 * Virtual IOPL. The real one is always 0, so cli, sti and all port accesses of a guest fault, and
 * what is kept here decides whether they are emulated (pv/emulate.c) or its own fault.
 *
 * The guest kernel counts as ring 1, as in Xen's first years, and needs an IOPL of 1; applications
 * need 3. With the architectural assist the kernel counts as ring 0, exception frames show IOPL,
 * and iret sets it: short paths do not know of that, so they are off then (pv/trap_table.c). Below
 * that, a bitmap in the guest's memory can allow single ports; it is read at each access, like the
 * processor's own.
 */
#include <hv/ioport.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/processor.h>
#include <hv/vcpu.h>
#include <xen/physdev.h>

#define NR_PORTS   0x10000
#define IOPL_SHIFT 12

bool ioport_iopl_allows(void)
{
	const struct vcpu *v = current;
	unsigned int ring = v->architectural_iopl ? 0 : 1;

	if (!cpu.hot.kernel_mode)
		ring = 3;
	return ring <= v->iopl >> IOPL_SHIFT;
}

/* The bitmap lies in kernel memory; two bytes are read, as a processor does. */
static bool bitmap_allows(const struct vcpu *v, u16 port, unsigned int size)
{
	bool user = !cpu.hot.kernel_mode;
	u16 forbidden;

	if ((u32)port + size > v->iobitmap_ports)
		return false;
	if (user)
		write_cr3(cpu.hot.kernel_cr3);
	if (!copy_from_guest(&forbidden, vaddr(v->iobitmap.n + port / 8), sizeof(forbidden)))
		forbidden = 0xffff;
	if (user)
		write_cr3(cpu.hot.user_cr3);
	return !(forbidden >> (port % 8) & ((1u << size) - 1));
}

bool ioport_allowed(u16 port, unsigned int size)
{
	return ioport_iopl_allows() || bitmap_allows(current, port, size);
}

static long set_iopl(struct vcpu *v, u64 arg)
{
	struct physdev_set_iopl op;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	if (op.iopl > 3)
		return trace_error(-EINVAL);
	v->iopl = (u64)op.iopl << IOPL_SHIFT;
	return 0;
}

static long set_iobitmap(struct vcpu *v, u64 arg)
{
	struct physdev_set_iobitmap op;

	if (!copy_arg_from(&op, arg))
		return trace_error(-EFAULT);
	if (op.nr_ports > NR_PORTS || !guest_range_ok(vaddr((u64)op.bitmap.p), NR_PORTS / 8 + 1))
		return trace_error(-EINVAL);
	v->iobitmap = vaddr((u64)op.bitmap.p);
	v->iobitmap_ports = op.nr_ports;
	return 0;
}

long do_physdev_op(u64 cmd, u64 arg)
{
	switch (cmd) {
	case PHYSDEVOP_set_iopl:
		return set_iopl(current, arg);
	case PHYSDEVOP_set_iobitmap:
		return set_iobitmap(current, arg);
	default:
		return hypercall_unknown_op("physdev_op", cmd);
	}
}
