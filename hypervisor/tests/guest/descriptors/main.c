// SPDX-License-Identifier: MIT
/*
 * Descriptor tables: a good one works, forged descriptors (system segments, call gates, rings) are
 * refused or made harmless, the frame is not writable while it is in use.
 */
#include "guest.h"

static u64 gdt[512] __page_aligned;
/* Neighbours, so that they can make one table of two pages. */
static u64 ldts[2][512] __page_aligned;
static u64 *const ldt = ldts[0], *const other = ldts[1];

#define DATA_DPL0 0x00cf93000000ffffull
#define CODE_DPL0 0x00af9b000000ffffull
#define TSS	  0x0000890000000067ull
#define LDT	  0x0000820000000067ull
#define CALL_GATE 0xffff8c000008ffffull
#define TRAP_GATE 0xffff8f000008ffffull

static long set_gdt(void *page, u64 entries)
{
	u64 frame = va_to_mfn(page);

	return call2(__HYPERVISOR_set_gdt, &frame, entries);
}

static void load_es(u64 sel)
{
	asm volatile("mov %0, %%es" ::"r"((u32)sel));
}

static void write_gdt(u64 unused)
{
	(void)unused;
	WRITE_ONCE(gdt[3], DATA_DPL0);
}

static long update(unsigned int index, u64 desc)
{
	return call2(__HYPERVISOR_update_descriptor, (va_to_mfn(gdt) << PAGE_SHIFT) + index * 8,
		     desc);
}

void test_main(void)
{
	static const u64 forged[] = {TSS, LDT, CALL_GATE, TRAP_GATE};
	u64 foreign = 0x100;

	check(set_gdt(gdt, 16) < 0); /* still writable */
	for (unsigned int i = 0; i < ARRAY_SIZE(forged); i++) {
		gdt[5] = forged[i];
		expect(remap(gdt, RO(va_to_mfn(gdt))), 0);
		expect(set_gdt(gdt, 16), -EINVAL);
		expect(remap(gdt, RW(va_to_mfn(gdt))), 0);
	}
	gdt[5] = 0;
	gdt[2] = DATA_DPL0;
	gdt[4] = CODE_DPL0;
	expect(remap(gdt, RO(va_to_mfn(gdt))), 0);
	expect(set_gdt(gdt, 16), 0);
	expect(set_gdt(gdt, 16), 0);
	expect((gdt[2] >> 45) & 3, 3); /* ring 3 was forced */
	expect(catch_trap(load_es, 0x13), -1);
	expect(catch_trap(load_es, 0x3b), 13);
	expect(update(7, DATA_DPL0), 0);
	expect(catch_trap(load_es, 0x3b), -1);
	for (unsigned int i = 0; i < ARRAY_SIZE(forged); i++)
		expect(update(8, forged[i]), -EINVAL);
	expect(gdt[8], 0);
	expect(catch_trap(write_gdt, 0), 14);
	check(remap(gdt, RW(va_to_mfn(gdt))) < 0);
	expect(mmuext(MMUEXT_PIN_L1_TABLE, va_to_mfn(gdt), 0), -EBUSY);
	check(mmu_update((va_to_mfn(gdt) << PAGE_SHIFT) + 8, TSS) < 0);
	/* Nor as an entry that looks absent to a page table. */
	expect(mmu_update((va_to_mfn(gdt) << PAGE_SHIFT) + 8, TSS & ~1ull), -EBUSY);
	expect(gdt[1], 0);
	check(call2(__HYPERVISOR_set_gdt, &foreign, 16) < 0);
	expect(call2(__HYPERVISOR_set_gdt, &foreign, 65535), -EINVAL);
	check(call2(__HYPERVISOR_update_descriptor, 0x100000, DATA_DPL0) < 0);
	check(call2(__HYPERVISOR_update_descriptor, ~7ull, DATA_DPL0) < 0);
	/* Our own selectors are not usable, whatever the requested ring. */
	expect(catch_trap(load_es, 0xe010), 13);
	expect(catch_trap(load_es, 0xe013), 13);
	expect(catch_trap(load_es, 0xe043), 13);
	/* The local table: same rules. */
	other[0] = DATA_DPL0;
	ldt[1] = CALL_GATE;
	check(mmuext(MMUEXT_SET_LDT, (u64)ldt, 16) < 0);
	expect(remap(ldt, RO(va_to_mfn(ldt))), 0);
	check(mmuext(MMUEXT_SET_LDT, (u64)ldt, 16) < 0);
	expect(remap(ldt, RW(va_to_mfn(ldt))), 0);
	ldt[1] = DATA_DPL0;
	expect(remap(ldt, RO(va_to_mfn(ldt))), 0);
	expect(mmuext(MMUEXT_SET_LDT, (u64)ldt, 16), 0);
	expect(catch_trap(load_es, 0xf), -1);
	expect(catch_trap(load_es, 0x17), 13);
	check(remap(ldt, RW(va_to_mfn(ldt))) < 0);
	/* A refused table leaves the old one in place; so does one whose second page is refused. */
	check(mmuext(MMUEXT_SET_LDT, (u64)other, 16) < 0);
	check(mmuext(MMUEXT_SET_LDT, (u64)ldt, 1024) < 0);
	expect(mmuext(MMUEXT_SET_LDT, (u64)ldt, 8193), -EINVAL);
	expect(mmuext(MMUEXT_SET_LDT, 0x1000, 16), -EINVAL);
	expect(catch_trap(load_es, 0xf), -1);
	check(remap(ldt, RW(va_to_mfn(ldt))) < 0);
	expect(remap(other, RO(va_to_mfn(other))), 0);
	expect(mmuext(MMUEXT_SET_LDT, (u64)ldt, 1024),
	       0); /* two pages, one of them in use already */
	expect(catch_trap(load_es, 0x1007), -1);
	expect(mmuext(MMUEXT_SET_LDT, (u64)other, 16), 0);
	expect(catch_trap(load_es, 0xf), 13);
	expect(catch_trap(load_es, 7), -1);
	expect(catch_trap(load_es, 0), -1);
	expect(mmuext(MMUEXT_SET_LDT, 0, 0), 0);
	expect(remap(other, RW(va_to_mfn(other))), 0);
	expect(remap(ldt, RW(va_to_mfn(ldt))), 0);
	expect(call2(__HYPERVISOR_set_gdt, 0, 0), 0);
	expect(remap(gdt, RW(va_to_mfn(gdt))), 0);
	expect(catch_trap(load_es, 0x13), 13);
}
