/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy allocator over all free RAM.  Free blocks stand in lists by the
 * highest bit of their address (zones) and by size, oldest first; only the
 * first frame's struct page of a free block says so:
 *
 *   count: owner DOMID_INVALID, PAGE_F_FREE      type:  | epoch 63..8 | order 7..0 |
 *
 * A frame a guest could map may still stand in some CPU's TLB when it is
 * freed.  Nobody flushes then; `epoch` is the number of the last flush that
 * had begun, and the block may be used once a later flush has ended.  An
 * allocation that meets an unsafe block flushes, for all that is free.
 */
#include "mm/alloc_state.h"

#include "domain/domain.h"
#include "lib/bits.h"
#include "lib/cpumask.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"

#define BLOCK_ORDER_MASK  0xffUL
#define BLOCK_EPOCH_SHIFT 8

struct frame_allocator frame_allocator = {.flush_begun = 1, .flush_ended = 1};

static unsigned int block_order(const struct page *pg)
{
	return pg->type & BLOCK_ORDER_MASK;
}

static uint64_t block_epoch(const struct page *pg)
{
	return pg->type >> BLOCK_EPOCH_SHIFT;
}

static bool block_is_free(const struct page *pg, unsigned int order)
{
	return pg->count & PAGE_F_FREE && block_order(pg) == order;
}

static bool block_is_safe(const struct page *pg)
{
	return block_epoch(pg) < READ_ONCE(frame_allocator.flush_ended);
}

static unsigned int block_zone(const struct page *pg)
{
	return 63 - __builtin_clzl(mfn_to_paddr(page_to_mfn(pg)));
}

static void block_insert(struct page *pg, unsigned int order, uint64_t epoch, bool at_end)
{
	unsigned int zone = block_zone(pg);
	struct frame_list *l = &frame_allocator.lists[zone][order];
	uint32_t n = page_to_mfn(pg).v;

	pg->count = PAGE_COUNT_UNOWNED | PAGE_F_FREE;
	pg->type = epoch << BLOCK_EPOCH_SHIFT | order;
	pg->prev = at_end ? l->last : 0;
	pg->next = at_end ? 0 : l->first;
	if (pg->prev)
		frame_table[pg->prev].next = n;
	else
		l->first = n;
	if (pg->next)
		frame_table[pg->next].prev = n;
	else
		l->last = n;
	frame_allocator.orders[zone] |= BIT(order);
}

static void block_remove(struct page *pg)
{
	unsigned int zone = block_zone(pg), order = block_order(pg);
	struct frame_list *l = &frame_allocator.lists[zone][order];

	if (pg->prev)
		frame_table[pg->prev].next = pg->next;
	else
		l->first = pg->next;
	if (pg->next)
		frame_table[pg->next].prev = pg->prev;
	else
		l->last = pg->prev;
	if (!l->first)
		frame_allocator.orders[zone] &= ~BIT(order);
	pg->count = PAGE_COUNT_UNOWNED;
	pg->type = 0;
	pg->next = pg->prev = 0;
}

/* Called under the lock: frees the block, joined with its free buddies. */
static void block_free(uint64_t n, unsigned int order, uint64_t epoch)
{
	frame_allocator.free += 1UL << order;
	for (; order < PAGE_ORDER_MAX; order++) {
		uint64_t buddy = n ^ 1UL << order;
		struct page *pg = &frame_table[buddy];

		if (!buddy || !mfn_is_ram(MFN(buddy)) || !block_is_free(pg, order))
			break;
		epoch = MAX(epoch, block_epoch(pg));
		block_remove(pg);
		n = MIN(n, buddy);
	}
	block_insert(&frame_table[n], order, epoch, true);
}

/* The smallest fitting block from the highest zone: low memory is kept for those who need it. */
static struct page *block_find(unsigned int order, unsigned int addr_bits, bool safe_only)
{
	for (unsigned int zone = MIN(addr_bits, FRAME_ZONES); zone-- > PAGE_SHIFT;) {
		uint32_t orders = frame_allocator.orders[zone] & ~(BIT(order) - 1);

		for (; orders; orders &= orders - 1) {
			unsigned int o = __builtin_ctz(orders);
			struct page *pg = &frame_table[frame_allocator.lists[zone][o].first];

			if (!safe_only || block_is_safe(pg))
				return pg;
		}
	}
	return NULL;
}

/* Takes the block out and puts back what of it is too much, in front: the rest is used up first. */
static void block_take(struct page *pg, unsigned int order)
{
	uint64_t epoch = block_epoch(pg);
	unsigned int o = block_order(pg);

	block_remove(pg);
	while (o-- > order)
		block_insert(pg + (1UL << o), o, epoch, false);
	frame_allocator.free -= 1UL << order;
}

/* Flushes all translations of frames freed before the call. */
static void frames_flush(void)
{
	uint64_t mine = __atomic_add_fetch(&frame_allocator.flush_begun, 1, __ATOMIC_SEQ_CST);
	uint64_t ended = READ_ONCE(frame_allocator.flush_ended);

	tlb_flush_mask(&cpu_online);
	while (ended < mine &&
	       !__atomic_compare_exchange_n(&frame_allocator.flush_ended, &ended, mine, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/* Called under the lock: may d (or the hypervisor, NULL) take so many, claims considered? */
static bool claim_allows(const struct domain *d, uint64_t pages)
{
	uint64_t own = d ? d->mm.claimed : 0;

	return pages <= frame_allocator.free - (frame_allocator.claimed - own);
}

static void claim_use(struct domain *d, uint64_t pages)
{
	uint64_t used = d ? MIN(d->mm.claimed, pages) : 0;

	if (!used)
		return;
	d->mm.claimed -= used;
	frame_allocator.claimed -= used;
}

struct page *frames_alloc_for(struct domain *d, unsigned int order, unsigned int addr_bits)
{
	bool may_flush = irq_is_enabled();
	struct page *pg = NULL;
	bool safe = true;

	if (order > PAGE_ORDER_MAX)
		return NULL;
	spin_lock(&frame_allocator.lock);
	if (claim_allows(d, 1UL << order))
		pg = block_find(order, addr_bits, !may_flush);
	if (pg) {
		safe = block_is_safe(pg);
		block_take(pg, order);
		claim_use(d, 1UL << order);
	}
	spin_unlock(&frame_allocator.lock);
	if (!safe)
		frames_flush();
	return pg;
}

struct page *frames_alloc(unsigned int order, unsigned int addr_bits)
{
	return frames_alloc_for(NULL, order, addr_bits);
}

void frames_free(struct page *pg, unsigned int order)
{
	uint64_t epoch = 0;

	for (uint64_t i = 0; i < 1UL << order; i++) {
		ASSERT(!(pg[i].count & (PAGE_COUNT_MASK | PAGE_F_FREE)));
		if (pg[i].count & PAGE_F_TAINTED)
			epoch = READ_ONCE(frame_allocator.flush_begun);
		pg[i] = (struct page){.count = PAGE_COUNT_UNOWNED};
	}
	spin_lock(&frame_allocator.lock);
	block_free(page_to_mfn(pg).v, order, epoch);
	spin_unlock(&frame_allocator.lock);
}

void frames_add(paddr_t start, paddr_t end)
{
	uint64_t n = MAX(DIV_ROUND_UP(start, PAGE_SIZE), 1), last = end >> PAGE_SHIFT;

	spin_lock(&frame_allocator.lock);
	while (n < last) {
		unsigned int order = MIN(__builtin_ctzl(n), PAGE_ORDER_MAX);

		while (n + (1UL << order) > last)
			order--;
		block_free(n, order, 0);
		n += 1UL << order;
	}
	spin_unlock(&frame_allocator.lock);
}

uint64_t frames_free_count(void)
{
	return READ_ONCE(frame_allocator.free);
}

uint64_t frames_total_count(void)
{
	return frame_allocator.total;
}

void *hyp_pages_alloc(unsigned int order)
{
	struct page *pg = frames_alloc(order, FRAMES_ANY);

	return pg ? page_to_virt(pg) : NULL;
}

void *hyp_page_alloc_zeroed(void)
{
	void *v = hyp_pages_alloc(0);

	return v ? memset(v, 0, PAGE_SIZE) : NULL;
}

void hyp_pages_free(void *v, unsigned int order)
{
	if (v)
		frames_free(virt_to_page(v), order);
}

/* Called under page_lock and the allocator's. */
static int claim_set(struct domain *d, uint64_t pages)
{
	uint64_t more = pages - d->mm.tot_pages;

	if (d->is_dying || d->mm.claimed || pages > d->mm.max_pages || pages <= d->mm.tot_pages)
		return -EINVAL;
	if (more > frame_allocator.free - frame_allocator.claimed)
		return -ENOMEM;
	d->mm.claimed = more;
	frame_allocator.claimed += more;
	return 0;
}

int frames_claim(struct domain *d, uint64_t pages)
{
	int ret = 0;

	spin_lock(&d->mm.page_lock);
	spin_lock(&frame_allocator.lock);
	if (pages)
		ret = claim_set(d, pages);
	else
		claim_use(d, d->mm.claimed);
	spin_unlock(&frame_allocator.lock);
	spin_unlock(&d->mm.page_lock);
	return ret;
}
