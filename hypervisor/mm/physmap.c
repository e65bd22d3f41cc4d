/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What translated domains and their builders ask about the map of their
 * physical memory: frames in and out of it, and XENMEM_add_to_physmap,
 * add_to_physmap_batch and remove_from_physmap.  The map is hvm/p2m.c's.
 */
#include "domain/domain.h"
#include "grant/grant.h"
#include "hvm/p2m.h"
#include "hypercall/hypercall.h"
#include "mm/alloc.h"
#include "mm/memory_op.h"

/* --- RAM --- */

/* The order of one p2m_set or p2m_give_up: whole large entries, or single frames. */
static unsigned int step_order(unsigned int order)
{
	return order - order % 9;
}

int physmap_populate(struct domain *d, gfn_t gfn, unsigned int order, unsigned int bits)
{
	unsigned int step = step_order(order);
	uint64_t done = 0, nr = 1UL << order;
	struct page *pg;
	int ret = 0;

	if (gfn.v & (nr - 1))
		return -EINVAL;
	pg = domain_pages_alloc(d, order, bits);
	if (!pg)
		return -ENOMEM;
	while (done < nr && !ret) {
		ret = p2m_set(d, GFN(gfn.v + done), page_to_mfn(&pg[done]), step, P2M_RAM);
		if (!ret)
			done += 1UL << step;
	}
	/* what is mapped stays; of a domain that dies, the rest may be gone already */
	for (; done < nr; done++)
		(void)page_give_up(&pg[done], d);
	return ret;
}

int physmap_give_up(struct domain *d, gfn_t gfn, unsigned int order)
{
	unsigned int step = step_order(order);
	int ret = gfn.v & ((1UL << order) - 1) ? -EINVAL : 0;

	for (uint64_t done = 0; done < 1UL << order && !ret; done += 1UL << step)
		ret = p2m_give_up(d, GFN(gfn.v + done), step);
	return ret;
}

/* --- add_to_physmap --- */

/* What lies at gfn makes room: RAM goes back to the hypervisor rather than be out of reach. */
static int room_make(struct domain *d, gfn_t gfn)
{
	int ret = p2m_give_up(d, gfn, 0);

	return ret == -ENOMEM ? ret : 0;
}

/* A page of the hypervisor's that d owns: shared_info, or one of its grant table. */
static int hypervisor_page_map(struct domain *d, mfn_t mfn, gfn_t gfn)
{
	struct page *pg = page_get_mfn(mfn, d);
	int ret;

	if (!pg)
		return -EINVAL;
	if (!page_get_writable(pg)) {
		page_put(pg);
		return -EINVAL;
	}
	ret = room_make(d, gfn);
	if (!ret)
		ret = p2m_set(d, gfn, mfn, 0, P2M_SHARED);
	if (ret)
		page_put_and_type(pg);
	return ret;
}

static int grant_frame_find(struct domain *d, uint64_t idx, mfn_t *mfn)
{
	bool is_status = idx & XENMAPIDX_grant_table_status;

	idx &= ~(uint64_t)XENMAPIDX_grant_table_status;
	if (idx > UINT32_MAX)
		return -EINVAL;
	return is_status ? grant_status_frame(d, idx, mfn) : grant_shared_frame(d, idx, mfn);
}

/* RAM moves: it is nowhere for a moment, but its owner's all the time. */
static int ram_move(struct domain *d, gfn_t from, gfn_t to)
{
	enum p2m_type type;
	mfn_t mfn = p2m_lookup(d, from, &type);
	int ret;

	if (type != P2M_RAM && type != P2M_RAM_RO && type != P2M_LOGDIRTY)
		return -EINVAL;
	if (from.v == to.v)
		return 0;
	ret = room_make(d, to);
	if (!ret)
		ret = p2m_remove(d, from, mfn);
	if (ret)
		return ret == -ENOENT ? -EINVAL : ret;
	ret = p2m_set(d, to, mfn, 0, P2M_RAM);
	/* no memory for a table there; here it still has one, but if the domain's end has begun */
	if (ret && p2m_set(d, from, mfn, 0, P2M_RAM))
		return -EINVAL;
	return ret;
}

static int frame_add(struct domain *d, unsigned int space, uint64_t idx, gfn_t gfn)
{
	mfn_t mfn;
	int ret;

	switch (space) {
	case XENMAPSPACE_shared_info:
		return idx ? -EINVAL : hypervisor_page_map(d, virt_to_mfn(d->shared_info), gfn);
	case XENMAPSPACE_grant_table:
		ret = grant_frame_find(d, idx, &mfn);
		return ret ? ret : hypervisor_page_map(d, mfn, gfn);
	case XENMAPSPACE_gmfn:
	case XENMAPSPACE_gmfn_range:
		return ram_move(d, GFN(idx), gfn);
	default:
		/* other domains' frames, device memory: for a translated domain that controls
		 * others */
		return -EOPNOTSUPP;
	}
}

/* The domain, held, if the caller may change its map and it has one. */
static int translated_get(domid_t id, struct domain **out)
{
	int ret = domain_get_controlled(id, out);

	if (ret)
		return ret;
	if ((*out)->type == DOMAIN_HVM)
		return 0;
	domain_put(*out);
	return -EACCES; /* a PV guest maps machine frames itself */
}

/* Goes on where it was by what it writes back into the caller's structure, as the ABI has it. */
static long range_add(struct domain *d, struct xen_add_to_physmap *x, void *arg)
{
	uint64_t args[2] = {XENMEM_add_to_physmap, (uintptr_t)arg};

	for (unsigned int n = 1; x->size; n++) {
		int ret = frame_add(d, x->space, x->idx, GFN(x->gpfn));

		if (ret)
			return ret;
		x->size--;
		x->idx++;
		x->gpfn++;
		if (x->size && hypercall_preempt_check())
			return copy_out(arg, x, sizeof(*x))
				       ? -EFAULT
				       : hypercall_continue(__HYPERVISOR_memory_op, args, 2);
	}
	return 0;
}

long memory_op_add_to_physmap(void *arg)
{
	struct xen_add_to_physmap x;
	struct domain *d;
	long ret;

	if (copy_in(&x, arg, sizeof(x)))
		return -EFAULT;
	ret = translated_get(x.domid, &d);
	if (ret)
		return ret;
	if (x.space == XENMAPSPACE_gmfn_range)
		ret = range_add(d, &x, arg);
	else
		ret = frame_add(d, x.space, x.idx, GFN(x.gpfn));
	domain_put(d);
	return ret;
}

/* Entry i of the caller's arrays; its own error is told there. */
static int batch_entry(struct domain *d, const struct xen_add_to_physmap_batch *b, unsigned long i)
{
	xen_ulong_t idx;
	xen_pfn_t gfn;
	int result;

	if (copy_in(&idx, guest_entry(b->idxs.p, i, sizeof(idx)), sizeof(idx)) ||
	    copy_in(&gfn, guest_entry(b->gpfns.p, i, sizeof(gfn)), sizeof(gfn)))
		return -EFAULT;
	result = frame_add(d, b->space, idx, GFN(gfn));
	return copy_out(guest_entry(b->errs.p, i, sizeof(result)), &result, sizeof(result));
}

static long batch_add(struct domain *d, const struct xen_add_to_physmap_batch *b, const void *arg,
		      unsigned long done)
{
	for (unsigned long i = done; i < b->size; i++) {
		int ret;

		if (i > done && hypercall_preempt_check()) {
			uint64_t args[2] = {XENMEM_add_to_physmap_batch | i << MEMOP_EXTENT_SHIFT,
					    (uintptr_t)arg};

			return hypercall_continue(__HYPERVISOR_memory_op, args, 2);
		}
		ret = batch_entry(d, b, i);
		if (ret)
			return ret;
	}
	return 0;
}

long memory_op_add_to_physmap_batch(const void *arg, unsigned long done)
{
	struct xen_add_to_physmap_batch b;
	struct domain *d;
	long ret;

	if (copy_in(&b, arg, sizeof(b)))
		return -EFAULT;
	if (b.space == XENMAPSPACE_gmfn_range || b.u.res0 || done > b.size)
		return -EINVAL;
	ret = translated_get(b.domid, &d);
	if (ret)
		return ret;
	ret = batch_add(d, &b, arg, done);
	domain_put(d);
	return ret;
}

long memory_op_remove_from_physmap(const void *arg)
{
	struct xen_remove_from_physmap x;
	struct domain *d;
	long ret;

	if (copy_in(&x, arg, sizeof(x)))
		return -EFAULT;
	ret = translated_get(x.domid, &d);
	if (ret)
		return ret;
	ret = p2m_remove(d, GFN(x.gpfn), MFN_NONE);
	domain_put(d);
	return ret;
}
