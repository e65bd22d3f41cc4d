/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domctls on the nested page tables of a translated domain: the pool of
 * pages they are made of, in the two ways tools ask for it.
 */
#include "hvm/state.h"
#include "hypercall/ctl.h"

static int pool_set(struct domain *d, uint64_t pages)
{
	/* the root has one of them */
	return pages ? p2m_pool_set(d, pages) : -EINVAL;
}

int domctl_get_paging_mempool_size(struct domain *d, struct xen_domctl *op)
{
	if (d->type != DOMAIN_HVM)
		return -EOPNOTSUPP;
	op->u.paging_mempool.size = READ_ONCE(d->hvm->p2m.pool_pages) << PAGE_SHIFT;
	return 0;
}

int domctl_set_paging_mempool_size(struct domain *d, struct xen_domctl *op)
{
	uint64_t size = op->u.paging_mempool.size;

	if (d->type != DOMAIN_HVM)
		return -EOPNOTSUPP;
	return size % PAGE_SIZE ? -EINVAL : pool_set(d, size >> PAGE_SHIFT);
}

int domctl_shadow_op(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_shadow_op *s = &op->u.shadow_op;

	if (d->type != DOMAIN_HVM)
		return -EOPNOTSUPP;
	switch (s->op) {
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		s->mb = DIV_ROUND_UP(READ_ONCE(d->hvm->p2m.pool_pages), MB(1) >> PAGE_SHIFT);
		return 0;
	case XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION:
		return pool_set(d, (uint64_t)s->mb << (20 - PAGE_SHIFT));
	default:
		return -EOPNOTSUPP; /* dirty frames are not logged yet */
	}
}
