/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of domains: their allocation against max_pages, the list of what a
 * domain owns, the way of a frame from one owner to another and back to the
 * allocator.  A domain that owns a frame holds one reference to itself, so
 * it outlives every foreign mapping of its memory.
 */
#include "domain/domain.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc_state.h"

#define PAGE_COUNT_ALLOCATED(d)                                                                    \
	((uint64_t)(d)->id << PAGE_OWNER_SHIFT | PAGE_F_RAM | PAGE_F_ALLOCATED | PAGE_F_TAINTED | 1)

/* --- the list; all called under page_lock --- */

static void list_add_page(struct mm_domain *mm, struct page *pg)
{
	pg->prev = 0;
	pg->next = mm->page_list;
	if (pg->next)
		frame_table[pg->next].prev = page_to_mfn(pg).v;
	mm->page_list = page_to_mfn(pg).v;
}

static void list_remove_page(struct mm_domain *mm, struct page *pg)
{
	if (mm->relinquish_cursor == page_to_mfn(pg).v)
		mm->relinquish_cursor = pg->next ? pg->next : ~0UL;
	if (pg->prev)
		frame_table[pg->prev].next = pg->next;
	else
		mm->page_list = pg->next;
	if (pg->next)
		frame_table[pg->next].prev = pg->prev;
	pg->next = pg->prev = 0;
}

/* --- tot_pages, and the reference that goes with it --- */

static int pages_reserve(struct domain *d, uint64_t pages)
{
	struct mm_domain *mm = &d->mm;
	int ret = 0;

	spin_lock(&mm->page_lock);
	if (d->is_dying)
		ret = -EINVAL;
	else if (mm->tot_pages > mm->max_pages || pages > mm->max_pages - mm->tot_pages)
		ret = -ENOMEM;
	else if (!mm->tot_pages && !domain_hold(d))
		ret = -EINVAL;
	else
		mm->tot_pages += pages;
	spin_unlock(&mm->page_lock);
	return ret;
}

static void pages_unreserve(struct domain *d, uint64_t pages)
{
	bool none_left;

	spin_lock(&d->mm.page_lock);
	d->mm.tot_pages -= pages;
	none_left = !d->mm.tot_pages;
	spin_unlock(&d->mm.page_lock);
	if (none_left)
		domain_put(d);
}

/* Gives d frames of nobody's that it has reserved; -EINVAL when it is dying. */
static int pages_give(struct domain *d, struct page *pg, uint64_t pages)
{
	spin_lock(&d->mm.page_lock);
	if (d->is_dying) {
		spin_unlock(&d->mm.page_lock);
		return -EINVAL;
	}
	for (uint64_t i = 0; i < pages; i++) {
		pg[i].type = 0;
		list_add_page(&d->mm, &pg[i]);
		__atomic_store_n(&pg[i].count, PAGE_COUNT_ALLOCATED(d), __ATOMIC_RELEASE);
	}
	spin_unlock(&d->mm.page_lock);
	return 0;
}

struct page *domain_pages_alloc(struct domain *d, unsigned int order, unsigned int addr_bits)
{
	struct page *pg;

	if (order > PAGE_ORDER_MAX || pages_reserve(d, 1UL << order))
		return NULL;
	pg = frames_alloc_for(d, order, addr_bits);
	if (!pg)
		goto unreserve;
	memset(page_to_virt(pg), 0, PAGE_SIZE << order);
	if (pages_give(d, pg, 1UL << order))
		goto free;
	return pg;

free:
	frames_free(pg, order);
unreserve:
	pages_unreserve(d, 1UL << order);
	return NULL;
}

int pages_assign(struct page *pg, uint64_t n, struct domain *d)
{
	int ret = pages_reserve(d, n);

	if (ret)
		return ret;
	ret = pages_give(d, pg, n);
	if (ret)
		pages_unreserve(d, n);
	return ret;
}

int page_assign(struct page *pg, struct domain *d)
{
	return pages_assign(pg, 1, d);
}

/* Called under page_lock. */
static int page_disown(struct page *pg, struct domain *d)
{
	uint64_t old = PAGE_COUNT_ALLOCATED(d) | (READ_ONCE(pg->count) & PAGE_F_NO_WRITE);

	if (!page_is_owned_by(pg, d->id) || READ_ONCE(pg->count) & PAGE_F_HYP)
		return -EINVAL;
	if (page_type_count(pg) ||
	    !__atomic_compare_exchange_n(&pg->count, &old, PAGE_COUNT_UNOWNED | PAGE_F_TAINTED,
					 false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return -EBUSY;
	list_remove_page(&d->mm, pg);
	pg->type = 0;
	return 0;
}

int page_steal(struct page *pg, struct domain *d)
{
	int ret;

	spin_lock(&d->mm.page_lock);
	ret = page_disown(pg, d);
	spin_unlock(&d->mm.page_lock);
	if (ret)
		return ret;
	m2p_set(page_to_mfn(pg), M2P_INVALID);
	pages_unreserve(d, 1);
	return 0;
}

void page_free_stolen(struct page *pg)
{
	frames_free(pg, 0);
}

void page_free_owned(struct page *pg)
{
	domid_t owner = page_owner_id(pg);
	struct domain *d;

	ASSERT(!page_type_count(pg));
	if (READ_ONCE(pg->count) & PAGE_F_HYP) {
		frames_free(pg, 0); /* page_unshare_free left it to its last user */
		return;
	}
	d = domain_get(owner);
	ASSERT(d);
	spin_lock(&d->mm.page_lock);
	list_remove_page(&d->mm, pg);
	spin_unlock(&d->mm.page_lock);
	m2p_set(page_to_mfn(pg), M2P_INVALID);
	pg->count |= PAGE_F_TAINTED;
	frames_free(pg, 0);
	pages_unreserve(d, 1);
	domain_put(d);
}
