/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XENMEM_increase_reservation, decrease_reservation, populate_physmap and
 * claim_pages.  They go extent by extent and stop at the first that fails:
 * the result is the number of extents done.
 */
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "mm/alloc.h"
#include "mm/memory_op.h"
#include "mm/mm.h"

/* One call, decoded. */
struct reservation {
	struct domain *d;
	const void *extents; /* the guest's array of frame numbers, or NULL */
	unsigned long nr;
	unsigned int order;
	unsigned int bits;
};

typedef int (*extent_fn)(const struct reservation *r, unsigned long i);

int memory_flags_bits(unsigned int mem_flags, unsigned int *bits)
{
	*bits = XENMEMF_get_address_bits(mem_flags);
	if (!*bits)
		*bits = FRAMES_ANY;
	return *bits > PAGE_SHIFT ? 0 : -EINVAL;
}

/* The guest's other vCPUs may have given the frames up already: they can be another's by now. */
static void extent_free(struct domain *d, struct page *pg, unsigned int order)
{
	for (unsigned long j = 0; j < 1UL << order; j++)
		(void)page_give_up(&pg[j], d);
}

static int extent_tell(const struct reservation *r, unsigned long i, struct page *pg)
{
	xen_pfn_t mfn = page_to_mfn(pg).v;

	return copy_out(guest_entry(r->extents, i, sizeof(mfn)), &mfn, sizeof(mfn));
}

static int extent_increase(const struct reservation *r, unsigned long i)
{
	struct page *pg;

	if (r->d->type == DOMAIN_HVM)
		return -EINVAL; /* it could not reach frames that are nowhere */
	pg = domain_pages_alloc(r->d, r->order, r->bits);
	if (!pg)
		return -ENOMEM;
	if (r->extents && extent_tell(r, i, pg)) {
		extent_free(r->d, pg, r->order);
		return -EFAULT;
	}
	return 0;
}

static int extent_populate(const struct reservation *r, unsigned long i)
{
	struct page *pg;
	xen_pfn_t gpfn;

	if (copy_in(&gpfn, guest_entry(r->extents, i, sizeof(gpfn)), sizeof(gpfn)))
		return -EFAULT;
	if (r->d->type == DOMAIN_HVM)
		return physmap_populate(r->d, GFN(gpfn), r->order, r->bits);
	pg = domain_pages_alloc(r->d, r->order, r->bits);
	if (!pg)
		return -ENOMEM;
	for (unsigned long j = 0; j < 1UL << r->order; j++)
		m2p_set(page_to_mfn(&pg[j]), gpfn + j);
	if (extent_tell(r, i, pg)) {
		extent_free(r->d, pg, r->order);
		return -EFAULT;
	}
	return 0;
}

static int extent_decrease(const struct reservation *r, unsigned long i)
{
	xen_pfn_t mfn;

	if (copy_in(&mfn, guest_entry(r->extents, i, sizeof(mfn)), sizeof(mfn)))
		return -EFAULT;
	if (r->d->type == DOMAIN_HVM)
		return physmap_give_up(r->d, GFN(mfn), r->order);
	for (unsigned long j = 0; j < 1UL << r->order; j++)
		if (!mfn_is_ram(MFN(mfn + j)) || !page_give_up(mfn_to_page(MFN(mfn + j)), r->d))
			return -EINVAL;
	return 0;
}

static long reservation_run(const struct reservation *r, extent_fn fn, unsigned int cmd,
			    const void *arg, unsigned long done)
{
	for (unsigned long i = done; i < r->nr; i++) {
		if (i > done && hypercall_preempt_check()) {
			uint64_t args[2] = {cmd | i << MEMOP_EXTENT_SHIFT, (uintptr_t)arg};

			return hypercall_continue(__HYPERVISOR_memory_op, args, 2);
		}
		if (fn(r, i))
			return i;
	}
	return r->nr;
}

static extent_fn extent_function(unsigned int cmd)
{
	switch (cmd) {
	case XENMEM_increase_reservation:
		return extent_increase;
	case XENMEM_decrease_reservation:
		return extent_decrease;
	default:
		return extent_populate;
	}
}

long memory_op_reservation(unsigned int cmd, const void *arg, unsigned long done)
{
	struct xen_memory_reservation in;
	struct reservation r;
	long ret;

	if (copy_in(&in, arg, sizeof(in)))
		return -EFAULT;
	/* the count must fit the command word of a continuation, and the result */
	if (in.nr_extents > ~0UL >> (MEMOP_EXTENT_SHIFT + 1) || done > in.nr_extents)
		return -EINVAL;
	if (in.extent_order > MEMOP_ORDER_MAX)
		return done;
	ret = memory_flags_bits(cmd == XENMEM_decrease_reservation ? 0 : in.mem_flags, &r.bits);
	if (ret)
		return ret;
	if (cmd == XENMEM_populate_physmap && in.mem_flags & XENMEMF_populate_on_demand)
		return -EINVAL;
	r.extents = in.extent_start.p;
	r.nr = in.nr_extents;
	r.order = in.extent_order;
	ret = domain_get_controlled(in.domid, &r.d);
	if (ret)
		return ret;
	ret = reservation_run(&r, extent_function(cmd), cmd, arg, done);
	domain_put(r.d);
	return ret;
}

long memory_op_claim_pages(const void *arg)
{
	struct xen_memory_reservation in;
	struct domain *d;
	long ret;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_in(&in, arg, sizeof(in)))
		return -EFAULT;
	if (in.extent_start.p || in.extent_order || in.mem_flags)
		return -EINVAL;
	d = domain_get(in.domid);
	if (!d)
		return -ESRCH;
	ret = frames_claim(d, in.nr_extents);
	domain_put(d);
	return ret;
}
