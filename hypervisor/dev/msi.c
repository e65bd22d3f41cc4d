/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MSI and MSI-X capabilities (PCI Local Bus Specification 3.0, "MSI
 * Capability Structure" and "MSI-X Capability and Table Structures").
 */
#include "dev/msi.h"

#include "cpu/cpu.h"
#include "dev/irq_desc.h"
#include "dev/pciconf.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/mm.h"

#define PCI_COMMAND          0x04
#define PCI_COMMAND_MEMORY   0x2
#define PCI_STATUS           0x06
#define PCI_STATUS_CAP_LIST  0x10
#define PCI_BAR0             0x10
#define PCI_CAP_LIST         0x34
#define PCI_CAP_ID_MSI       0x05
#define PCI_CAP_ID_MSIX      0x11
#define PCI_CAPS_MAX         48

#define MSI_FLAGS            0x2
#define MSI_FLAGS_ENABLE     0x0001
#define MSI_FLAGS_QMASK      0x000e
#define MSI_FLAGS_QSIZE      0x0070
#define MSI_FLAGS_64BIT      0x0080
#define MSI_FLAGS_MASKBIT    0x0100
#define MSI_ADDRESS_LO       0x4
#define MSI_ADDRESS_HI       0x8
#define MSI_DATA_32          0x8
#define MSI_DATA_64          0xc
#define MSI_MASK_32          0xc
#define MSI_MASK_64          0x10

#define MSIX_FLAGS           0x2
#define MSIX_FLAGS_QSIZE     0x07ff
#define MSIX_TABLE           0x4
#define MSIX_TABLE_BIR       0x7
#define MSIX_ENTRY_SIZE      16
#define MSIX_ENTRY_ADDR_LO   0 /* in dwords */
#define MSIX_ENTRY_ADDR_HI   1
#define MSIX_ENTRY_DATA      2
#define MSIX_ENTRY_CTRL      3
#define MSIX_CTRL_MASKED     1U

/* Intel SDM volume 3, "Message Signalled Interrupts": fixed delivery, physical destination. */
#define MSI_ADDRESS_BASE       0xfee00000U
#define MSI_ADDRESS_DEST_SHIFT 12

#define TABLE_PAGES_MAX 256

/* Table pages mapped so far; devices come and go, the mappings stay. */
static struct spinlock table_lock; /* below: */
static struct table_page {
	paddr_t paddr;
	char *v;
} table_pages[TABLE_PAGES_MAX];
static unsigned int nr_table_pages;

static uint32_t conf_read(uint8_t bus, uint8_t devfn, unsigned int reg, unsigned int size)
{
	return pciconf_read(pciconf_address(bus, devfn, reg), reg & 3, size);
}

static void conf_write(const struct msi *msi, unsigned int reg, unsigned int size, uint32_t val)
{
	pciconf_write(pciconf_address(msi->bus, msi->devfn, reg), reg & 3, size, val);
}

/* 0 if it has none. */
static uint8_t cap_find(uint8_t bus, uint8_t devfn, uint8_t id)
{
	uint8_t at;

	if (conf_read(bus, devfn, 0, 2) == 0xffff ||
	    !(conf_read(bus, devfn, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	at = conf_read(bus, devfn, PCI_CAP_LIST, 1) & ~3;
	for (unsigned int i = 0; at >= 0x40 && i < PCI_CAPS_MAX; i++) {
		if (conf_read(bus, devfn, at, 1) == id)
			return at;
		at = conf_read(bus, devfn, at + 1, 1) & ~3;
	}
	return 0;
}

static char *table_page_map(paddr_t paddr)
{
	char *v = NULL;

	spin_lock(&table_lock);
	for (unsigned int i = 0; i < nr_table_pages; i++)
		if (table_pages[i].paddr == paddr)
			v = table_pages[i].v;
	if (!v && nr_table_pages < TABLE_PAGES_MAX) {
		v = iomap(paddr, PAGE_SIZE);
		if (v)
			table_pages[nr_table_pages++] = (struct table_page){paddr, v};
	}
	spin_unlock(&table_lock);
	return v;
}

/* Does the BAR hold that address?  A virtual function's reads as zero: taken on trust. */
static bool bar_is_at(const struct msi_request *r, unsigned int bir, paddr_t base)
{
	uint32_t lo = conf_read(r->bus, r->devfn, PCI_BAR0 + 4 * bir, 4);
	paddr_t at = lo & ~0xfU;

	if ((lo & 6) == 4 && bir < 5)
		at |= (paddr_t)conf_read(r->bus, r->devfn, PCI_BAR0 + 4 * (bir + 1), 4) << 32;
	return !at || at == base;
}

static int msix_probe(const struct msi_request *r, struct msi *out)
{
	uint32_t flags = conf_read(r->bus, r->devfn, out->cap + MSIX_FLAGS, 2);
	uint32_t table = conf_read(r->bus, r->devfn, out->cap + MSIX_TABLE, 4);
	paddr_t at = r->table_base + (table & ~MSIX_TABLE_BIR) + r->entry * MSIX_ENTRY_SIZE;
	char *page;

	if (r->entry > (flags & MSIX_FLAGS_QSIZE) || (table & MSIX_TABLE_BIR) > 5 ||
	    r->table_base % PAGE_SIZE || !bar_is_at(r, table & MSIX_TABLE_BIR, r->table_base) ||
	    mfn_is_ram(paddr_to_mfn(at)))
		return -EINVAL;
	if (!(conf_read(r->bus, r->devfn, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return -ENXIO;
	page = table_page_map(ROUND_DOWN(at, PAGE_SIZE));
	if (!page)
		return -ENOMEM;
	out->entry = (volatile uint32_t *)(page + at % PAGE_SIZE);
	out->can_mask = true;
	return 0;
}

static int msi_probe_plain(const struct msi_request *r, struct msi *out)
{
	uint32_t flags = conf_read(r->bus, r->devfn, out->cap + MSI_FLAGS, 2);

	if (r->count > 1U << ((flags & MSI_FLAGS_QMASK) >> 1))
		return -ERANGE;
	out->is_64bit = flags & MSI_FLAGS_64BIT;
	out->can_mask = flags & MSI_FLAGS_MASKBIT;
	return 0;
}

int msi_probe(const struct msi_request *r, struct msi *out)
{
	bool is_msix = r->table_base;

	*out = (struct msi){
		.bus = r->bus,
		.devfn = r->devfn,
		.cap = cap_find(r->bus, r->devfn, is_msix ? PCI_CAP_ID_MSIX : PCI_CAP_ID_MSI),
		.is_msix = is_msix,
		.count = r->count,
	};
	if (!out->cap)
		return -ENODEV;
	return is_msix ? msix_probe(r, out) : msi_probe_plain(r, out);
}

int msix_check(uint8_t bus, uint8_t devfn)
{
	return cap_find(bus, devfn, PCI_CAP_ID_MSIX) ? 0 : -ENODEV;
}

void msi_disable(const struct msi *msi)
{
	uint32_t flags;

	if (msi->is_msix) {
		msi->entry[MSIX_ENTRY_CTRL] |= MSIX_CTRL_MASKED;
		return;
	}
	flags = conf_read(msi->bus, msi->devfn, msi->cap + MSI_FLAGS, 2);
	conf_write(msi, msi->cap + MSI_FLAGS, 2, flags & ~(MSI_FLAGS_ENABLE | MSI_FLAGS_QSIZE));
}

static void set_masked(struct irq *irq, bool masked)
{
	const struct msi *msi = &irq->msi;
	unsigned int reg = msi->cap + (msi->is_64bit ? MSI_MASK_64 : MSI_MASK_32);
	uint32_t bits;

	if (!msi->can_mask)
		return;
	if (msi->is_msix) {
		bits = msi->entry[MSIX_ENTRY_CTRL] & ~MSIX_CTRL_MASKED;
		msi->entry[MSIX_ENTRY_CTRL] = bits | (masked ? MSIX_CTRL_MASKED : 0);
		(void)msi->entry[MSIX_ENTRY_CTRL]; /* it has arrived when it can be read back */
		return;
	}
	bits = conf_read(msi->bus, msi->devfn, reg, 4) & ~(1U << msi->index);
	conf_write(msi, reg, 4, bits | (masked ? 1U << msi->index : 0));
}

static void msi_mask(struct irq *irq)
{
	set_masked(irq, true);
}

static void msi_unmask(struct irq *irq)
{
	set_masked(irq, false);
}

/* The entry must be masked while it changes, or the device may send a mixture. */
static void msix_route(struct irq *irq, uint32_t address)
{
	volatile uint32_t *entry = irq->msi.entry;
	uint32_t ctrl = entry[MSIX_ENTRY_CTRL];

	entry[MSIX_ENTRY_CTRL] = ctrl | MSIX_CTRL_MASKED;
	entry[MSIX_ENTRY_ADDR_LO] = address;
	entry[MSIX_ENTRY_ADDR_HI] = 0;
	entry[MSIX_ENTRY_DATA] = irq->vector;
	entry[MSIX_ENTRY_CTRL] = ctrl;
	(void)entry[MSIX_ENTRY_CTRL];
}

/*
 * One message for the whole group; the device adds the index to the vector,
 * so the group goes where its first goes.  A move changes one dword only.
 */
static void msi_route(struct irq *irq)
{
	const struct msi *msi = &irq->msi;
	uint32_t address = MSI_ADDRESS_BASE | cpu_apic_ids[irq->cpu] << MSI_ADDRESS_DEST_SHIFT;
	uint32_t flags;

	if (msi->is_msix) {
		msix_route(irq, address);
		return;
	}
	if (msi->index)
		return;
	conf_write(msi, msi->cap + MSI_ADDRESS_LO, 4, address);
	if (msi->is_64bit)
		conf_write(msi, msi->cap + MSI_ADDRESS_HI, 4, 0);
	conf_write(msi, msi->cap + (msi->is_64bit ? MSI_DATA_64 : MSI_DATA_32), 2, irq->vector);
	flags = conf_read(msi->bus, msi->devfn, msi->cap + MSI_FLAGS, 2) & ~MSI_FLAGS_QSIZE;
	conf_write(msi, msi->cap + MSI_FLAGS, 2, flags | __builtin_ctz(msi->count) << 4);
}

const struct irq_chip msi_chip = {
	.mask = msi_mask,
	.unmask = msi_unmask,
	.route = msi_route,
};
