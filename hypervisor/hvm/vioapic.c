/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O APIC: 48 pins, one per GSI (Intel 82093AA data sheet, "I/O APIC
 * Register Map"; the EOI register and version of its successors are not there).
 */
#include "hvm/platform_state.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"

#define IOAPIC_BASE	0xfec00000UL
#define IOAPIC_VERSION	(0x11U | (VIOAPIC_NUM_PINS - 1) << 16)
#define IOREGSEL	0x00
#define IOWIN		0x10
#define REG_ID		0x00
#define REG_VERSION	0x01
#define REG_ARBITRATION 0x02
#define REG_REDIRECTION 0x10
#define ID_BITS		0x0f000000U

/* Delivery status and remote IRR are the controller's own; bits 17..55 are reserved. */
#define RTE_STATUS	(1UL << 12)
#define RTE_REMOTE_IRR	(1UL << 14)
#define RTE_LEVEL	(1UL << 15)
#define RTE_WRITABLE_LO 0x1afffU
#define RTE_WRITABLE_HI 0xff000000U

static void pin_deliver(struct hvm_platform *p, unsigned int pin)
{
	union vioapic_redir_entry *e = &p->ioapic.redirtbl[pin];
	struct vlapic_message m = {
		.dest = e->fields.dest_id == 0xff ? VLAPIC_BROADCAST : e->fields.dest_id,
		.vector = e->fields.vector,
		.delivery = e->fields.delivery_mode,
		.is_logical = e->fields.dest_mode,
		.is_level = e->fields.trig_mode,
	};

	if (e->fields.mask || (e->fields.trig_mode && e->fields.remote_irr))
		return;
	if (e->fields.trig_mode)
		e->fields.remote_irr = 1;
	/* As on a bus on which nobody accepts it: a level is offered again when it is written to.
	 */
	if (vlapic_message_send(p->domain, &m) && e->fields.trig_mode)
		e->fields.remote_irr = 0;
}

void vioapic_init(struct hvm_platform *p)
{
	p->ioapic.base_address = IOAPIC_BASE;
	for (unsigned int i = 0; i < VIOAPIC_NUM_PINS; i++)
		p->ioapic.redirtbl[i].fields.mask = 1;
}

void vioapic_line_set(struct hvm_platform *p, unsigned int gsi, bool level)
{
	if (level)
		pin_deliver(p, gsi);
}

/* MultiProcessor Specification, "Virtual Wire Mode" via the I/O APIC: hvmloader's choice. */
bool vioapic_passes_pic(const struct hvm_platform *p, uint32_t id)
{
	union vioapic_redir_entry e = {.bits = READ_ONCE(p->ioapic.redirtbl[0].bits)};

	return !e.fields.mask && e.fields.delivery_mode == VLAPIC_EXTINT && !e.fields.dest_mode &&
	       e.fields.dest_id == id;
}

void vioapic_eoi(struct domain *d, uint8_t vector)
{
	struct hvm_platform *p = d->hvm->platform;
	uint64_t flags;

	if (!hvm_has_device(d, XEN_X86_EMU_IOAPIC))
		return;
	flags = spin_lock_irq(&p->irq_lock);
	hvm_callback_wire_update(p);
	for (unsigned int i = 0; i < VIOAPIC_NUM_PINS; i++) {
		union vioapic_redir_entry *e = &p->ioapic.redirtbl[i];

		if (e->fields.vector != vector || !e->fields.remote_irr)
			continue;
		e->fields.remote_irr = 0;
		if (hvm_gsi_is_up(p, i))
			pin_deliver(p, i);
	}
	spin_unlock_irq(&p->irq_lock, flags);
}

static uint32_t window_read(const struct hvm_platform *p)
{
	unsigned int reg = p->ioapic.ioregsel, pin = (reg - REG_REDIRECTION) / 2;

	switch (reg) {
	case REG_ID:
	case REG_ARBITRATION:
		return p->ioapic.id;
	case REG_VERSION:
		return IOAPIC_VERSION;
	default:
		if (reg < REG_REDIRECTION || pin >= VIOAPIC_NUM_PINS)
			return 0;
		return p->ioapic.redirtbl[pin].bits >> (reg & 1 ? 32 : 0);
	}
}

static void entry_write(struct hvm_platform *p, unsigned int pin, bool high, uint32_t val)
{
	union vioapic_redir_entry *e = &p->ioapic.redirtbl[pin];

	if (high) {
		e->bits = (uint32_t)e->bits | (uint64_t)(val & RTE_WRITABLE_HI) << 32;
		return;
	}
	e->bits = (e->bits & ~(uint64_t)RTE_WRITABLE_LO) | (val & RTE_WRITABLE_LO);
	if (!(e->bits & RTE_LEVEL))
		e->bits &= ~RTE_REMOTE_IRR;
	else if (hvm_gsi_is_up(p, pin))
		pin_deliver(p, pin);
}

static void window_write(struct hvm_platform *p, uint32_t val)
{
	unsigned int reg = p->ioapic.ioregsel, pin = (reg - REG_REDIRECTION) / 2;

	if (reg == REG_ID)
		p->ioapic.id = val & ID_BITS;
	else if (reg >= REG_REDIRECTION && pin < VIOAPIC_NUM_PINS)
		entry_write(p, pin, reg & 1, val);
}

uint64_t vioapic_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	uint64_t flags = spin_lock_irq(&p->irq_lock);
	uint32_t val = 0;

	if (at == IOREGSEL)
		val = p->ioapic.ioregsel;
	else if (at == IOWIN)
		val = window_read(p);
	spin_unlock_irq(&p->irq_lock, flags);
	return val;
}

void vioapic_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	uint64_t flags = spin_lock_irq(&p->irq_lock);

	if (at == IOREGSEL)
		p->ioapic.ioregsel = val & 0xff;
	else if (at == IOWIN && size >= 4)
		window_write(p, val);
	spin_unlock_irq(&p->irq_lock, flags);
}

int vioapic_save(struct domain *d, unsigned int instance, void *rec)
{
	struct hvm_hw_vioapic *r = rec;

	if (!hvm_has_device(d, XEN_X86_EMU_IOAPIC))
		return -ENODEV;
	*r = d->hvm->platform->ioapic;
	return 0;
}

static bool entry_is_valid(uint64_t e)
{
	uint64_t bits = (uint64_t)RTE_WRITABLE_HI << 32 | RTE_WRITABLE_LO | RTE_REMOTE_IRR;

	return !(e & ~(bits | RTE_STATUS)) && (e & RTE_LEVEL || !(e & RTE_REMOTE_IRR));
}

int vioapic_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	const struct hvm_hw_vioapic *r = rec;
	uint64_t flags;

	if (!hvm_has_device(d, XEN_X86_EMU_IOAPIC))
		return -ENODEV;
	if (r->base_address != IOAPIC_BASE || r->ioregsel > 0xff || r->id & ~ID_BITS)
		return -EINVAL;
	for (unsigned int i = 0; i < VIOAPIC_NUM_PINS; i++)
		if (!entry_is_valid(r->redirtbl[i].bits))
			return -EINVAL;
	flags = spin_lock_irq(&p->irq_lock);
	p->ioapic = *r;
	for (unsigned int i = 0; i < VIOAPIC_NUM_PINS; i++)
		p->ioapic.redirtbl[i].bits &= ~RTE_STATUS;
	spin_unlock_irq(&p->irq_lock, flags);
	return 0;
}
