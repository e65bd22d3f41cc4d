/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * General references to frames, and the sharing of hypervisor pages with
 * guests.  Type references are page_type.c's.
 */
#include "mm/page.h"

#include "domain/domain.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "mm/alloc_state.h"

static bool count_replace(struct page *pg, uint64_t *old, uint64_t new)
{
	return __atomic_compare_exchange_n(&pg->count, old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

bool page_get(struct page *pg, const struct domain *d)
{
	uint64_t count = READ_ONCE(pg->count);

	do {
		uint32_t references = count & PAGE_COUNT_MASK;

		if (count >> PAGE_OWNER_SHIFT != d->id || !references ||
		    references == PAGE_COUNT_MASK)
			return false;
	} while (!count_replace(pg, &count, count + 1));
	return true;
}

bool page_hold(struct page *pg)
{
	uint64_t count = READ_ONCE(pg->count);

	do {
		if ((count & PAGE_COUNT_MASK) == PAGE_COUNT_MASK)
			return false;
	} while (!count_replace(pg, &count, count + 1));
	return true;
}

struct page *page_get_mfn(mfn_t mfn, const struct domain *d)
{
	struct page *pg = mfn_to_page(mfn);

	return mfn_is_ram(mfn) && page_get(pg, d) ? pg : NULL;
}

void page_put(struct page *pg)
{
	uint64_t old = __atomic_fetch_sub(&pg->count, 1, __ATOMIC_SEQ_CST);

	ASSERT(old & PAGE_COUNT_MASK);
	if ((old & PAGE_COUNT_MASK) == 1)
		page_free_owned(pg);
}

bool page_drop_allocation(struct page *pg)
{
	uint64_t old = __atomic_fetch_and(&pg->count, ~PAGE_F_ALLOCATED, __ATOMIC_SEQ_CST);

	if (!(old & PAGE_F_ALLOCATED))
		return false;
	page_put(pg);
	return true;
}

bool page_give_up(struct page *pg, const struct domain *d)
{
	bool dropped;

	if (!page_get(pg, d))
		return false;
	dropped = page_drop_allocation(pg);
	page_put(pg);
	return dropped;
}

/*
 * The hypervisor writes to a shared page whatever the guest does, so the page
 * holds a writable type count of the hypervisor's from here on: it can never
 * become a page table.
 */
void page_share(void *v, struct domain *d, bool writable)
{
	struct page *pg = virt_to_page(v);

	ASSERT(!(pg->count & (PAGE_COUNT_MASK | PAGE_F_FREE)));
	pg->type = (uint64_t)PAGE_WRITABLE << PAGE_TYPE_SHIFT | PAGE_T_VALIDATED | 1;
	__atomic_store_n(&pg->count,
			 (uint64_t)d->id << PAGE_OWNER_SHIFT | PAGE_F_RAM | PAGE_F_HYP |
				 PAGE_F_TAINTED | (writable ? 0 : PAGE_F_NO_WRITE) | 1,
			 __ATOMIC_RELEASE);
}

int page_unshare(void *v)
{
	struct page *pg = virt_to_page(v);
	uint64_t count = READ_ONCE(pg->count);

	do {
		if ((count & PAGE_COUNT_MASK) != 1)
			return -EBUSY;
	} while (!count_replace(pg, &count, PAGE_COUNT_UNOWNED | PAGE_F_TAINTED));
	pg->type = 0;
	return 0;
}

void page_unshare_free(void *v)
{
	struct page *pg = virt_to_page(v);
	uint64_t count = READ_ONCE(pg->count);

	m2p_set(page_to_mfn(pg), M2P_INVALID);
	while (!count_replace(pg, &count,
			      (count & (PAGE_COUNT_MASK | PAGE_F_HYP | PAGE_F_NO_WRITE)) |
				      PAGE_COUNT_UNOWNED | PAGE_F_TAINTED))
		;
	__atomic_fetch_sub(&pg->type, 1, __ATOMIC_SEQ_CST);
	page_put(pg);
}
