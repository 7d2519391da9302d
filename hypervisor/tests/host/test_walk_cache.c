// SPDX-License-Identifier: MIT
/*
 * The rule over epochs: a frame that was a page table since the last whole flush may still be
 * walked by the processor, whatever its type is now. Until the next flush nobody may write it, not
 * the guest through a mapping and not a call on its behalf; else a call {clear the entry that leads
 * to a table; write into the table} maps any frame. The emulated machine has no such caches, so
 * flushes are observed here: random calls, and after each one (and at every flush in it) the
 * contents of all such frames must be what they were.
 */
#include "unit.h"
#include <hv/hypercall.h>
#include <hv/page_type.h>
#include <hv/percpu.h>
#include <hv/vcpu.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FRAMES 32
#define ROUNDS 40000
/* The tables that are loaded: L4, L3, L2 and L1, the L1 mapping VA. */
#define BASE 28
#define VA   0x1000ull

extern void (*fake_flush_hook)(void);
extern bool fake_impatient;

static struct vcpu vcpu;
static struct domain d = {.id = 1, .vcpu = &vcpu};
static u64 before[FRAMES][PTES_PER_PAGE];
static bool cached[FRAMES];  /* the processor may walk it: a table since the last flush */
static bool checked[FRAMES]; /* and was none when the call began: its contents must stay */
static unsigned int flushes, closed_writes;

static u64 *page(u64 n)
{
	return mfn_to_virt(mfn(n));
}

static bool table(u64 n)
{
	const struct frame *f = frame_of(mfn(n));

	return f->type_refs && f->type >= FT_L1 && f->type <= FT_L4;
}

static void compare(void)
{
	for (u64 n = 0; n < FRAMES; n++)
		if (checked[n])
			EXPECT(memcmp(page(n), before[n], PAGE_SIZE) == 0);
}

static void flushed(void)
{
	flushes++;
	compare();
	memset(cached, 0, sizeof(cached));
	memset(checked, 0, sizeof(checked));
}

static void begin(void)
{
	memcpy(before, page(0), sizeof(before));
	for (u64 n = 0; n < FRAMES; n++)
		checked[n] = cached[n] && !table(n);
}

static void end(void)
{
	compare();
	for (u64 n = 0; n < FRAMES; n++) {
		const struct frame *f = frame_of(mfn(n));

		cached[n] |= table(n);
		/* The guest could write through a mapping it was given. */
		EXPECT(!cached[n] || f->type != FT_WRITABLE || !f->type_refs);
	}
}

static long update(u64 ptr, u64 val)
{
	struct mmu_update u = {.ptr = ptr, .val = val};

	return do_mmu_update((u64)&u, 1, 0, DOMID_SELF);
}

static long extended(unsigned int cmd, u64 m, u64 src)
{
	struct mmuext_op op = {.cmd = cmd, .arg1.mfn = m, .arg2.src_mfn = src};

	return do_mmuext_op((u64)&op, 1, 0, DOMID_SELF);
}

static u64 random_entry(void)
{
	return (u64)(rand() % FRAMES) << PAGE_SHIFT | (rand() % 8 ? PTE_P : 0) |
	       (rand() % 3 ? 0 : PTE_RW);
}

static void step(void)
{
	u64 n = (u64)rand() % FRAMES;
	u64 slot = (u64)rand() % 8;
	bool closed = cached[n] && !table(n);
	long rc = -1;

	switch (rand() % 12) {
	case 0:
		(void)extended(MMUEXT_PIN_L1_TABLE + (unsigned int)rand() % 4, n, 0);
		break;
	case 1:
	case 2:
		(void)extended(MMUEXT_UNPIN_TABLE, n, 0);
		break;
	case 3:
		rc = extended(MMUEXT_CLEAR_PAGE, n, 0);
		break;
	case 4:
		rc = extended(MMUEXT_COPY_PAGE, n, (u64)rand() % FRAMES);
		break;
	case 5:
		(void)do_update_va_mapping(VA + slot * PAGE_SIZE, random_entry(), UVMF_NONE);
		break;
	default:
		rc = update((n << PAGE_SHIFT) + slot * 8, random_entry());
	}
	closed_writes += closed && rc == 0;
}

/* The attack as it would be made: one batch, with nothing in between. */
static void batch(void)
{
	struct mmu_update u[2] = {{.ptr = (2ull << PAGE_SHIFT), .val = 0},
				  {.ptr = (1ull << PAGE_SHIFT) + 8, .val = 0x12345067}};
	unsigned int count = flushes;

	memset(page(0), 0, FRAMES * PAGE_SIZE);
	EXPECT(extended(MMUEXT_PIN_L2_TABLE, 2, 0) == 0);
	EXPECT(update(u[0].ptr, (1ull << PAGE_SHIFT) | PTE_P) == 0);
	EXPECT(frame_of(mfn(1))->type == FT_L1 && frame_of(mfn(1))->type_refs == 1);
	EXPECT(flushes == count);
	EXPECT(do_mmu_update((u64)u, 2, 0, DOMID_SELF) == 0);
	EXPECT(page(1)[1] == 0x12345067 && flushes == count + 1);
	EXPECT(extended(MMUEXT_UNPIN_TABLE, 2, 0) == 0);
	flushed();
}

static void load_base(void)
{
	for (u64 level = 4; level > 1; level--)
		page(BASE + 4 - level)[0] = (BASE + 5 - level) << PAGE_SHIFT | PTE_P;
	EXPECT(page_get_type(&d, mfn(BASE), FT_L4) == 0);
	cpu.hot.kernel_cr3 = BASE << PAGE_SHIFT;
}

int main(void)
{
	srand(11);
	domains[1] = &d;
	vcpu.domain = &d;
	cpu.running = &vcpu;
	max_mfn = FRAMES;
	frame_table = calloc(FRAMES, sizeof(*frame_table));
	if (mmap((void *)DIRECT_MAP_BASE, FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) != (void *)DIRECT_MAP_BASE)
		return 2;
	for (unsigned int n = 0; n < FRAMES; n++)
		frame_table[n] = (struct frame){.refs = 1, .owner = n ? 1 : 2};
	fake_flush_hook = flushed;
	batch();
	load_base();
	for (unsigned int i = 0; i < ROUNDS && unit_failures < 10; i++) {
		begin();
		step();
		end();
	}
	EXPECT(flushes > 100 && closed_writes > 100); /* else nothing was tried */
	free(frame_table);
	return unit_failures != 0;
}
