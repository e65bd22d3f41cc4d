/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts from arrival to handler.  A vector means the same on all CPUs,
 * so moving an interrupt changes its destination only; 175 interrupts are the
 * most there can be.  A level-triggered one is masked at its pin when it
 * arrives and unmasked when its handler, or the guest, is done with it; the
 * local APIC is free at once, and a guest that never answers stops nobody.
 */
#include "dev/irq.h"

#include "cpu/cpu.h"
#include "dev/acpi.h"
#include "dev/apic.h"
#include "dev/irq_desc.h"
#include "domain/domain.h"
#include "evtchn/evtchn.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/printk.h"

#define VECTOR_INT80 0x80 /* a software interrupt of guests */

#define ISA_IRQS 16
/* MPS INTI flags of the MADT: ACPI 6.4, "Interrupt Source Override Structure" */
#define INTI_POLARITY(flags) ((flags) & 3)
#define INTI_TRIGGER(flags)  ((flags) >> 2 & 3)
#define INTI_LOW             3
#define INTI_LEVEL           3

static struct irq irqs[IRQ_COUNT];
static unsigned int nr_gsis; /* constant after irq_init */

static struct spinlock alloc_lock; /* outside any irq's lock; below: */
static unsigned long vectors_used[BITS_TO_LONGS(256)];

/* Written under alloc_lock before the vector is in use, read by irq_handle. */
static struct irq *vector_irq[256];

unsigned int irq_gsi_count(void)
{
	return nr_gsis;
}

struct irq *irq_get(unsigned int nr)
{
	return nr < IRQ_COUNT && irqs[nr].chip ? &irqs[nr] : NULL;
}

unsigned int irq_number(const struct irq *irq)
{
	return irq - irqs;
}

static bool vectors_are_free(unsigned int first, unsigned int nr)
{
	for (unsigned int v = first; v < first + nr; v++)
		if (v > VECTOR_IRQ_LAST || v == VECTOR_INT80 || bit_test(vectors_used, v))
			return false;
	return true;
}

/* Called under alloc_lock: vectors in a row aligned to nr, 0 if there are none. */
static unsigned int vectors_find(unsigned int nr)
{
	for (unsigned int v = ROUND_UP(VECTOR_IRQ_FIRST, nr); v <= VECTOR_IRQ_LAST; v += nr)
		if (vectors_are_free(v, nr))
			return v;
	return 0;
}

static void vector_set(unsigned int vector, struct irq *irq)
{
	bit_set(vectors_used, vector);
	irq->vector = vector;
	WRITE_ONCE(vector_irq[vector], irq);
}

/* A GSI gets its vector when it is first bound, and keeps it. */
static int gsi_vector_ensure(struct irq *irq)
{
	unsigned int vector;
	int ret = 0;

	spin_lock(&alloc_lock);
	if (!irq->vector) {
		vector = vectors_find(1);
		if (vector)
			vector_set(vector, irq);
		else
			ret = -ENOSPC;
	}
	spin_unlock(&alloc_lock);
	return ret;
}

/* Called under alloc_lock: MSI numbers in a row. */
static unsigned int msi_numbers_find(unsigned int nr)
{
	unsigned int run = 0;

	for (unsigned int n = nr_gsis; n < IRQ_COUNT; n++) {
		run = irqs[n].chip ? 0 : run + 1;
		if (run == nr)
			return n + 1 - nr;
	}
	return IRQ_NONE;
}

unsigned int irq_alloc_msi(unsigned int nr)
{
	unsigned int first, vector;

	spin_lock(&alloc_lock);
	first = msi_numbers_find(nr);
	vector = vectors_find(nr);
	if (!vector)
		first = IRQ_NONE;
	for (unsigned int i = 0; first != IRQ_NONE && i < nr; i++) {
		struct irq *irq = &irqs[first + i];

		irq->cpu = 0;
		irq->chip = &msi_chip;
		vector_set(vector + i, irq);
	}
	spin_unlock(&alloc_lock);
	return first;
}

void irq_free_msi(unsigned int first, unsigned int nr)
{
	spin_lock(&alloc_lock);
	for (unsigned int i = 0; i < nr; i++) {
		struct irq *irq = &irqs[first + i];

		WRITE_ONCE(vector_irq[irq->vector], NULL);
		bit_clear(vectors_used, irq->vector);
		irq->vector = 0;
		irq->chip = NULL;
	}
	spin_unlock(&alloc_lock);
}

int irq_set_trigger(unsigned int gsi, bool level, bool low)
{
	struct irq *irq;
	uint64_t flags;
	int ret = 0;

	if (gsi >= nr_gsis)
		return -EINVAL;
	irq = &irqs[gsi];
	flags = spin_lock_irq(&irq->lock);
	if (irq->level == level && irq->low == low) {
		ret = 0;
	} else if (irq->fn || irq->d) {
		ret = -EBUSY;
	} else {
		irq->level = level;
		irq->low = low;
	}
	spin_unlock_irq(&irq->lock, flags);
	return ret;
}

bool irq_is_level(unsigned int nr)
{
	return READ_ONCE(irqs[nr].level);
}

/* Its lock held, its owner written: interrupts come from now on, to this CPU. */
static void irq_open(struct irq *irq)
{
	irq->cpu = cpu_id();
	irq->chip->route(irq);
	irq->chip->unmask(irq);
}

int irq_request_own(unsigned int gsi, bool level, bool low, void (*fn)(void *), void *arg)
{
	struct irq *irq;
	uint64_t flags;
	int ret;

	if (gsi >= nr_gsis)
		return -EINVAL;
	irq = &irqs[gsi];
	ret = gsi_vector_ensure(irq);
	if (ret)
		return ret;
	flags = spin_lock_irq(&irq->lock);
	if (irq->fn || irq->d) {
		ret = -EBUSY;
	} else {
		irq->level = level;
		irq->low = low;
		irq->arg = arg;
		irq->fn = fn;
		irq_open(irq);
	}
	spin_unlock_irq(&irq->lock, flags);
	return ret;
}

int irq_bind_guest(unsigned int nr, struct domain *d, uint32_t pirq, uint32_t port)
{
	struct irq *irq = &irqs[nr];
	uint64_t flags;
	int ret;

	ret = gsi_vector_ensure(irq);
	if (ret)
		return ret;
	flags = spin_lock_irq(&irq->lock);
	if (irq->fn || irq->d) {
		ret = -EBUSY;
	} else {
		irq->d = d;
		irq->pirq = pirq;
		irq->port = port;
		irq->in_service = false;
		irq_open(irq);
	}
	spin_unlock_irq(&irq->lock, flags);
	return ret;
}

void irq_unbind_guest(unsigned int nr, const struct domain *d)
{
	struct irq *irq = &irqs[nr];
	uint64_t flags = spin_lock_irq(&irq->lock);

	if (irq->d == d) {
		irq->chip->mask(irq);
		irq->d = NULL;
		irq->port = 0;
		irq->in_service = false;
	}
	spin_unlock_irq(&irq->lock, flags);
}

void irq_guest_eoi(unsigned int nr, const struct domain *d)
{
	struct irq *irq = &irqs[nr];
	uint64_t flags = spin_lock_irq(&irq->lock);

	if (irq->d == d && irq->in_service) {
		irq->in_service = false;
		irq->chip->unmask(irq);
	}
	spin_unlock_irq(&irq->lock, flags);
}

void irq_set_cpu(unsigned int nr, const struct domain *d, unsigned int cpu)
{
	struct irq *irq = &irqs[nr];
	uint64_t flags;

	if (!cpumask_test(&cpu_online, cpu))
		return;
	flags = spin_lock_irq(&irq->lock);
	if (irq->d == d && irq->cpu != cpu) {
		irq->cpu = cpu;
		irq->chip->route(irq);
	}
	spin_unlock_irq(&irq->lock, flags);
}

void irq_reprogram(unsigned int nr)
{
	struct irq *irq = &irqs[nr];
	uint64_t flags = spin_lock_irq(&irq->lock);

	irq->chip->mask(irq);
	irq->chip->route(irq);
	if (irq->d)
		irq->chip->unmask(irq);
	spin_unlock_irq(&irq->lock, flags);
}

/* Ours: without the lock, as the handler may do what it likes. */
static void handle_own(struct irq *irq)
{
	uint64_t flags;

	irq->fn(irq->arg);
	if (!irq->level)
		return;
	flags = spin_lock_irq(&irq->lock);
	irq->chip->unmask(irq);
	spin_unlock_irq(&irq->lock, flags);
}

void irq_handle(unsigned int vector)
{
	struct irq *irq = READ_ONCE(vector_irq[vector]);
	bool ours = false;
	uint64_t flags;

	if (!irq) {
		apic_eoi(); /* an MSI's last, after it was freed */
		return;
	}
	flags = spin_lock_irq(&irq->lock);
	if (irq->level && irq->chip)
		irq->chip->mask(irq);
	apic_eoi();
	if (irq->fn) {
		ours = true;
	} else if (irq->d) {
		/* under the lock, so that neither domain nor binding goes away */
		irq->in_service = irq->level;
		evtchn_send_pirq(irq->d, irq->port);
	}
	spin_unlock_irq(&irq->lock, flags);
	if (ours)
		handle_own(irq);
}

/* ISA interrupts are edge and high, PCI's level and low, unless the MADT says otherwise. */
static init_text void gsi_defaults(void)
{
	for (unsigned int gsi = 0; gsi < nr_gsis; gsi++) {
		irqs[gsi].chip = &ioapic_chip;
		irqs[gsi].level = irqs[gsi].low = gsi >= ISA_IRQS;
	}
	for (unsigned int i = 0; i < acpi_info.nr_overrides; i++) {
		unsigned int gsi = acpi_info.overrides[i].gsi;
		uint16_t flags = acpi_info.overrides[i].flags;

		if (gsi >= nr_gsis)
			continue;
		irqs[gsi].level = INTI_TRIGGER(flags) == INTI_LEVEL;
		irqs[gsi].low = INTI_POLARITY(flags) == INTI_LOW;
	}
}

void irq_init(void)
{
	nr_gsis = ioapic_init();
	if (nr_gsis > IRQ_GSIS_MAX) {
		printk("Interrupts: %u pins, only the first %u are used\n", nr_gsis, IRQ_GSIS_MAX);
		nr_gsis = IRQ_GSIS_MAX;
	}
	gsi_defaults();
}

void irq_dump(void)
{
	for (unsigned int nr = 0; nr < IRQ_COUNT; nr++) {
		const struct irq *irq = &irqs[nr];

		if (irq->fn)
			printk("irq %u vector %x cpu %u: ours\n", nr, irq->vector, irq->cpu);
		else if (irq->d)
			printk("irq %u vector %x cpu %u%s%s: d%u pirq %u port %u\n", nr,
			       irq->vector, irq->cpu, irq->level ? " level" : "",
			       irq->in_service ? " in service" : "", irq->d->id, irq->pirq,
			       irq->port);
	}
}
