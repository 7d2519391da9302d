// SPDX-License-Identifier: MIT
/*
 * mmuext_op: pinning, base pointers, flushes, clearing and copying of pages.
 */
#include <hv/batch.h>
#include <hv/descriptor.h>
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/printk.h>
#include <hv/string.h>
#include <hv/vcpu.h>

/* The new base is taken before the old one is returned: a base is never without its type. */
static int new_kernel_base(struct domain *d, mfn_t m)
{
	u64 old = cpu.hot.kernel_cr3;
	int rc;

	if (m.n << PAGE_SHIFT != old) {
		rc = page_get_type(d, m, FT_L4);
		if (rc < 0)
			return rc;
		cpu.hot.kernel_cr3 = m.n << PAGE_SHIFT;
		tlb_load_cr3(cpu.hot.kernel_cr3);
		page_put_type(pte_mfn(old));
		return 0;
	}
	tlb_flush();
	return 0;
}

static int new_user_base(struct domain *d, mfn_t m)
{
	u64 old = cpu.hot.user_cr3;
	int rc;

	if (m.n << PAGE_SHIFT == old)
		return 0;
	if (m.n) {
		rc = page_get_type(d, m, FT_L4);
		if (rc < 0)
			return rc;
	}
	cpu.hot.user_cr3 = m.n << PAGE_SHIFT;
	if (old)
		page_put_type(pte_mfn(old));
	return 0;
}

static int clear_page(struct domain *d, mfn_t m)
{
	int rc = page_get_type(d, m, FT_WRITABLE);

	if (rc < 0)
		return rc;
	memset(mfn_to_virt(m), 0, PAGE_SIZE);
	page_put_type(m);
	return 0;
}

static int copy_page(struct domain *d, mfn_t dst, mfn_t src)
{
	int rc;

	if (!page_owned(d, src))
		return trace_error(-EPERM);
	rc = page_get_type(d, dst, FT_WRITABLE);
	if (rc < 0)
		return rc;
	memcpy(mfn_to_virt(dst), mfn_to_virt(src), PAGE_SIZE);
	page_put_type(dst);
	return 0;
}

/* One processor: "local", "multi" and "all" mean the same. */
static int apply(struct domain *d, u32 cmd, u64 arg1, u64 arg2)
{
	mfn_t m = mfn(arg1);

	switch (cmd) {
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
		return page_pin(d, m, FT_L1 + (cmd - MMUEXT_PIN_L1_TABLE));
	case MMUEXT_UNPIN_TABLE:
		return page_unpin(d, m);
	case MMUEXT_NEW_BASEPTR:
		return new_kernel_base(d, m);
	case MMUEXT_NEW_USER_BASEPTR:
		return new_user_base(d, m);
	case MMUEXT_TLB_FLUSH_LOCAL:
	case MMUEXT_TLB_FLUSH_MULTI:
	case MMUEXT_TLB_FLUSH_ALL:
		tlb_flush();
		return 0;
	case MMUEXT_INVLPG_LOCAL:
	case MMUEXT_INVLPG_MULTI:
	case MMUEXT_INVLPG_ALL:
		if (guest_range_ok(vaddr(arg1), 1))
			invlpg(arg1);
		return 0;
	case MMUEXT_FLUSH_CACHE:
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		return 0;
	case MMUEXT_SET_LDT:
		return descriptor_set_ldt(vaddr(arg1), (u32)arg2);
	case MMUEXT_CLEAR_PAGE:
		return clear_page(d, m);
	case MMUEXT_COPY_PAGE:
		return copy_page(d, m, mfn(arg2));
	default:
		return (int)hypercall_unknown_op("mmuext_op", cmd);
	}
}

static_assert(sizeof(struct mmuext_op) == 24 && offsetof(struct mmuext_op, arg1) == 8 &&
		  offsetof(struct mmuext_op, arg2) == 16,
	      "three words");

/* Word by word, as every context switch makes two of these. */
static int operation(struct domain *d, u64 at)
{
	u64 cmd, arg1, arg2;

	if (!get_guest_u64_unchecked(vaddr(at), &cmd) ||
	    !get_guest_u64_unchecked(vaddr(at + 8), &arg1) ||
	    !get_guest_u64_unchecked(vaddr(at + 16), &arg2))
		return trace_error(-EFAULT);
	return apply(d, (u32)cmd, arg1, arg2);
}

static const struct batch operations = {
    .number = __HYPERVISOR_mmuext_op,
    .size = sizeof(struct mmuext_op),
    .every = 1,
    .entry = operation,
};

long do_mmuext_op(u64 list, u64 count, u64 done_ptr, u64 domid)
{
	return batch_run(&operations, list, count, done_ptr, domid);
}
