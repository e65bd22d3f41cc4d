/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message-signalled interrupts of PCI devices.  dom0's driver code enables
 * and disables the capability itself; message, vector and mask are ours.
 * Devices of PCI segment 0 only.
 */
#ifndef DEV_MSI_H
#define DEV_MSI_H

#include "lib/types.h"

struct irq;

struct msi {
	uint8_t bus, devfn;
	uint8_t cap;         /* the capability's offset in configuration space */
	bool is_msix, is_64bit, can_mask;
	uint8_t index;       /* MSI: which of the messages of its group */
	uint8_t count;       /* MSI: how many there are in the group, 2^n */
	volatile uint32_t *entry; /* MSI-X: its table entry */
};

/* What PHYSDEVOP_map_pirq says of one. */
struct msi_request {
	uint8_t bus, devfn;
	unsigned int count;     /* MSI: messages wanted; MSI-X: 1 */
	unsigned int entry;     /* MSI-X */
	paddr_t table_base;     /* MSI-X: the BAR's address; 0: MSI */
};

/*
 * Finds and checks the capability: 0, -ENODEV (none), -EINVAL (entry out of
 * range, bad table), -ERANGE (more messages than it has), -ENOMEM.
 */
must_check int msi_probe(const struct msi_request *r, struct msi *out);
/* Of a group of messages one alone is left: stops the device sending any. */
void msi_disable(const struct msi *msi);
/* -ENODEV: the device has no MSI-X. */
must_check int msix_check(uint8_t bus, uint8_t devfn);

#endif
