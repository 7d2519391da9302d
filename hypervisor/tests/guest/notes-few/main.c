// SPDX-License-Identifier: MIT
/*
 * A kernel without the notes ENTRY, VIRT_BASE and INIT_P2M is entered where its ELF header says,
 * with guest frame 0 mapped at address 0 and, in the order of Xen's start of day memory layout,
 * kernel, ramdisk, P2M list, start info, two rings, tables, stack and padding behind each other.
 * Could break: anything out of place, a list that is not mapped or not writable, tables that are.
 * Run with and without a ramdisk.
 */
#include "guest.h"

extern char image_end[];

static u8 page[PAGE_SIZE] __page_aligned;

#define ADDRESS_OF_PFN(n) ((n) << PAGE_SHIFT)

static void order(u64 *stack)
{
	u64 at = (u64)image_end;
	u64 l1 = si->nr_pt_frames - 3;

	if (si->mod_len) {
		at = (at + PAGE_SIZE - 1) & PAGE_MASK;
		expect(si->mod_start, at);
		at += si->mod_len;
	} else {
		expect(si->mod_start, 0);
	}
	at = (at + PAGE_SIZE - 1) & PAGE_MASK;
	expect(si->mfn_list, at);
	at = (at + si->nr_pages * sizeof(u64) + PAGE_SIZE - 1) & PAGE_MASK;
	expect((u64)si, at);
	expect(machine_to_phys_mapping[si->store_mfn], va_to_pfn(si) + 1);
	expect(machine_to_phys_mapping[si->console.domU.mfn], va_to_pfn(si) + 2);
	expect(si->pt_base, at + 3 * PAGE_SIZE);
	*stack = si->pt_base + si->nr_pt_frames * PAGE_SIZE;
	/* The tables map whole 4 MB, with 512 KB or more behind the stack. */
	check(l1 % 2 == 0);
	check(l1 * 512 * PAGE_SIZE >= *stack + PAGE_SIZE + (512 << 10));
	/* A list in the linear mapping is not told by frame; neither is a ramdisk. */
	expect(si->first_p2m_pfn, 0);
	expect(si->nr_p2m_frames, 0);
	expect(si->flags & SIF_MOD_START_PFN, 0);
}

/* Every frame of the mapping is where the list says; only the tables are read-only. */
static void mapping(void)
{
	u64 frames = (si->nr_pt_frames - 3) * 512;

	for (u64 n = 0; n < frames; n++) {
		u64 va = ADDRESS_OF_PFN(n);
		bool table = va - si->pt_base < si->nr_pt_frames * PAGE_SIZE;

		if (va == (u64)shared)
			continue;
		check(pte_value(va, 1) >> PAGE_SHIFT == pfn_to_mfn(n));
		check((pte_value(va, 1) & 7) == (table ? 5 : 7));
	}
}

/* The list covers all memory: dense, ours, and the reverse of the machine's table. */
static void list(void)
{
	for (u64 n = 0; n < si->nr_pages; n++)
		check(machine_to_phys_mapping[pfn_to_mfn(n)] == n);
	WRITE_ONCE(*(u64 *)si->mfn_list, READ_ONCE(*(u64 *)si->mfn_list));
	/* The last frame of all is ours to map. */
	expect(remap(page, RW(pfn_to_mfn(si->nr_pages - 1))), 0);
	page[0] = 1;
}

static void ramdisk(void)
{
	const u8 *p = (const u8 *)si->mod_start;
	u64 sum = 0;

	for (u64 i = 0; i < si->mod_len; i++)
		sum = sum * 31 + p[i];
	if (si->mod_len)
		say("ramdisk of %lu bytes, sum %lx\n", si->mod_len, sum);
}

void test_main(void)
{
	u64 stack, here;

	asm("mov %%rsp, %0" : "=r"(here));
	check(here < (u64)image_end); /* the runtime's stack, not the boot stack */
	order(&stack);
	mapping();
	list();
	ramdisk();
	/* Frame 0 is at address 0, and free. */
	asm volatile("movb $1, 8" ::: "memory");
	/* The page at the note's address was filled: the first slot pushes rcx. */
	expect(hypercall_page[0], 0x51);
	for (u64 va = stack; va < stack + PAGE_SIZE; va += 512)
		WRITE_ONCE(*(u64 *)va, 0);
}
