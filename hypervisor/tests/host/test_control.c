// SPDX-License-Identifier: MIT
/*
 * Every register that the firmware may have left in any state is written once, with the value that
 * the rest of the hypervisor and the ABI count on.
 */
#include "unit.h"
#include <hv/control.h>
#include <hv/processor.h>
#include <string.h>

#define SMEP (1u << 7)
#define SMAP (1u << 20)

static struct {
	u32 msr;
	u64 value;
} written[32];
static unsigned int nr_written;
static u64 cr4, dr6, dr7;
static u32 max_leaf, features;

struct cpuid_result cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_result r = {0, 0, 0, 0};

	(void)subleaf;
	if (leaf == 0)
		r.eax = max_leaf;
	else
		r.ebx = features;
	return r;
}

void wrmsr(u32 msr, u64 value)
{
	written[nr_written % 32].msr = msr;
	written[nr_written++ % 32].value = value;
}

void write_cr4(u64 v)
{
	cr4 = v;
}

void write_dr6(u64 v)
{
	dr6 = v;
}

void write_dr7(u64 v)
{
	dr7 = v;
}

static bool wrote_once(u32 msr, u64 value)
{
	unsigned int times = 0;
	bool right = false;

	for (unsigned int i = 0; i < nr_written; i++) {
		if (written[i].msr != msr)
			continue;
		times++;
		right = written[i].value == value;
	}
	return times == 1 && right;
}

static void start_on(u32 leaf, u32 ebx)
{
	max_leaf = leaf;
	features = ebx;
	nr_written = 0;
	cr4 = dr6 = dr7 = ~0ull;
	control_init();
}

int main(void)
{
	start_on(7, 0);
	EXPECT(wrote_once(0xc0000080, 0xd01)); /* EFER: system calls, long mode, no-execute */
	EXPECT(wrote_once(0x174, 0));
	EXPECT(wrote_once(0x175, 0));
	EXPECT(wrote_once(0x176, 0));
	EXPECT(wrote_once(0x1d9, 0));
	/* Write-back, write-through, uncached minus, uncached, combining, protected, uncached
	 * twice. */
	EXPECT(wrote_once(0x277, 0x0000050100070406ull));
	EXPECT(dr6 == 0xffff0ff0);
	EXPECT(dr7 == 0x400);
	EXPECT(cr4 == 0x620);
	start_on(7, SMAP);
	EXPECT(cr4 == 0x620);
	start_on(7, SMEP | SMAP);
	EXPECT(cr4 == 0x100620);
	start_on(6, SMEP); /* an old processor answers a leaf beyond its last with anything */
	EXPECT(cr4 == 0x620);
	return unit_failures != 0;
}
