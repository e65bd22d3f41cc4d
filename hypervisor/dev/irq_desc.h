/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside dev/ only: what an interrupt is, and the two sources of them.
 * Numbers below irq_gsi_count() are I/O APIC pins (GSIs), the others MSIs.
 *
 * Lock order: evtchn's lock of the domain, its pirq table's, the irq's, then
 * the port's and the I/O APIC's.
 */
#ifndef DEV_IRQ_DESC_H
#define DEV_IRQ_DESC_H

#include "dev/msi.h"
#include "lib/spinlock.h"

#define IRQ_COUNT    320
#define IRQ_GSIS_MAX 144
#define IRQ_NONE     (~0U)

struct irq;

/* A source.  All are called with the irq's lock held. */
struct irq_chip {
	void (*mask)(struct irq *irq);
	void (*unmask)(struct irq *irq);
	/* Sets the source to the irq's vector, cpu, trigger and polarity; masked as it was. */
	void (*route)(struct irq *irq);
};

struct irq {
	struct spinlock lock; /* irq-safe; below: */
	const struct irq_chip *chip; /* NULL: a free MSI number */
	uint8_t vector;              /* 0: none yet */
	bool level, low;             /* level: masked at arrival, until its handler is done */
	bool in_service;             /* level and the guest's: arrived, not yet ended by it */
	unsigned int cpu;            /* destination */

	/* bound to a guest: */
	struct domain *d;
	uint32_t pirq, port;
	/* or ours: */
	void (*fn)(void *arg);
	void *arg;

	/* an MSI: */
	struct msi msi;
};

extern const struct irq_chip ioapic_chip;
extern const struct irq_chip msi_chip;

/* ioapic.c */
unsigned int ioapic_init(void); /* all pins masked; the number of GSIs */
must_check int ioapic_register_read(paddr_t base, uint32_t reg, uint32_t *val);

/* irq.c */
unsigned int irq_gsi_count(void);
struct irq *irq_get(unsigned int nr);
unsigned int irq_number(const struct irq *irq);

/* `nr`, a power of two, MSI numbers in a row, their vectors aligned to it; or IRQ_NONE. */
must_check unsigned int irq_alloc_msi(unsigned int nr);
void irq_free_msi(unsigned int first, unsigned int nr);

/* How the pin is wired (PHYSDEVOP_setup_gsi); -EBUSY while bound to something else's liking. */
must_check int irq_set_trigger(unsigned int gsi, bool level, bool low);

/* 0, -EBUSY (somebody's), -ENOSPC (no vector) */
must_check int irq_bind_guest(unsigned int nr, struct domain *d, uint32_t pirq, uint32_t port);
void irq_unbind_guest(unsigned int nr, const struct domain *d);
void irq_guest_eoi(unsigned int nr, const struct domain *d);
void irq_set_cpu(unsigned int nr, const struct domain *d, unsigned int cpu);
bool irq_is_level(unsigned int nr);
/* Writes the source's state again, which the device lost in its sleep. */
void irq_reprogram(unsigned int nr);

#endif
