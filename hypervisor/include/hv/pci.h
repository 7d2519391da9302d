/* SPDX-License-Identifier: MIT */
/* The PCI bus as far as we need it: finding a device, its registers, its interrupts. */
#ifndef HV_PCI_H
#define HV_PCI_H

#include <hv/types.h>

#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

struct pci_device {
	u32 address; /* as the configuration port wants it */
};

/* The nth (from 0) device on bus 0 with this vendor and one of two numbers; false if none. */
bool pci_find(u16 vendor, u16 device, u16 or_device, unsigned int nth, struct pci_device *p);

/* The aligned word of the configuration space that holds register reg. */
u32 pci_read(const struct pci_device *p, unsigned int reg);

/* The nth (from 0) capability with this id, so that a list that is a ring has an end; 0 if none. */
unsigned int pci_capability(const struct pci_device *p, unsigned int id, unsigned int nth);

/* Lets the device answer at its addresses and read and write memory; its old interrupt stays off.
 */
void pci_enable(const struct pci_device *p);

/* It reads and writes no memory any more, whatever it thinks itself. */
void pci_disable(const struct pci_device *p);

/*
 * Maps length bytes at offset of a memory region of the device, uncached, for good. NULL if the
 * device names no memory there, names RAM, or tables are short of memory.
 */
volatile void *pci_map(const struct pci_device *p, unsigned int bar, u32 offset, u32 length);

/* Sends interrupt `entry` of the device to our processor as vector; false if it cannot. */
__must_check bool pci_msix_enable(const struct pci_device *p, unsigned int entry, u8 vector);

#endif
