// SPDX-License-Identifier: MIT
/* xen_version: what we are and what we offer. Also the guest's "deliver what is pending" no-op. */
#include <hv/domain.h>
#include <hv/guestcopy.h>
#include <hv/hypercall.h>
#include <hv/printk.h>
#include <hv/string.h>
#include <xen/features.h>
#include <xen/version.h>

#define VERSION	     ((4 << 16) | 20)
#define EXTRAVERSION "-rexen"
#define FEATURES                                                                                   \
	(1u << XENFEAT_mmu_pt_update_preserve_ad | 1u << XENFEAT_highmem_assist |                  \
	 1u << XENFEAT_gnttab_map_avail_bits)

static long extraversion(u64 arg)
{
	xen_extraversion_t text = EXTRAVERSION;

	return copy_to_guest(vaddr(arg), text, sizeof(text)) ? 0 : trace_error(-EFAULT);
}

static long capabilities(u64 arg)
{
	xen_capabilities_info_t text = "xen-3.0-x86_64 ";

	return copy_to_guest(vaddr(arg), text, sizeof(text)) ? 0 : trace_error(-EFAULT);
}

static long changeset(u64 arg)
{
	xen_changeset_info_t text = "rexen";

	return copy_to_guest(vaddr(arg), text, sizeof(text)) ? 0 : trace_error(-EFAULT);
}

static long compile_info(u64 arg)
{
	struct xen_compile_info info;

	memset(&info, 0, sizeof(info));
	return copy_arg_to(arg, &info) ? 0 : trace_error(-EFAULT);
}

static long platform_parameters(u64 arg)
{
	struct xen_platform_parameters p = {.virt_start = HYPERVISOR_VIRT_START};

	return copy_arg_to(arg, &p) ? 0 : trace_error(-EFAULT);
}

static long get_features(u64 arg)
{
	struct xen_feature_info fi;

	if (!copy_arg_from(&fi, arg))
		return trace_error(-EFAULT);
	if (fi.submap_idx >= XENFEAT_NR_SUBMAPS)
		return trace_error(-EINVAL);
	fi.submap = FEATURES;
	return copy_arg_to(arg, &fi) ? 0 : trace_error(-EFAULT);
}

long do_xen_version(u64 cmd, u64 arg)
{
	switch (cmd) {
	case XENVER_version:
		return VERSION;
	case XENVER_extraversion:
		return extraversion(arg);
	case XENVER_compile_info:
		return compile_info(arg);
	case XENVER_capabilities:
		return capabilities(arg);
	case XENVER_changeset:
		return changeset(arg);
	case XENVER_platform_parameters:
		return platform_parameters(arg);
	case XENVER_get_features:
		return get_features(arg);
	case XENVER_pagesize:
		return PAGE_SIZE;
	default:
		return hypercall_unknown_op("xen_version", cmd);
	}
}
