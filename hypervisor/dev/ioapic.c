/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O APICs (Intel 82093AA, "Register Description"): one pin is one GSI. */
#include "cpu/cpu.h"
#include "dev/acpi.h"
#include "dev/irq_desc.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "mm/mm.h"

#define IOAPIC_SIZE      0x20
#define IOREGSEL         0 /* in dwords */
#define IOWIN            4
#define IOAPICVER        0x01
#define IOREDTBL_LO(pin) (0x10 + 2 * (pin))
#define IOREDTBL_HI(pin) (0x11 + 2 * (pin))

/* A redirection entry's low dword; fixed delivery to a physical destination is 0. */
#define RTE_LOW_ACTIVE BIT(13)
#define RTE_LEVEL      BIT(15)
#define RTE_MASKED     BIT(16)
#define RTE_DEST_SHIFT 24 /* in the high dword */

static struct ioapic {
	volatile uint32_t *regs;
	paddr_t base;
	unsigned int gsi_base, pins;
} ioapics[ACPI_IOAPICS_MAX]; /* constant after ioapic_init */
static unsigned int nr_ioapics;

static struct spinlock ioapic_lock; /* irq-safe: IOREGSEL and what it selects */

static uint32_t reg_read(const struct ioapic *io, uint32_t reg)
{
	io->regs[IOREGSEL] = reg;
	return io->regs[IOWIN];
}

static void reg_write(const struct ioapic *io, uint32_t reg, uint32_t val)
{
	io->regs[IOREGSEL] = reg;
	io->regs[IOWIN] = val;
}

static const struct ioapic *ioapic_of(unsigned int gsi)
{
	for (unsigned int i = 0; i < nr_ioapics; i++)
		if (gsi >= ioapics[i].gsi_base && gsi - ioapics[i].gsi_base < ioapics[i].pins)
			return &ioapics[i];
	return NULL;
}

static init_text void ioapic_add(unsigned int i)
{
	struct ioapic *io = &ioapics[nr_ioapics];

	io->base = acpi_info.ioapics[i].base;
	io->gsi_base = acpi_info.ioapics[i].gsi_base;
	io->regs = iomap(io->base, IOAPIC_SIZE);
	if (!io->regs)
		panic("no room to map an I/O APIC");
	io->pins = (reg_read(io, IOAPICVER) >> 16 & 0xff) + 1;
	for (unsigned int pin = 0; pin < io->pins; pin++)
		reg_write(io, IOREDTBL_LO(pin), RTE_MASKED);
	nr_ioapics++;
}

init_text unsigned int ioapic_init(void)
{
	unsigned int gsis = 0;

	for (unsigned int i = 0; i < acpi_info.nr_ioapics; i++) {
		ioapic_add(i);
		gsis = MAX(gsis, ioapics[i].gsi_base + ioapics[i].pins);
	}
	return gsis;
}

int ioapic_register_read(paddr_t base, uint32_t reg, uint32_t *val)
{
	for (unsigned int i = 0; i < nr_ioapics; i++) {
		const struct ioapic *io = &ioapics[i];
		uint64_t flags;

		if (io->base != base)
			continue;
		if (reg >= IOREDTBL_LO(io->pins))
			return -EINVAL;
		flags = spin_lock_irq(&ioapic_lock);
		*val = reg_read(io, reg);
		spin_unlock_irq(&ioapic_lock, flags);
		return 0;
	}
	return -EINVAL;
}

static void set_masked(const struct irq *irq, bool masked)
{
	unsigned int gsi = irq_number(irq);
	const struct ioapic *io = ioapic_of(gsi);
	uint64_t flags;
	uint32_t reg, lo;

	if (!io)
		return;
	reg = IOREDTBL_LO(gsi - io->gsi_base);
	flags = spin_lock_irq(&ioapic_lock);
	lo = reg_read(io, reg) & ~RTE_MASKED;
	reg_write(io, reg, lo | (masked ? RTE_MASKED : 0));
	spin_unlock_irq(&ioapic_lock, flags);
}

static void ioapic_mask(struct irq *irq)
{
	set_masked(irq, true);
}

static void ioapic_unmask(struct irq *irq)
{
	set_masked(irq, false);
}

static void ioapic_route(struct irq *irq)
{
	unsigned int gsi = irq_number(irq), pin;
	const struct ioapic *io = ioapic_of(gsi);
	uint64_t flags;
	uint32_t masked;

	if (!io)
		return;
	pin = gsi - io->gsi_base;
	flags = spin_lock_irq(&ioapic_lock);
	masked = reg_read(io, IOREDTBL_LO(pin)) & RTE_MASKED;
	/* masked between the halves: it must not be sent half changed */
	reg_write(io, IOREDTBL_LO(pin), RTE_MASKED);
	reg_write(io, IOREDTBL_HI(pin), cpu_apic_ids[irq->cpu] << RTE_DEST_SHIFT);
	reg_write(io, IOREDTBL_LO(pin),
		  irq->vector | (irq->low ? RTE_LOW_ACTIVE : 0) | (irq->level ? RTE_LEVEL : 0) |
			  masked);
	spin_unlock_irq(&ioapic_lock, flags);
}

const struct irq_chip ioapic_chip = {
	.mask = ioapic_mask,
	.unmask = ioapic_unmask,
	.route = ioapic_route,
};
