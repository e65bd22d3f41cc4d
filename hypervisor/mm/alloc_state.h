/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the frame allocator, for mm/ and its tests alone. */
#ifndef MM_ALLOC_STATE_H
#define MM_ALLOC_STATE_H

#include "lib/spinlock.h"
#include "mm/alloc.h"

/* The count word of a frame that is nobody's. */
#define PAGE_COUNT_UNOWNED ((uint64_t)DOMID_INVALID << PAGE_OWNER_SHIFT | PAGE_F_RAM)

/* A zone holds the blocks between 2^n and 2^(n+1) bytes: none crosses a border. */
#define FRAME_ZONES 48

struct frame_list {
	uint32_t first, last; /* frame numbers, 0 = empty */
};

struct frame_allocator {
	/* constant after boot */
	uint64_t total; /* frames of RAM */

	struct spinlock lock; /* below: */
	struct frame_list lists[FRAME_ZONES][PAGE_ORDER_MAX + 1];
	uint32_t orders[FRAME_ZONES]; /* a bit for each list that is not empty */
	uint64_t free;
	uint64_t claimed; /* the sum of all domains' claims */

	/* atomic: numbers of the last TLB flush begun and the last one ended */
	uint64_t flush_begun, flush_ended;
};

extern struct frame_allocator frame_allocator;

/* As frames_alloc, counted against the claim of d, which may be NULL. */
must_check struct page *frames_alloc_for(struct domain *d, unsigned int order,
					 unsigned int addr_bits);

#endif
