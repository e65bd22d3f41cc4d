/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a PV domain's page and descriptor tables: what its vCPUs hold,
 * then its pins and what interrupted hypercalls left behind.  All of it is
 * preemptible, and done by another domain's vCPU.
 */
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "pv/pagetable.h"

#define FRAMES_PER_CHECK 256

static int base_drop(struct page **l4)
{
	struct page *pg = *l4;

	if (!pg)
		return 0;
	if (page_put_type(pg, true))
		return -ERESTART;
	*l4 = NULL;
	page_put(pg);
	return 0;
}

int pv_vcpu_relinquish(struct vcpu *v)
{
	if (pv_drop_pending(v) || base_drop(&v->pv.user_l4) || base_drop(&v->pv.kernel_l4))
		return -ERESTART;
	v->pv.cr3 = 0;
	pv_ldt_drop(v);
	v->pv.ldt_base = 0;
	v->pv.ldt_entries = 0;
	pv_gdt_drop(v);
	return 0;
}

/*
 * Moves d->pv.teardown_page, to which a reference is held so that it stays on
 * the domain's list, to the next frame that is still in use; NULL at the end.
 */
static struct page *frame_next(struct domain *d)
{
	struct mm_domain *mm = &d->mm;
	struct page *before = d->pv.teardown_page;
	uint32_t next;

	spin_lock(&mm->page_lock);
	next = before ? before->next : mm->page_list;
	while (next && !page_get(&frame_table[next], d))
		next = frame_table[next].next;
	spin_unlock(&mm->page_lock);
	d->pv.teardown_page = next ? &frame_table[next] : NULL;
	if (before)
		page_put(before);
	return d->pv.teardown_page;
}

int pv_domain_relinquish_tables(struct domain *d)
{
	struct page *pg;
	unsigned int n = 0;

	if (pv_drop_pending(current))
		return -ERESTART;
	if (d->pv.tables_are_gone)
		return 0;
	for (pg = d->pv.teardown_page ?: frame_next(d); pg; pg = frame_next(d)) {
		if (page_unpin(pg))
			pv_drop_table(pg);
		/* on -ERESTART this frame is looked at again */
		if (pv_has_pending(current) || page_drop_partial(pg, true) ||
		    (++n % FRAMES_PER_CHECK == 0 && hypercall_preempt_check()))
			return -ERESTART;
	}
	d->pv.tables_are_gone = true;
	return 0;
}
