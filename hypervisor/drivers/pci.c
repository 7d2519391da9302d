// SPDX-License-Identifier: MIT
/*
 * PCI: configuration space through the two ports, memory regions, MSI-X.
 *
 * Only bus 0 is looked at: the emulated PC has no bridges, and a machine without the device sought
 * costs 32 reads. What a device says of itself (region addresses, capability lists, table offsets)
 * is not believed: lists end after as many steps as fit the space, and an address is mapped only if
 * it is not RAM.
 */
#include <hv/pci.h>
#include <hv/frame.h>
#include <hv/pagetable.h>
#include <hv/processor.h>

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000u
#define NR_DEVICES     32

#define REG_ID		 0x00
#define REG_COMMAND	 0x04
#define REG_BAR		 0x10
#define REG_CAPABILITIES 0x34

#define COMMAND_MEMORY	    0x002
#define COMMAND_MASTER	    0x004
#define COMMAND_NO_INTX	    0x400
#define STATUS_CAPABILITIES (1u << 20)
#define BAR_IO		    1u
#define BAR_TYPE	    6u
#define BAR_64		    4u
#define NR_BARS		    6
#define MAX_CAPABILITIES    48
#define MSIX_ENABLE	    0x80000000u
#define MSIX_MASK_ALL	    0x40000000u
#define MSIX_ENTRY	    16
#define LAPIC_MESSAGE	    0xfee00000u /* to processor 0, fixed delivery, edge */

/* The first page belongs to the local APIC. */
static u64 next_va = DEVICE_BASE + PAGE_SIZE;

u32 pci_read(const struct pci_device *p, unsigned int reg)
{
	outl(CONFIG_ADDRESS, p->address | (reg & 0xfc));
	return inl(CONFIG_DATA);
}

static void pci_write(const struct pci_device *p, unsigned int reg, u32 v)
{
	outl(CONFIG_ADDRESS, p->address | (reg & 0xfc));
	outl(CONFIG_DATA, v);
}

bool pci_find(u16 vendor, u16 device, u16 or_device, unsigned int nth, struct pci_device *p)
{
	for (unsigned int slot = 0; slot < NR_DEVICES; slot++) {
		u32 id;

		p->address = CONFIG_ENABLE | slot << 11;
		id = pci_read(p, REG_ID);
		if ((u16)id != vendor || (id >> 16 != device && id >> 16 != or_device))
			continue;
		if (nth-- == 0)
			return true;
	}
	return false;
}

unsigned int pci_capability(const struct pci_device *p, unsigned int id, unsigned int nth)
{
	unsigned int at;

	if (!(pci_read(p, REG_COMMAND) & STATUS_CAPABILITIES))
		return 0;
	at = pci_read(p, REG_CAPABILITIES) & 0xfc;
	for (unsigned int i = 0; at && i < MAX_CAPABILITIES; i++) {
		u32 head = pci_read(p, at);

		if ((head & 0xff) == id && nth-- == 0)
			return at;
		at = (head >> 8) & 0xfc;
	}
	return 0;
}

/* Status bits, in the upper half, are cleared by writing 1. */
static void set_command(const struct pci_device *p, u32 clear, u32 set)
{
	pci_write(p, REG_COMMAND, (pci_read(p, REG_COMMAND) & 0xffff & ~clear) | set);
}

void pci_enable(const struct pci_device *p)
{
	set_command(p, 0, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
}

void pci_disable(const struct pci_device *p)
{
	set_command(p, COMMAND_MASTER, 0);
}

/* 0 if the device has no memory there. */
static u64 bar_address(const struct pci_device *p, unsigned int bar)
{
	u32 low, high = 0;

	if (bar >= NR_BARS)
		return 0;
	low = pci_read(p, REG_BAR + 4 * bar);
	if (low & BAR_IO)
		return 0;
	if ((low & BAR_TYPE) == BAR_64 && bar + 1 < NR_BARS)
		high = pci_read(p, REG_BAR + 4 * (bar + 1));
	return (u64)high << 32 | (low & ~0xfu);
}

static bool is_ram(u64 first, u64 last)
{
	for (u64 n = first >> PAGE_SHIFT; n <= last >> PAGE_SHIFT; n++)
		if (n < max_mfn && frame_of(mfn(n))->owner != OWNER_ABSENT)
			return true;
	return false;
}

volatile void *pci_map(const struct pci_device *p, unsigned int bar, u32 offset, u32 length)
{
	u64 base = bar_address(p, bar);
	u64 first = base + offset;
	u64 last = first + length - 1;
	u64 va = next_va;

	if (!base || !length || last < base || last >> 52 || length > 1u << 20 ||
	    is_ram(first, last))
		return NULL;
	for (u64 pa = first & PAGE_MASK; pa <= last; pa += PAGE_SIZE, next_va += PAGE_SIZE)
		if (pagetable_map(next_va, paddr(pa), PTE_RW | PTE_PCD | PTE_NX) < 0)
			return NULL;
	return (volatile void *)(va + (first & ~PAGE_MASK));
}

bool pci_msix_enable(const struct pci_device *p, unsigned int entry, u8 vector)
{
	unsigned int cap = pci_capability(p, PCI_CAP_MSIX, 0);
	volatile u32 *line;
	u32 control, table;

	if (!cap)
		return false;
	control = pci_read(p, cap);
	if (entry > ((control >> 16) & 0x7ff))
		return false;
	table = pci_read(p, cap + 4);
	line = pci_map(p, table & 7, (table & ~7u) + entry * MSIX_ENTRY, MSIX_ENTRY);
	if (!line)
		return false;
	pci_write(p, cap, control | MSIX_ENABLE | MSIX_MASK_ALL);
	line[0] = LAPIC_MESSAGE;
	line[1] = 0;
	line[2] = vector;
	line[3] = 0;
	pci_write(p, cap, (control | MSIX_ENABLE) & ~MSIX_MASK_ALL);
	return true;
}
