/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pair of 8259A interrupt controllers, the second cascaded to the first's
 * line 2, with the ELCR of PC chipsets (Intel 8259A data sheet, "Programming The
 * 8259A"; 82371AB data sheet, "Edge/Level Control Registers").
 */
#include "hvm/platform_state.h"
#include "hvm/vlapic.h"
#include "lib/bits.h"
#include "lib/errno.h"

#define CASCADE	      2
#define SPURIOUS_LINE 7

#define ICW1	      0x10
#define ICW1_SINGLE   0x02
#define ICW1_HAS_ICW4 0x01
#define ICW4_AEOI     0x02
#define ICW4_SFNM     0x10
#define OCW3	      0x08
#define OCW3_SET_SMM  0x40
#define OCW3_SMM      0x20
#define OCW3_POLL     0x04
#define OCW3_SET_READ 0x02
#define OCW3_READ_ISR 0x01

/* hvm_hw_vpic.init_state */
#define INIT_STEP   3
#define INIT_ICW4   4
#define INIT_SINGLE 8

/* Lines that cannot be level-triggered: timer, keyboard, cascade; RTC and FPU. */
static const uint8_t elcr_mask[2] = {0xf8, 0xde};

static unsigned int rotate(uint8_t lines, unsigned int by)
{
	return (lines >> by | lines << (8 - by)) & 0xff;
}

/* The line to be acknowledged next, -1: none that the ones in service let through. */
static int line_pending(const struct hvm_hw_vpic *c)
{
	uint8_t ready = c->irr & ~c->imr, busy = c->isr;
	int first;

	if (!ready)
		return -1;
	if (c->special_mask_mode)
		busy &= ~c->imr;
	if (c->special_fully_nested_mode && c->is_master)
		busy &= ~(1U << CASCADE);
	first = __builtin_ctz(rotate(ready, c->priority_add));
	if (busy && __builtin_ctz(rotate(busy, c->priority_add)) <= first)
		return -1;
	return (first + c->priority_add) & 7;
}

bool vpic_reaches(const struct hvm_platform *p, const struct vcpu *v)
{
	return vlapic_accepts_pic(v) || vioapic_passes_pic(p, vlapic_id(v));
}

static void wake_takers(struct hvm_platform *p)
{
	struct vcpu *v;

	for_each_vcpu(p->domain, v)
		if (vpic_reaches(p, v))
			vcpu_kick(v);
}

static void output_update(struct hvm_platform *p)
{
	struct hvm_hw_vpic *master = &p->pic[0], *slave = &p->pic[1];
	bool was_up = master->int_output;

	slave->int_output = line_pending(slave) >= 0;
	master->irr &= ~(1U << CASCADE);
	if (slave->int_output)
		master->irr |= 1U << CASCADE;
	WRITE_ONCE(master->int_output, line_pending(master) >= 0);
	if (master->int_output && !was_up)
		wake_takers(p);
}

void vpic_init(struct hvm_platform *p)
{
	p->pic[0].is_master = 1;
}

/* An edge is latched until it is acknowledged; a level stands as long as the line does. */
void vpic_line_set(struct hvm_platform *p, unsigned int irq, bool level)
{
	struct hvm_hw_vpic *c = &p->pic[irq >> 3];
	uint8_t line = 1U << (irq & 7);

	if (level)
		c->irr |= line;
	else if (c->elcr & line)
		c->irr &= ~line;
	output_update(p);
}

static int chip_acknowledge(struct hvm_hw_vpic *c)
{
	int line = line_pending(c);

	if (line < 0)
		return -1;
	if (!(c->elcr & 1U << line))
		c->irr &= ~(1U << line);
	if (!c->auto_eoi)
		c->isr |= 1U << line;
	else if (c->rotate_on_auto_eoi)
		c->priority_add = (line + 1) & 7;
	return line;
}

bool vpic_take(struct hvm_platform *p, uint8_t *vector)
{
	struct hvm_hw_vpic *c = &p->pic[0];
	int line;

	if (!c->int_output)
		return false;
	line = chip_acknowledge(c);
	if (line == CASCADE) {
		c = &p->pic[1];
		line = chip_acknowledge(c);
	}
	*vector = c->irq_base + (line < 0 ? SPURIOUS_LINE : line);
	output_update(p);
	return true;
}

static void icw1_write(struct hvm_hw_vpic *c, uint8_t val)
{
	c->init_state =
		1 | (val & ICW1_HAS_ICW4 ? INIT_ICW4 : 0) | (val & ICW1_SINGLE ? INIT_SINGLE : 0);
	c->irr &= c->elcr; /* the edge sense is reset */
	c->imr = 0;
	c->isr = 0;
	c->priority_add = 0;
	c->special_mask_mode = 0;
	c->readsel_isr = 0;
	c->poll = 0;
	c->auto_eoi = 0;
	c->rotate_on_auto_eoi = 0;
	c->special_fully_nested_mode = 0;
}

/* Bits 7..5 of OCW2: rotate, specific, EOI. */
static void ocw2_write(struct hvm_hw_vpic *c, uint8_t val)
{
	bool rotates = val & 0x80, is_specific = val & 0x40, is_eoi = val & 0x20;
	unsigned int line = val & 7;

	if (!is_specific && !is_eoi) {
		c->rotate_on_auto_eoi = rotates;
		return;
	}
	if (is_eoi && !is_specific) {
		uint8_t busy = c->isr;

		if (c->special_mask_mode)
			busy &= ~c->imr;
		if (!busy)
			return;
		line = (__builtin_ctz(rotate(busy, c->priority_add)) + c->priority_add) & 7;
	}
	if (is_eoi)
		c->isr &= ~(1U << line);
	if (rotates)
		c->priority_add = (line + 1) & 7;
}

static void ocw3_write(struct hvm_hw_vpic *c, uint8_t val)
{
	if (val & OCW3_SET_SMM)
		c->special_mask_mode = !!(val & OCW3_SMM);
	c->poll = !!(val & OCW3_POLL);
	if (val & OCW3_SET_READ)
		c->readsel_isr = val & OCW3_READ_ISR;
}

/* A write at A0 = 1: the mask, or the next initialisation word. */
static void data_write(struct hvm_hw_vpic *c, uint8_t val)
{
	unsigned int options = c->init_state & (INIT_ICW4 | INIT_SINGLE);
	unsigned int last = options & INIT_ICW4 ? 3 | options : 0;

	switch (c->init_state & INIT_STEP) {
	case 0:
		c->imr = val;
		return;
	case 1:
		c->irq_base = val & 0xf8;
		c->init_state = options & INIT_SINGLE ? last : 2 | options;
		return;
	case 2: /* ICW3: how the two are wired is known */
		c->init_state = last;
		return;
	default:
		c->special_fully_nested_mode = !!(val & ICW4_SFNM);
		c->auto_eoi = !!(val & ICW4_AEOI);
		c->init_state = 0;
	}
}

static uint8_t chip_read(struct hvm_platform *p, struct hvm_hw_vpic *c, unsigned int at)
{
	uint8_t val;

	if (c->poll) {
		int line = chip_acknowledge(c);

		c->poll = 0;
		output_update(p);
		return line < 0 ? 0 : 0x80 | line;
	}
	val = c->readsel_isr ? c->isr : c->irr;
	return at ? c->imr : val;
}

static uint64_t chip_read_locked(struct hvm_platform *p, unsigned int chip, unsigned int at)
{
	uint64_t flags = spin_lock_irq(&p->irq_lock);
	uint8_t val = chip_read(p, &p->pic[chip], at);

	spin_unlock_irq(&p->irq_lock, flags);
	return val;
}

static void chip_write_locked(struct hvm_platform *p, unsigned int chip, unsigned int at,
			      uint8_t val)
{
	struct hvm_hw_vpic *c = &p->pic[chip];
	uint64_t flags = spin_lock_irq(&p->irq_lock);

	if (at)
		data_write(c, val);
	else if (val & ICW1)
		icw1_write(c, val);
	else if (val & OCW3)
		ocw3_write(c, val);
	else
		ocw2_write(c, val);
	output_update(p);
	spin_unlock_irq(&p->irq_lock, flags);
}

uint64_t vpic_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	return chip_read_locked(p, 0, at);
}

void vpic_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	chip_write_locked(p, 0, at, val);
}

uint64_t vpic_slave_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	return chip_read_locked(p, 1, at);
}

void vpic_slave_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	chip_write_locked(p, 1, at, val);
}

uint64_t vpic_elcr_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	return READ_ONCE(p->pic[at].elcr);
}

void vpic_elcr_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	uint64_t flags = spin_lock_irq(&p->irq_lock);

	p->pic[at].elcr = val & elcr_mask[at];
	spin_unlock_irq(&p->irq_lock, flags);
}

int vpic_save(struct domain *d, unsigned int instance, void *rec)
{
	struct hvm_hw_vpic *r = rec;

	if (!hvm_has_device(d, XEN_X86_EMU_PIC))
		return -ENODEV;
	*r = d->hvm->platform->pic[instance];
	return 0;
}

int vpic_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	const struct hvm_hw_vpic *r = rec;
	uint64_t flags;

	if (!hvm_has_device(d, XEN_X86_EMU_PIC))
		return -ENODEV;
	if (r->irq_base & 7 || r->priority_add > 7 || r->is_master != !instance ||
	    r->elcr & ~elcr_mask[instance])
		return -EINVAL;
	flags = spin_lock_irq(&p->irq_lock);
	p->pic[instance] = *r;
	p->pic[instance].int_output = 0;
	output_update(p);
	spin_unlock_irq(&p->irq_lock, flags);
	return 0;
}
