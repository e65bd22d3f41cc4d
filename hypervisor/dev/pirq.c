/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's own numbers for its interrupts (pirqs): a table of which
 * interrupt each stands for, and the page a guest may give to be told which
 * of them it has to end by PHYSDEVOP_eoi.
 */
#include "dev/pirq.h"

#include "dev/irq.h"
#include "dev/irq_desc.h"
#include "domain/domain.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/alloc.h"

#define PIRQ_COUNT IRQ_COUNT

_Static_assert(PIRQ_COUNT <= PAGE_SIZE * 8, "the eoi map is one page");

struct pirq_domain {
	struct spinlock lock; /* below: */
	uint16_t irq[PIRQ_COUNT];   /* its number plus 1; 0: not mapped */
	unsigned long *eoi_map;     /* a bit for each pirq that needs an eoi; NULL: none given */
	struct page *eoi_page;      /* holds a writable reference for it */
	bool is_closed;             /* the domain is dying: nothing new is mapped */
};

/* Called under the lock: the irq of a mapped pirq, or IRQ_NONE. */
static unsigned int pirq_irq(const struct pirq_domain *pd, unsigned int pirq)
{
	return pirq < PIRQ_COUNT && pd->irq[pirq] ? pd->irq[pirq] - 1U : IRQ_NONE;
}

static void eoi_map_update(struct pirq_domain *pd, unsigned int pirq)
{
	unsigned int nr = pirq_irq(pd, pirq);

	if (!pd->eoi_map)
		return;
	if (nr != IRQ_NONE && irq_is_level(nr))
		atomic_bit_set(pd->eoi_map, pirq);
	else
		atomic_bit_clear(pd->eoi_map, pirq);
}

int pirq_domain_init(struct domain *d)
{
	d->pirqs = heap_alloc(sizeof(*d->pirqs));
	return d->pirqs ? 0 : -ENOMEM;
}

/* Called under the lock, for the first of an MSI group or a GSI. */
static void unmap_locked(struct domain *d, unsigned int pirq)
{
	struct pirq_domain *pd = d->pirqs;
	unsigned int nr = pirq_irq(pd, pirq), count = 1;
	struct irq *irq = irq_get(nr);

	if (irq->chip == &msi_chip) {
		count = irq->msi.count;
		msi_disable(&irq->msi);
	}
	for (unsigned int i = 0; i < count; i++) {
		irq_unbind_guest(nr + i, d);
		pd->irq[pirq + i] = 0;
		eoi_map_update(pd, pirq + i);
	}
	if (irq->chip == &msi_chip)
		irq_free_msi(nr, count);
}

int pirq_domain_destroy(struct domain *d)
{
	struct pirq_domain *pd = d->pirqs;
	struct page *eoi_page;

	spin_lock(&pd->lock);
	pd->is_closed = true;
	eoi_page = pd->eoi_page;
	pd->eoi_page = NULL;
	pd->eoi_map = NULL;
	for (unsigned int pirq = 0; pirq < PIRQ_COUNT; pirq++)
		if (pd->irq[pirq])
			unmap_locked(d, pirq);
	spin_unlock(&pd->lock);
	if (eoi_page)
		page_put_and_type(eoi_page);
	return 0;
}

void pirq_domain_free(struct domain *d)
{
	heap_free(d->pirqs);
	d->pirqs = NULL;
}

int pirq_map_gsi(struct domain *d, unsigned int gsi, int *pirq)
{
	struct pirq_domain *pd = d->pirqs;
	unsigned int want = *pirq < 0 ? gsi : (unsigned int)*pirq;
	int ret = 0;

	if (gsi >= irq_gsi_count() || want >= PIRQ_COUNT)
		return -EINVAL;
	spin_lock(&pd->lock);
	if (pd->is_closed)
		ret = -ESRCH;
	else if (pd->irq[want] && pirq_irq(pd, want) != gsi)
		ret = -EEXIST;
	else
		pd->irq[want] = gsi + 1;
	eoi_map_update(pd, want);
	spin_unlock(&pd->lock);
	if (!ret)
		*pirq = want;
	return ret;
}

/* Called under the lock: `nr` free pirqs in a row above the GSIs, from `want` if that is not -1. */
static int pirqs_find(const struct pirq_domain *pd, int want, unsigned int nr)
{
	unsigned int run = 0;

	for (unsigned int p = want < 0 ? irq_gsi_count() : (uint32_t)want; p < PIRQ_COUNT; p++) {
		run = pd->irq[p] ? 0 : run + 1;
		if (run == nr)
			return p + 1 - nr;
		if (want >= 0 && !run)
			return -EEXIST;
	}
	return -ENOSPC;
}

static int map_msi_locked(struct pirq_domain *pd, const struct msi *msi, int *pirq)
{
	int at = pirqs_find(pd, *pirq, msi->count);
	unsigned int nr;

	if (at < 0)
		return at;
	nr = irq_alloc_msi(msi->count);
	if (nr == IRQ_NONE)
		return -ENOSPC;
	for (unsigned int i = 0; i < msi->count; i++) {
		struct irq *irq = irq_get(nr + i);

		irq->msi = *msi;
		irq->msi.index = i;
		irq_reprogram(nr + i);
		pd->irq[at + i] = nr + i + 1;
		eoi_map_update(pd, at + i);
	}
	*pirq = at;
	return 0;
}

int pirq_map_msi(struct domain *d, const struct msi_request *r, int *pirq)
{
	struct pirq_domain *pd = d->pirqs;
	struct msi msi;
	int ret;

	if (*pirq >= PIRQ_COUNT || !r->count || r->count > 32 || r->count & (r->count - 1))
		return -EINVAL;
	ret = msi_probe(r, &msi);
	if (ret)
		return ret;
	spin_lock(&pd->lock);
	ret = pd->is_closed ? -ESRCH : map_msi_locked(pd, &msi, pirq);
	spin_unlock(&pd->lock);
	return ret;
}

int pirq_unmap(struct domain *d, unsigned int pirq)
{
	struct pirq_domain *pd = d->pirqs;
	struct irq *irq;
	int ret = 0;

	spin_lock(&pd->lock);
	irq = irq_get(pirq_irq(pd, pirq));
	/* the messages of a group go with their first */
	if (!irq || (irq->chip == &msi_chip && irq->msi.index))
		ret = -EINVAL;
	else
		unmap_locked(d, pirq);
	spin_unlock(&pd->lock);
	return ret;
}

int pirq_find_free(struct domain *d)
{
	int pirq;

	spin_lock(&d->pirqs->lock);
	pirq = pirqs_find(d->pirqs, -1, 1);
	spin_unlock(&d->pirqs->lock);
	return pirq;
}

int pirq_needs_eoi(struct domain *d, unsigned int pirq, bool *needs)
{
	unsigned int nr;

	if (pirq >= PIRQ_COUNT)
		return -EINVAL;
	spin_lock(&d->pirqs->lock);
	nr = pirq_irq(d->pirqs, pirq);
	*needs = nr != IRQ_NONE && irq_is_level(nr);
	spin_unlock(&d->pirqs->lock);
	return 0;
}

int pirq_set_trigger(struct domain *d, unsigned int gsi, bool level, bool low)
{
	int ret;

	spin_lock(&d->pirqs->lock);
	ret = irq_set_trigger(gsi, level, low);
	for (unsigned int pirq = 0; !ret && pirq < PIRQ_COUNT; pirq++)
		if (pirq_irq(d->pirqs, pirq) == gsi)
			eoi_map_update(d->pirqs, pirq);
	spin_unlock(&d->pirqs->lock);
	return ret;
}

int pirq_set_eoi_page(struct domain *d, mfn_t mfn)
{
	struct pirq_domain *pd = d->pirqs;
	struct page *pg = page_get_mfn(mfn, d);
	int ret = -EBUSY;

	if (!pg)
		return -EINVAL;
	if (!page_get_writable(pg)) {
		page_put(pg);
		return -EINVAL;
	}
	spin_lock(&pd->lock);
	if (!pd->eoi_page && !pd->is_closed) {
		pd->eoi_page = pg;
		pd->eoi_map = page_to_virt(pg);
		for (unsigned int pirq = 0; pirq < PIRQ_COUNT; pirq++)
			eoi_map_update(pd, pirq);
		ret = 0;
	}
	spin_unlock(&pd->lock);
	if (ret)
		page_put_and_type(pg);
	return ret;
}

void pirq_restore_device(struct domain *d, uint8_t bus, uint8_t devfn)
{
	struct pirq_domain *pd = d->pirqs;

	spin_lock(&pd->lock);
	for (unsigned int pirq = 0; pirq < PIRQ_COUNT; pirq++) {
		struct irq *irq = irq_get(pirq_irq(pd, pirq));

		if (irq && irq->chip == &msi_chip && irq->msi.bus == bus && irq->msi.devfn == devfn)
			irq_reprogram(irq_number(irq));
	}
	spin_unlock(&pd->lock);
}

bool pirq_device_uses_msix(struct domain *d, uint8_t bus, uint8_t devfn)
{
	struct pirq_domain *pd = d->pirqs;
	bool uses = false;

	spin_lock(&pd->lock);
	for (unsigned int pirq = 0; pirq < PIRQ_COUNT; pirq++) {
		struct irq *irq = irq_get(pirq_irq(pd, pirq));

		uses |= irq && irq->chip == &msi_chip && irq->msi.is_msix && irq->msi.bus == bus &&
			irq->msi.devfn == devfn;
	}
	spin_unlock(&pd->lock);
	return uses;
}

/* --- for evtchn/ --- */

int pirq_bind(struct domain *d, unsigned int pirq, uint32_t port, bool will_share)
{
	unsigned int nr;
	int ret;

	(void)will_share; /* no interrupt is given to two domains */
	spin_lock(&d->pirqs->lock);
	nr = pirq_irq(d->pirqs, pirq);
	ret = nr == IRQ_NONE ? -EINVAL : irq_bind_guest(nr, d, pirq, port);
	spin_unlock(&d->pirqs->lock);
	return ret;
}

void pirq_unbind(struct domain *d, unsigned int pirq)
{
	unsigned int nr;

	spin_lock(&d->pirqs->lock);
	nr = pirq_irq(d->pirqs, pirq);
	if (nr != IRQ_NONE)
		irq_unbind_guest(nr, d);
	spin_unlock(&d->pirqs->lock);
}

void pirq_eoi(struct domain *d, unsigned int pirq)
{
	unsigned int nr;

	spin_lock(&d->pirqs->lock);
	nr = pirq_irq(d->pirqs, pirq);
	if (nr != IRQ_NONE)
		irq_guest_eoi(nr, d);
	spin_unlock(&d->pirqs->lock);
}

void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu)
{
	unsigned int nr;

	spin_lock(&d->pirqs->lock);
	nr = pirq_irq(d->pirqs, pirq);
	if (nr != IRQ_NONE)
		irq_set_cpu(nr, d, cpu);
	spin_unlock(&d->pirqs->lock);
}
