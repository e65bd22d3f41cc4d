/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENMEM_exchange: a PV guest trades frames for others, contiguous or below an
 * address, usually to do DMA.  Done in chunks, each the larger of one input
 * and one output extent: new frames are allocated first, then the old ones
 * are stolen, so that a chunk either happens or leaves no trace.
 */
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "mm/alloc_state.h"
#include "mm/memory_op.h"
#include "mm/mm.h"
#include "pv/pagetable.h"

struct exchange {
	struct xen_memory_exchange x;
	struct domain *d;
	unsigned int bits;
	/* extents of each side that make a chunk, 2^n */
	unsigned int in_order, out_order;
};

/* Frames in a chain by page->next. */
struct chain {
	uint32_t first;
};

static void chain_add(struct chain *c, struct page *pg)
{
	pg->next = c->first;
	c->first = page_to_mfn(pg).v;
}

static struct page *chain_take(struct chain *c)
{
	struct page *pg = c->first ? &frame_table[c->first] : NULL;

	if (pg) {
		c->first = pg->next;
		pg->next = 0;
	}
	return pg;
}

static void chain_free(struct chain *c)
{
	struct page *pg;

	while ((pg = chain_take(c)))
		page_free_stolen(pg);
}

/*
 * Undoes a steal; where it cannot be (the domain dies), the frame is free.
 * A stolen frame has lost its type, and with it what TLBs may still hold.
 */
static void chain_give_back(struct chain *c, struct domain *d)
{
	struct page *pg;

	if (c->first)
		pv_flush_domain(d);
	while ((pg = chain_take(c)))
		if (page_assign(pg, d))
			page_free_stolen(pg);
}

static int steal_one(struct exchange *e, mfn_t mfn, struct chain *stolen)
{
	struct page *pg = page_get_mfn(mfn, e->d);
	uint64_t gfn;
	int ret;

	if (!pg)
		return -EINVAL;
	page_put(pg);
	/* between put and steal it may be freed or change hands; the steal looks again */
	gfn = m2p_get(mfn);
	ret = page_steal(pg, e->d);
	if (ret)
		return -EINVAL;
	/* kept in case the chunk has to be undone */
	m2p_set(mfn, gfn);
	chain_add(stolen, pg);
	return 0;
}

static int chunk_steal(struct exchange *e, uint64_t chunk, struct chain *stolen)
{
	for (uint64_t i = 0; i < 1UL << e->in_order; i++) {
		uint64_t n = (chunk << e->in_order) + i;
		xen_pfn_t mfn;

		if (copy_in(&mfn, guest_entry(e->x.in.extent_start.p, n, sizeof(mfn)), sizeof(mfn)))
			return -EFAULT;
		for (uint64_t j = 0; j < 1UL << e->x.in.extent_order; j++) {
			int ret = steal_one(e, MFN(mfn + j), stolen);

			if (ret)
				return ret;
		}
	}
	return 0;
}

/* The first frames of the chunk's output extents, chained. */
static int chunk_alloc(struct exchange *e, struct chain *fresh)
{
	for (uint64_t i = 0; i < 1UL << e->out_order; i++) {
		struct page *pg = frames_alloc_for(e->d, e->x.out.extent_order, e->bits);

		if (!pg)
			return -ENOMEM;
		chain_add(fresh, pg);
	}
	return 0;
}

static void chunk_alloc_undo(struct exchange *e, struct chain *fresh)
{
	struct page *pg;

	while ((pg = chain_take(fresh)))
		frames_free(pg, e->x.out.extent_order);
}

static void extent_assign(struct exchange *e, struct page *pg, uint64_t gpfn)
{
	uint64_t count = 1UL << e->x.out.extent_order;

	memset(page_to_virt(pg), 0, count << PAGE_SHIFT);
	for (uint64_t j = 0; j < count; j++) {
		if (page_assign(&pg[j], e->d))
			page_free_stolen(&pg[j]);
		else
			m2p_set(page_to_mfn(&pg[j]), gpfn + j);
	}
}

/* Gives the new frames; nothing of the guest's can fail the chunk any more but its own memory. */
static int chunk_assign(struct exchange *e, uint64_t chunk, struct chain *fresh)
{
	int ret = 0;

	for (uint64_t i = 0; i < 1UL << e->out_order; i++) {
		void *at = guest_entry(e->x.out.extent_start.p, (chunk << e->out_order) + i,
				       sizeof(xen_pfn_t));
		struct page *pg = chain_take(fresh);
		xen_pfn_t mfn = page_to_mfn(pg).v, gpfn = M2P_INVALID;

		if (copy_in(&gpfn, at, sizeof(gpfn)))
			ret = -EFAULT;
		extent_assign(e, pg, gpfn);
		if (copy_out(at, &mfn, sizeof(mfn)))
			ret = -EFAULT;
	}
	return ret;
}

static int chunk_exchange(struct exchange *e, uint64_t chunk)
{
	struct chain fresh = {0}, stolen = {0};
	int ret;

	ret = chunk_alloc(e, &fresh);
	if (ret)
		goto undo_alloc;
	ret = chunk_steal(e, chunk, &stolen);
	if (ret)
		goto undo_steal;
	for (uint32_t n = stolen.first; n; n = frame_table[n].next)
		m2p_set(MFN(n), M2P_INVALID);
	chain_free(&stolen);
	return chunk_assign(e, chunk, &fresh);

undo_steal:
	chain_give_back(&stolen, e->d);
undo_alloc:
	chunk_alloc_undo(e, &fresh);
	return ret;
}

static int exchange_decode(struct exchange *e, const void *arg)
{
	struct xen_memory_reservation *in = &e->x.in, *out = &e->x.out;

	if (copy_in(&e->x, arg, sizeof(e->x)))
		return -EFAULT;
	if (in->domid != out->domid || in->extent_order > MEMOP_ORDER_MAX ||
	    out->extent_order > MEMOP_ORDER_MAX)
		return -EINVAL;
	if (in->nr_extents > ~0UL >> (MEMOP_ORDER_MAX + 1) ||
	    out->nr_extents > ~0UL >> (MEMOP_ORDER_MAX + 1) ||
	    in->nr_extents << in->extent_order != out->nr_extents << out->extent_order ||
	    e->x.nr_exchanged > in->nr_extents)
		return -EINVAL;
	e->in_order = MAX(out->extent_order, in->extent_order) - in->extent_order;
	e->out_order = MAX(out->extent_order, in->extent_order) - out->extent_order;
	return memory_flags_bits(out->mem_flags, &e->bits);
}

static long exchange_tell(struct exchange *e, void *arg, uint64_t chunks_done)
{
	struct xen_memory_exchange *guest = arg;

	e->x.nr_exchanged = chunks_done << e->in_order;
	return copy_out(guest_entry(guest, 1, offsetof(struct xen_memory_exchange, nr_exchanged)),
			&e->x.nr_exchanged, sizeof(e->x.nr_exchanged));
}

static long exchange_run(struct exchange *e, void *arg)
{
	uint64_t chunk = e->x.nr_exchanged >> e->in_order, begin = chunk;
	uint64_t end = e->x.in.nr_extents >> e->in_order;
	long ret = 0;

	for (; chunk < end; chunk++) {
		if (chunk > begin && hypercall_preempt_check()) {
			uint64_t args[2] = {XENMEM_exchange, (uintptr_t)arg};

			if (exchange_tell(e, arg, chunk))
				return -EFAULT;
			return hypercall_continue(__HYPERVISOR_memory_op, args, 2);
		}
		ret = chunk_exchange(e, chunk);
		if (ret)
			break;
	}
	return exchange_tell(e, arg, chunk) ? -EFAULT : ret;
}

long memory_op_exchange(void *arg)
{
	struct exchange e;
	long ret;

	ret = exchange_decode(&e, arg);
	if (ret)
		return ret;
	ret = domain_get_controlled(e.x.in.domid, &e.d);
	if (ret)
		return ret;
	ret = e.d->type == DOMAIN_PV ? exchange_run(&e, arg) : -EOPNOTSUPP;
	domain_put(e.d);
	return ret;
}
