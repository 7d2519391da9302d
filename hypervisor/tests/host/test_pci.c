// SPDX-License-Identifier: MIT
/*
 * The PCI bus, with devices that are there, absent, or tell lies in their configuration space:
 * lists of capabilities that never end, regions that are RAM, no memory, or beyond all memory.
 */
#include "unit.h"
#include <hv/frame.h>
#include <hv/pagetable.h>
#include <hv/pci.h>
#include <hv/processor.h>
#include <hv/public.h>
#include <string.h>
#include <sys/mman.h>

#define RAM_FRAMES 256
#define ABSENT	   0xffffffffu
#define MMIO	   0xfe000000u

static u32 config[32][64]; /* of the devices on the bus; word 0 all ones: nobody there */
static u32 address;
static unsigned int reads, writes, tables_left;
static struct {
	u64 va, pa, flags;
} mapped[64];
static unsigned int nr_mapped;
static struct frame frames[RAM_FRAMES];
static u32 commands[4]; /* written to the command word, the last ones */

void outl(u16 port, u32 v)
{
	unsigned int slot = (address >> 11) & 31, word = (address & 0xfc) / 4;

	if (port == 0xcf8) {
		address = v;
		return;
	}
	EXPECT(port == 0xcfc && address >> 31 && !(address & 0x7fff0703));
	writes++;
	if (word == 1)
		memmove(commands + 1, commands, 3 * sizeof(u32)), commands[0] = v;
	config[slot][word] = word == 1 ? (config[slot][1] & 0xffff0000) | (v & 0xffff) : v;
}

u32 inl(u16 port)
{
	EXPECT(port == 0xcfc && address >> 31 && !(address & 0x7fff0703));
	reads++;
	return config[(address >> 11) & 31][(address & 0xfc) / 4];
}

int pagetable_map(u64 va, paddr_t pa, u64 flags)
{
	if (!tables_left)
		return -ENOMEM;
	tables_left--;
	mapped[nr_mapped].va = va;
	mapped[nr_mapped].pa = pa.n;
	mapped[nr_mapped++].flags = flags;
	return 0;
}

static void fresh(void)
{
	memset(config, 0, sizeof(config));
	for (unsigned int i = 0; i < 32; i++)
		config[i][0] = ABSENT;
	reads = writes = nr_mapped = 0;
	tables_left = 60;
}

static void capability(unsigned int slot, unsigned int at, u8 id, u8 next)
{
	config[slot][at / 4] = (config[slot][at / 4] & 0xffff0000) | (u32)next << 8 | id;
}

static struct pci_device device(unsigned int slot)
{
	struct pci_device p;

	config[slot][0] = 0x10411af4;
	config[slot][1] = 1u << 20; /* there are capabilities */
	EXPECT(pci_find(0x1af4, 0x1041, 0x1000, 0, &p));
	return p;
}

static void finding(void)
{
	struct pci_device p;

	fresh();
	EXPECT(!pci_find(0x1af4, 0x1041, 0x1000, 0, &p) && reads == 32);
	config[3][0] = 0x10411af4;
	config[4][0] = 0x10421af4;
	config[5][0] = 0x10418086;
	config[31][0] = 0x10001af4;
	EXPECT(pci_find(0x1af4, 0x1041, 0x1000, 0, &p) && p.address == (0x80000000 | 3 << 11));
	EXPECT(pci_find(0x1af4, 0x1041, 0x1000, 1, &p) && p.address == (0x80000000 | 31 << 11));
	EXPECT(!pci_find(0x1af4, 0x1041, 0x1000, 2, &p) && writes == 0);
}

static void capabilities(void)
{
	struct pci_device p;

	fresh();
	p = device(7);
	EXPECT(!pci_capability(&p, 9, 0)); /* an empty list */
	config[7][0x34 / 4] = 0x43;	   /* the low bits mean nothing */
	capability(7, 0x40, 9, 0x50);
	capability(7, 0x50, 5, 0x60);
	capability(7, 0x60, 9, 0xfe);
	capability(7, 0xfc, 0x11, 0);
	EXPECT(pci_capability(&p, 9, 0) == 0x40 && pci_capability(&p, 9, 1) == 0x60);
	EXPECT(!pci_capability(&p, 9, 2) && pci_capability(&p, 0x11, 0) == 0xfc);
	config[7][1] = 0; /* it says that there is no list */
	EXPECT(!pci_capability(&p, 9, 0));
}

/* A list that is a ring has an end for us, for one search and for all of a row. */
static void rings(void)
{
	struct pci_device p;
	unsigned int n = 0;

	fresh();
	p = device(0);
	config[0][0x34 / 4] = 0x40;
	capability(0, 0x40, 9, 0x50);
	capability(0, 0x50, 9, 0x40);
	reads = 0;
	EXPECT(!pci_capability(&p, 0x11, 0) && reads < 100);
	while (n < 1000 && pci_capability(&p, 9, n))
		n++;
	EXPECT(n >= 2 && n < 100);
	capability(0, 0x40, 9, 0x40); /* itself */
	EXPECT(!pci_capability(&p, 0x11, 0) && !pci_capability(&p, 9, 999));
}

static void regions(void)
{
	struct pci_device p;
	u32 *bar;
	u64 first, second;

	fresh();
	p = device(1);
	bar = &config[1][4];
	bar[0] = MMIO;
	bar[1] = 0xc001; /* ports */
	bar[2] = 0x8000000c;
	bar[3] = 0x12;
	bar[5] = MMIO | 4; /* says 64 bits, and is the last */
	first = (u64)pci_map(&p, 0, 0x1ff0, 0x20);
	EXPECT(nr_mapped == 2 && mapped[0].pa == MMIO + 0x1000 && mapped[1].pa == MMIO + 0x2000);
	EXPECT(first == mapped[0].va + 0xff0 && mapped[1].va == mapped[0].va + PAGE_SIZE);
	EXPECT(mapped[0].flags & PTE_PCD && mapped[0].flags & PTE_NX && !(mapped[0].flags & PTE_US));
	EXPECT(mapped[0].va > DEVICE_BASE); /* where the local APIC is */
	second = (u64)pci_map(&p, 2, 0, PAGE_SIZE);
	EXPECT(nr_mapped == 3 && mapped[2].pa == 0x1280000000 && second >= first + PAGE_SIZE);
	EXPECT(pci_map(&p, 5, 0, 4) && mapped[3].pa == MMIO);
	nr_mapped = 0;
	EXPECT(!pci_map(&p, 1, 0, 4) && !pci_map(&p, 4, 0, 4)); /* ports, and nothing */
	EXPECT(!pci_map(&p, 6, 0, 4) && !pci_map(&p, 255, 0, 4));
	EXPECT(!pci_map(&p, 0, 0, 0) && !pci_map(&p, 0, 0, (1u << 20) + 1));
	EXPECT(!pci_map(&p, 0, 0, 0xffffffff));
	bar[2] = 4;
	bar[3] = 0x100000; /* more than a processor can address */
	EXPECT(!pci_map(&p, 2, 0, 4));
	bar[3] = 0xffffffff;
	EXPECT(!pci_map(&p, 2, 0xffffffff, 0x10000)); /* around the end */
	bar[0] = 10 << PAGE_SHIFT;
	EXPECT(!pci_map(&p, 0, 0, 4)); /* RAM */
	bar[0] = 240 << PAGE_SHIFT; /* a hole, which ends where RAM goes on */
	EXPECT(!pci_map(&p, 0, 0, 10 * PAGE_SIZE + 1) && nr_mapped == 0);
	EXPECT(pci_map(&p, 0, 0, 10 * PAGE_SIZE) && nr_mapped == 10);
	tables_left = 1;
	EXPECT(!pci_map(&p, 0, 0, 2 * PAGE_SIZE) && tables_left == 0);
}

/* The status half of the command word is left alone, as writing there clears it. */
static void on_and_off(void)
{
	struct pci_device p;

	fresh();
	p = device(2);
	config[2][1] = 0xf9100001;
	pci_enable(&p);
	EXPECT(commands[0] == 0x0407);
	pci_disable(&p);
	EXPECT(commands[0] == 0x0403);
}

static void interrupts(void)
{
	struct pci_device p;
	u32 *line;

	fresh();
	p = device(9);
	EXPECT(!pci_msix_enable(&p, 0, 0x55));
	config[9][0x34 / 4] = 0x40;
	capability(9, 0x40, 0x11, 0);
	config[9][0x40 / 4] |= 2u << 16; /* three entries */
	config[9][0x44 / 4] = 0x800 | 1; /* in region 1, which is none */
	EXPECT(!pci_msix_enable(&p, 0, 0x55) && !pci_msix_enable(&p, 3, 0x55));
	config[9][5] = MMIO;
	EXPECT(!(config[9][0x40 / 4] >> 31) && nr_mapped == 0);
	tables_left = 0;
	EXPECT(!pci_msix_enable(&p, 0, 0x55) && !(config[9][0x40 / 4] >> 31));
	tables_left = 1;
	EXPECT(pci_msix_enable(&p, 2, 0x55) && nr_mapped == 1 && mapped[0].pa == MMIO);
	EXPECT(config[9][0x40 / 4] >> 30 == 2); /* on, and not masked */
	line = (u32 *)(mapped[0].va + 0x800 + 2 * 16);
	EXPECT(line[0] == 0xfee00000 && line[1] == 0 && line[2] == 0x55 && line[3] == 0);
}

int main(void)
{
	void *where = (void *)DEVICE_BASE;

	EXPECT(mmap(where, 64 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == where);
	frame_table = frames;
	max_mfn = RAM_FRAMES;
	for (unsigned int i = 0; i < RAM_FRAMES; i++)
		frames[i].owner = i < 240 || i >= 250 ? OWNER_FREE : OWNER_ABSENT;
	finding();
	capabilities();
	rings();
	regions();
	on_and_off();
	interrupts();
	return unit_failures != 0;
}
