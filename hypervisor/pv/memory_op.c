// SPDX-License-Identifier: MIT
/*
 * memory_op: how much memory a domain has, giving frames back and getting them.
 *
 * A list of frames may be long, and clearing one takes half a microsecond, so the three calls that
 * have a list stop when a timer is due. As in Xen, the extent to go on with is told by the
 * command's upper bits; there a guest may set it too, to begin anywhere.
 */
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/sched.h>
#include <hv/vcpu.h>
#include <xen/memory.h>

#define E820_RAM 1

/* As the firmware's memory map has it. */
struct e820_entry {
	u64 addr;
	u64 size;
	u32 type;
} __attribute__((packed));

#define CMD_BITS    6
#define CMD_MASK    ((1ull << CMD_BITS) - 1)
#define MAX_EXTENTS (~0ull >> CMD_BITS)

static long machphys_mapping(u64 arg)
{
	struct xen_machphys_mapping map = {
	    .v_start = MACH2PHYS_VIRT_START,
	    .v_end = MACH2PHYS_VIRT_START + (PFN_UP(max_mfn * sizeof(u64)) << PAGE_SHIFT),
	    .max_mfn = max_mfn - 1,
	};

	return copy_arg_to(arg, &map) ? 0 : trace_error(-EFAULT);
}

/* One region of RAM and nothing else: any reserved entry would make Linux look for PCI. */
static long memory_map(struct domain *d, u64 arg)
{
	struct xen_memory_map map;
	struct e820_entry ram = {0, d->max_pages << PAGE_SHIFT, E820_RAM};

	if (!copy_arg_from(&map, arg))
		return trace_error(-EFAULT);
	if (map.nr_entries < 1)
		return trace_error(-EINVAL);
	map.nr_entries = 1;
	if (!copy_to_guest(vaddr((u64)map.buffer.p), &ram, sizeof(ram)) || !copy_arg_to(arg, &map))
		return trace_error(-EFAULT);
	return 0;
}

/* A frame can go only when nothing but its allocation refers to it: no mapping, no type. */
static bool give_back(struct domain *d, u64 n)
{
	struct frame *f = page_owned(d, mfn(n));

	if (!f || (f->flags & FRAME_SHARED) || f->refs != 1 || f->type_refs)
		return false;
	tlb_flush();
	frame_free(mfn(n));
	d->nr_pages--;
	return true;
}

static bool take_one(struct domain *d, u64 *out, u64 guest_frame)
{
	mfn_t m;

	if (d->nr_pages >= d->max_pages)
		return false;
	m = frame_alloc(d->id);
	if (m.n == MFN_INVALID.n)
		return false;
	d->nr_pages++;
	m2p_table[m.n] = guest_frame;
	*out = m.n;
	return true;
}

static long continue_at(u64 cmd, u64 extent)
{
	u64 args[] = {cmd | extent << CMD_BITS};

	return hypercall_continue(__HYPERVISOR_memory_op, ARRAY_SIZE(args), args);
}

/* The three reservation calls return how many extents were done, as far as they got. */
static long reservation(u64 cmd, u64 first, u64 arg)
{
	struct xen_memory_reservation r;
	struct domain *d;
	u64 i;

	if (!copy_arg_from(&r, arg))
		return trace_error(-EFAULT);
	d = domain_for(current->domain, r.domid);
	if (!d || r.extent_order != 0 || r.nr_extents > MAX_EXTENTS)
		return trace_error(-EINVAL);
	for (i = first; i < r.nr_extents; i++) {
		u64 list = (u64)r.extent_start.p;
		u64 n = 0;

		if (i != first && sched_should_preempt())
			return continue_at(cmd, i);
		if (cmd == XENMEM_increase_reservation) {
			if (!take_one(d, &n, M2P_INVALID))
				break;
		} else {
			if (!copy_elem_from(&n, list, i))
				break;
			if (cmd == XENMEM_decrease_reservation) {
				if (!give_back(d, n))
					break;
				continue;
			}
			if (!take_one(d, &n, n))
				break;
		}
		/* If it cannot be told the number, the guest does not get the frame. */
		if (list && !copy_elem_to(list, i, &n)) {
			give_back(d, n);
			break;
		}
	}
	return (long)i;
}

static long query(u64 cmd, u64 arg)
{
	domid_t id;
	struct domain *d;

	if (!copy_arg_from(&id, arg))
		return trace_error(-EFAULT);
	d = domain_for(current->domain, id);
	if (!d)
		return trace_error(-EPERM);
	return (long)(cmd == XENMEM_current_reservation ? d->nr_pages : d->max_pages);
}

long do_memory_op(u64 cmd, u64 arg)
{
	u64 extent = cmd >> CMD_BITS;

	cmd &= CMD_MASK;
	switch (cmd) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		return reservation(cmd, extent, arg);
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
		return query(cmd, arg);
	case XENMEM_maximum_ram_page:
		return (long)max_mfn - 1;
	case XENMEM_machphys_mapping:
		return machphys_mapping(arg);
	case XENMEM_memory_map:
		return memory_map(current->domain, arg);
	default:
		return hypercall_unknown_op("memory_op", cmd);
	}
}
