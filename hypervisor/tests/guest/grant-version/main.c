// SPDX-License-Identifier: MIT
/*
 * Grant table versions where only 1 is offered. A guest that probes for 2 reads -ENOSYS as "old
 * hypervisor, use 1", and any other error as broken. Could break: the answer, the version that is
 * written back, or the table after a refusal.
 */
#include "guest.h"
#include <xen/grant_table.h>

static u8 page[PAGE_SIZE] __page_aligned;

static long set_version(u32 version, u32 *after)
{
	gnttab_set_version_t op = {.version = version};
	long rc = call3(__HYPERVISOR_grant_table_op, GNTTABOP_set_version, &op, 1);

	*after = op.version;
	return rc;
}

static u32 get_version(void)
{
	gnttab_get_version_t op = {.dom = DOMID_SELF, .version = 77};

	expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_get_version, &op, 1), 0);
	return op.version;
}

static void versions(void)
{
	static const struct {
		u32 version;
		long rc;
	} cases[] = {{1, 0}, {2, -ENOSYS}, {0, -EINVAL}, {3, -EINVAL}, {~0u, -EINVAL}, {1, 0}};

	expect(get_version(), 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 after = 0;

		expect(set_version(cases[i].version, &after), cases[i].rc);
		expect(after, 1);
		expect(get_version(), 1);
	}
	expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_set_version, 8, 1), -EFAULT);
}

/* The table as it is set up: one frame, which we may map and write. */
static u64 table_frame(void)
{
	xen_pfn_t frame = 0;
	struct gnttab_setup_table op = {.dom = DOMID_SELF, .nr_frames = 1, .status = -1};

	op.frame_list.p = &frame;
	expect(call3(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &op, 1), 0);
	expect(op.status, GNTST_okay);
	return frame;
}

void test_main(void)
{
	struct grant_entry_v1 *entry = (void *)page;
	u64 m;

	versions();
	m = table_frame();
	expect(remap(page, RW(m)), 0);
	entry[8] = (struct grant_entry_v1){GTF_permit_access, 0, 0x1234};
	versions();
	expect(entry[8].flags, GTF_permit_access);
	expect(entry[8].frame, 0x1234);
	check(table_frame() == m);
}
