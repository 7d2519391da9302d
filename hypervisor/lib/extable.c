// SPDX-License-Identifier: MIT
/*
 * Lookup of the exception table.
 *
 * Guest memory is read and written through the guest's own page tables, so any access can fault.
 * Each such instruction has a row here: its address, and the address to go on at. A fault of ours
 * without a row is a bug and ends the machine. There are a few dozen rows and faults are rare, so
 * a linear search will do.
 */
#include <hv/extable.h>

struct extable_row {
	u64 from;
	u64 to;
};

extern const struct extable_row extable_start[];
extern const struct extable_row extable_end[];

u64 extable_find(u64 rip)
{
	for (const struct extable_row *row = extable_start; row < extable_end; row++)
		if (row->from == rip)
			return row->to;
	return 0;
}
