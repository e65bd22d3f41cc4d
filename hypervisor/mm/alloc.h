/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of RAM: a buddy allocator over all of it, and the two kinds of
 * allocation: the hypervisor's own pages, and pages that belong to a domain.
 */
#ifndef MM_ALLOC_H
#define MM_ALLOC_H

#include "mm/page.h"

#define PAGE_ORDER_MAX 18 /* 1 GiB */

/* Gives the whole frames of [start, end), RAM nobody uses, to the allocator. */
void frames_add(paddr_t start, paddr_t end);

#define FRAMES_ANY     64
/*
 * 2^order contiguous frames, aligned to their size, wholly below 1 << addr_bits
 * bytes; NULL if there are none.  Contents undefined; no owner, reference
 * count 0.  May flush TLBs of other CPUs (frames a guest had mapped); with
 * interrupts off it takes only frames that need none.
 */
must_check struct page *frames_alloc(unsigned int order, unsigned int addr_bits);
void frames_free(struct page *pg, unsigned int order);

uint64_t frames_free_count(void);  /* frames not allocated, claims not subtracted */
uint64_t frames_total_count(void); /* frames of RAM, those of the image included */

/* The hypervisor's own pages, in the direct map. */
must_check void *hyp_pages_alloc(unsigned int order);
must_check void *hyp_page_alloc_zeroed(void);
void hyp_pages_free(void *v, unsigned int order);

/*
 * 2^order frames for a domain, zeroed, one reference (PAGE_F_ALLOCATED) each,
 * counted in d->mm.tot_pages and on its list; NULL if it would pass max_pages
 * or is dying, or there are none.  The frames count against the claim.
 */
must_check struct page *domain_pages_alloc(struct domain *d, unsigned int order,
					   unsigned int addr_bits);
/* Called by page_put for the last reference of a domain's frame. */
void page_free_owned(struct page *pg);
/*
 * Moves between owners.  Steal takes from d a frame that only its allocation
 * holds: 0, -EINVAL (not its), -EBUSY (in use); the frame is then nobody's,
 * neither scrubbed nor flushed.  Assign gives d a frame of nobody's: 0,
 * -ENOMEM past max_pages, -EINVAL when it is dying.
 */
must_check int page_assign(struct page *pg, struct domain *d);
/* The same for n frames in a row, of nobody's. */
must_check int pages_assign(struct page *pg, uint64_t n, struct domain *d);
must_check int page_steal(struct page *pg, struct domain *d);
/* A stolen frame back to the allocator. */
void page_free_stolen(struct page *pg);

/*
 * Gives a page of hypervisor memory to `d` to map (shared_info, grant frames,
 * status frames): owner d, PAGE_F_HYP, not counted in tot_pages.
 */
void page_share(void *v, struct domain *d, bool writable);
/* 0, or -EBUSY while the guest still has it mapped. */
must_check int page_unshare(void *v);
/* Ends the sharing for good: the page is freed now, or with the last mapping somebody has of it. */
void page_unshare_free(void *v);

/* A small-object heap over it; alignment 16, zeroed. */
must_check void *heap_alloc(size_t size);
must_check void *heap_alloc_array(size_t n, size_t size); /* NULL on overflow */
void heap_free(void *p);
void heap_dump(void); /* debug key 'm' */

/* Claims (XENMEM_claim_pages): frames set aside for one domain. 0 or -ENOMEM/-EINVAL */
must_check int frames_claim(struct domain *d, uint64_t pages);

#endif
