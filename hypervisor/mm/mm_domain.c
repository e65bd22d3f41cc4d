/* SPDX-License-Identifier: BSD-2-Clause */
/* The beginning and the end of a domain's memory. */
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "mm/mm.h"

#define CURSOR_DONE     ~0UL
#define PAGES_PER_CHECK 64

int mm_domain_init(struct domain *d)
{
	memset(&d->mm, 0, sizeof(d->mm));
	return 0;
}

/* The next frame of the list, with a reference; false at its end. *pg NULL: just being freed. */
static bool relinquish_next(struct domain *d, struct page **pg)
{
	struct mm_domain *mm = &d->mm;
	bool found = false;

	spin_lock(&mm->page_lock);
	if (!mm->relinquish_cursor)
		mm->relinquish_cursor = mm->page_list ? mm->page_list : CURSOR_DONE;
	if (mm->relinquish_cursor != CURSOR_DONE) {
		found = true;
		*pg = &frame_table[mm->relinquish_cursor];
		mm->relinquish_cursor = (*pg)->next ? (*pg)->next : CURSOR_DONE;
		if (!page_get(*pg, d))
			*pg = NULL;
	}
	spin_unlock(&mm->page_lock);
	return found;
}

/*
 * Frames that another domain still maps stay on the list, without their
 * allocation reference, and go with the last mapping.
 */
int mm_domain_relinquish(struct domain *d)
{
	struct page *pg;
	int ret;

	if (d->type == DOMAIN_PV) {
		ret = pv_domain_relinquish_tables(d);
		if (ret)
			return ret;
	}
	for (unsigned int n = 1; relinquish_next(d, &pg); n++) {
		if (pg) {
			(void)page_drop_allocation(pg);
			page_put(pg);
		}
		if (n % PAGES_PER_CHECK == 0 && hypercall_preempt_check())
			return -ERESTART;
	}
	ret = frames_claim(d, 0);
	spin_lock(&d->mm.map_lock);
	heap_free(d->mm.map);
	d->mm.map = NULL;
	spin_unlock(&d->mm.map_lock);
	return ret;
}
