/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wires from devices to the interrupt controllers.  A GSI is up while any
 * wire that leads to it is: PCI pins straight to GSIs 16..47, and by four links,
 * which the device model routes, to an ISA IRQ; ISA IRQs to the GSI of their
 * number, but IRQ 0, which is GSI 2 as the MADT of every PC has it.
 */
#include "hvm/platform_state.h"

#include "hvm/vlapic.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"

#define ISA_IRQS    16
#define PCI_DEVICES 32
#define PCI_PINS    4

/* PCI Local Bus Specification, "Message Address", "Message Data"; Intel SDM vol. 3, same titles */
#define MSI_ADDRESS	   0xfee00000UL
#define MSI_ADDRESS_MASK   (~0xfffffUL)
#define MSI_DEST(address)  ((address) >> 12 & 0xff)
#define MSI_LOGICAL	   4
#define MSI_DELIVERY(data) ((data) >> 8 & 7)
#define MSI_ASSERT	   (1U << 14)
#define MSI_LEVEL	   (1U << 15)

static unsigned int isa_gsi(unsigned int irq)
{
	return irq ? irq : 2;
}

bool hvm_gsi_is_up(const struct hvm_platform *p, unsigned int gsi)
{
	return p->lines.count[gsi];
}

/* Pin 2 of the PIC is its cascade: who gets GSI 2 there is line 0. */
static void controllers_set(struct hvm_platform *p, unsigned int gsi, bool level)
{
	if (p->domain->hvm->emulation & XEN_X86_EMU_IOAPIC)
		vioapic_line_set(p, gsi, level);
	if (gsi && gsi < ISA_IRQS && p->domain->hvm->emulation & XEN_X86_EMU_PIC)
		vpic_line_set(p, gsi == 2 ? 0 : gsi, level);
}

/* One more wire to it is up, or one less. */
static void gsi_change(struct hvm_platform *p, unsigned int gsi, bool level)
{
	if (level ? !p->lines.count[gsi]++ : !--p->lines.count[gsi])
		controllers_set(p, gsi, level);
}

static void link_change(struct hvm_platform *p, unsigned int link, bool level)
{
	unsigned int irq = p->lines.route[link];

	if ((level ? !p->lines.link_count[link]++ : !--p->lines.link_count[link]) && irq)
		gsi_change(p, irq, level);
}

/* As the firmware's tables for stock guests have it (hvmloader's _PRT). */
static unsigned int pci_gsi(unsigned int device, unsigned int pin)
{
	return ((device * 4 + (device >> 3) + pin) & 31) + ISA_IRQS;
}

static unsigned int pci_link(unsigned int device, unsigned int pin)
{
	return (device + pin) % HVM_PCI_LINKS;
}

static void pci_change(struct hvm_platform *p, unsigned int device, unsigned int pin, bool level)
{
	gsi_change(p, pci_gsi(device, pin), level);
	link_change(p, pci_link(device, pin), level);
}

/* False: it was so already. */
static bool wire_set(unsigned long *wires, unsigned int n, bool level)
{
	if (bit_test(wires, n) == level)
		return false;
	if (level)
		bit_set(wires, n);
	else
		bit_clear(wires, n);
	return true;
}

void hvm_gsi_set(struct domain *d, unsigned int gsi, bool level)
{
	struct hvm_platform *p = d->hvm->platform;
	uint64_t flags;

	if (!p || gsi >= HVM_GSIS)
		return;
	flags = spin_lock_irq(&p->irq_lock);
	if (wire_set(&p->lines.gsi, gsi, level))
		gsi_change(p, gsi, level);
	spin_unlock_irq(&p->irq_lock, flags);
}

void hvm_isa_irq_set(struct domain *d, unsigned int irq, bool level)
{
	struct hvm_platform *p = d->hvm->platform;
	uint64_t flags;

	if (!p || irq >= ISA_IRQS)
		return;
	flags = spin_lock_irq(&p->irq_lock);
	if (wire_set(&p->lines.isa, irq, level))
		gsi_change(p, isa_gsi(irq), level);
	spin_unlock_irq(&p->irq_lock, flags);
}

void hvm_isa_irq_pulse(struct hvm_platform *p, unsigned int irq)
{
	hvm_isa_irq_set(p->domain, irq, true);
	hvm_isa_irq_set(p->domain, irq, false);
}

void hvm_pci_intx_set(struct domain *d, unsigned int device, unsigned int pin, bool level)
{
	struct hvm_platform *p = d->hvm->platform;
	uint64_t flags;

	if (!p || device >= PCI_DEVICES || pin >= PCI_PINS)
		return;
	flags = spin_lock_irq(&p->irq_lock);
	if (wire_set(p->lines.pci, device * PCI_PINS + pin, level))
		pci_change(p, device, pin, level);
	spin_unlock_irq(&p->irq_lock, flags);
}

int hvm_pci_link_set(struct domain *d, unsigned int link, unsigned int irq)
{
	struct hvm_platform *p = d->hvm->platform;
	uint64_t flags;
	uint8_t old;

	if (!p || link >= HVM_PCI_LINKS || irq >= ISA_IRQS)
		return -EINVAL;
	flags = spin_lock_irq(&p->irq_lock);
	old = p->lines.route[link];
	p->lines.route[link] = irq;
	/* A wire that is up moves from the one to the other. */
	if (p->lines.link_count[link] && old != irq) {
		if (old)
			gsi_change(p, old, false);
		if (irq)
			gsi_change(p, irq, true);
	}
	spin_unlock_irq(&p->irq_lock, flags);
	return 0;
}

static void wire_change(struct hvm_platform *p, unsigned int wire, bool level)
{
	unsigned int device = (wire & ~HVM_WIRE_PCI) / PCI_PINS, pin = wire % PCI_PINS;

	if (wire & HVM_WIRE_PCI)
		pci_change(p, device, pin, level);
	else if (wire)
		gsi_change(p, wire, level);
}

void hvm_callback_wire_set(struct hvm_platform *p, unsigned int wire)
{
	unsigned int old = p->lines.callback_wire;

	if (old == wire)
		return;
	WRITE_ONCE(p->lines.callback_wire, wire);
	wire_change(p, old, false);
	wire_change(p, wire, true);
}

int hvm_msi_send(struct domain *d, uint64_t address, uint32_t data)
{
	struct vlapic_message m = {
		.dest = MSI_DEST(address) == 0xff ? VLAPIC_BROADCAST : MSI_DEST(address),
		.vector = data & 0xff,
		.delivery = MSI_DELIVERY(data),
		.is_logical = address & MSI_LOGICAL,
		.is_level = data & MSI_LEVEL,
	};

	if ((address & MSI_ADDRESS_MASK) != MSI_ADDRESS)
		return -EINVAL;
	if ((data & (MSI_LEVEL | MSI_ASSERT)) == MSI_LEVEL)
		return 0; /* the end of a level: nobody listens to it */
	return vlapic_message_send(d, &m);
}

/* --- records --- */

/* From the wires and routes.  No controller hears of it: each has a record of its own. */
static void recount(struct hvm_lines *l)
{
	unsigned int wire;

	memset(l->count, 0, sizeof(l->count));
	memset(l->link_count, 0, sizeof(l->link_count));
	bitmap_for_each(wire, l->pci, PCI_DEVICES * PCI_PINS) {
		l->count[pci_gsi(wire / PCI_PINS, wire % PCI_PINS)]++;
		l->link_count[pci_link(wire / PCI_PINS, wire % PCI_PINS)]++;
	}
	if (l->callback_wire & HVM_WIRE_PCI) {
		wire = l->callback_wire & ~HVM_WIRE_PCI;
		l->count[pci_gsi(wire / PCI_PINS, wire % PCI_PINS)]++;
		l->link_count[pci_link(wire / PCI_PINS, wire % PCI_PINS)]++;
	} else if (l->callback_wire) {
		l->count[l->callback_wire]++;
	}
	bitmap_for_each(wire, &l->isa, ISA_IRQS)
		l->count[isa_gsi(wire)]++;
	bitmap_for_each(wire, &l->gsi, HVM_GSIS)
		l->count[wire]++;
	for (unsigned int link = 0; link < HVM_PCI_LINKS; link++)
		if (l->link_count[link] && l->route[link])
			l->count[l->route[link]]++;
}

/* One of the fields of hvm_lines, and what follows from it. */
static int lines_load(struct domain *d, void *field, const void *val, size_t size)
{
	struct hvm_platform *p = d->hvm->platform;
	uint64_t flags = spin_lock_irq(&p->irq_lock);

	memcpy(field, val, size);
	recount(&p->lines);
	spin_unlock_irq(&p->irq_lock, flags);
	return 0;
}

int hvm_pci_irq_save(struct domain *d, unsigned int instance, void *rec)
{
	struct hvm_platform *p = d->hvm->platform;

	if (!p)
		return -ENODEV;
	memcpy(rec, p->lines.pci, sizeof(p->lines.pci));
	return 0;
}

int hvm_pci_irq_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct hvm_platform *p = d->hvm->platform;

	return p ? lines_load(d, p->lines.pci, rec, sizeof(p->lines.pci)) : -ENODEV;
}

int hvm_isa_irq_save(struct domain *d, unsigned int instance, void *rec)
{
	struct hvm_platform *p = d->hvm->platform;

	if (!p)
		return -ENODEV;
	memcpy(rec, &p->lines.isa, sizeof(p->lines.isa));
	return 0;
}

int hvm_isa_irq_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	const struct hvm_hw_isa_irqs *r = rec;

	if (!p)
		return -ENODEV;
	if (r->pad[0] >> ISA_IRQS)
		return -EINVAL;
	return lines_load(d, &p->lines.isa, rec, sizeof(p->lines.isa));
}

int hvm_pci_link_save(struct domain *d, unsigned int instance, void *rec)
{
	struct hvm_platform *p = d->hvm->platform;

	if (!p)
		return -ENODEV;
	memcpy(rec, p->lines.route, sizeof(p->lines.route));
	return 0;
}

int hvm_pci_link_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	const struct hvm_hw_pci_link *r = rec;

	if (!p)
		return -ENODEV;
	for (unsigned int link = 0; link < HVM_PCI_LINKS; link++)
		if (r->route[link] >= ISA_IRQS)
			return -EINVAL;
	return lines_load(d, p->lines.route, rec, sizeof(p->lines.route));
}
