/* SPDX-License-Identifier: BSD-2-Clause */
/* The pages that a p2m's tables are made of, from a domain's creation to its end. */
#include "domain/domain.h"
#include "hvm/p2m_table.h"
#include "hvm/state.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "mm/alloc.h"

/* What a domain starts with, until its builder says how much it needs: 1 MiB. */
#define POOL_INITIAL	256
#define PAGES_PER_CHECK 64

int p2m_init(struct domain *d)
{
	struct p2m *p = &d->hvm->p2m;

	while (p->pool_pages < POOL_INITIAL) {
		void *page = hyp_pages_alloc(0);

		if (!page) {
			p2m_fini(d);
			return -ENOMEM;
		}
		p2m_pool_push(p, page);
	}
	return p2m_root_make(p) ? 0 : -ENOMEM;
}

/* Pages in use can only go at the end. */
static bool pool_shrink(struct p2m *p, bool also_used)
{
	void *page;

	spin_lock(&p->lock);
	page = p2m_pool_pop(p, also_used);
	spin_unlock(&p->lock);
	hyp_pages_free(page, 0);
	return page;
}

static bool pool_grow(struct p2m *p)
{
	void *page = hyp_pages_alloc(0);

	if (!page)
		return false;
	spin_lock(&p->lock);
	p2m_pool_push(p, page);
	spin_unlock(&p->lock);
	return true;
}

int p2m_pool_set(struct domain *d, uint64_t pages)
{
	struct p2m *p = &d->hvm->p2m;

	for (unsigned int n = 1; READ_ONCE(p->pool_pages) != pages; n++) {
		if (READ_ONCE(d->is_dying))
			return -EINVAL;
		if (p->pool_pages < pages && !pool_grow(p))
			return -ENOMEM;
		if (p->pool_pages > pages && !pool_shrink(p, false))
			return -EBUSY;
		if (n % PAGES_PER_CHECK == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

/*
 * RAM has no references by its entries, and its large leaves are skipped
 * whole; what is a table of 4 KiB ones is taken out with the references in it.
 */
static void relinquish_next(struct domain *d)
{
	struct p2m *p = &d->hvm->p2m;
	gfn_t gfn = GFN(p->relinquish_gfn);
	struct p2m_cut cut = {gfn, 0, 0};
	uint64_t *e;

	spin_lock(&p->lock);
	e = p2m_entry_find(p, gfn, 2, &cut.level);
	cut.pte = __atomic_exchange_n(e, 0, __ATOMIC_SEQ_CST);
	spin_unlock(&p->lock);
	p2m_cut_each(d, cut, p2m_leaf_put);
	p->relinquish_gfn = (gfn.v | (p2m_level_frames(cut.level) - 1)) + 1;
}

int p2m_relinquish(struct domain *d)
{
	struct p2m *p = &d->hvm->p2m;

	/* no vCPU runs any more, but one may be just about to have left its CPU */
	if (p->root.v && !p->relinquish_gfn)
		p2m_flush(d);
	while (p->root.v && p->relinquish_gfn <= p->max_gfn) {
		relinquish_next(d);
		if (hypercall_preempt_check())
			return -ERESTART;
	}
	spin_lock(&p->lock);
	p->root = MFN(0);
	spin_unlock(&p->lock);
	for (unsigned int n = 1; pool_shrink(p, true); n++)
		if (n % PAGES_PER_CHECK == 0 && hypercall_preempt_check())
			return -ERESTART;
	return 0;
}

void p2m_fini(struct domain *d)
{
	while (pool_shrink(&d->hvm->p2m, true))
		;
}
