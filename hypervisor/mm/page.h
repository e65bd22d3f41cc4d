/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame table: for every frame of RAM an owner, a reference count, a type
 * and a type count.  The rule the whole of isolation rests on: a frame has
 * one type at a time, changes it only when its type count is zero, and is
 * mapped writable by a guest only while its type is PAGE_WRITABLE.
 */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "cpu/seam.h"
#include "lib/types.h"

/*
 * count:  63      48 47    40 39  32 31             0
 *        | owner    | flags  |  0   | references     |
 *
 * type:   63  60 59     55 54    48 47     32 31     0
 *        | type | flags   |  0     | progress | count |
 *
 * All changes are by compare-and-exchange of the whole word.  The type stays
 * behind when the count falls to zero: it tells what TLBs may still hold.
 * With a count, a frame is in one of three states:
 *
 *   PAGE_T_VALIDATED  in use as its type
 *   neither flag      busy: one CPU validates it or undoes that; others wait
 *   PAGE_T_PARTIAL    that was interrupted: entries 0..progress-1 hold their
 *                     references, and the next to get or put the type goes on
 */
struct page {
	uint64_t count;
	uint64_t type;
	uint32_t next, prev; /* frame numbers: the owner's page list, or a free list; 0 = none */
};

#define PAGE_COUNT_MASK    0x00000000ffffffffUL
#define PAGE_OWNER_SHIFT   48
#define PAGE_F_ALLOCATED   BIT(40) /* the owner's own reference, until it gives the frame up */
#define PAGE_F_HYP         BIT(41) /* hypervisor memory that guests map, never freed by one */
#define PAGE_F_RAM         BIT(42) /* usable RAM, not a hole of the table */
#define PAGE_F_NO_WRITE    BIT(43) /* may be mapped read-only only */
#define PAGE_F_TAINTED     BIT(44) /* a guest could map it: flush TLBs before its next use */
#define PAGE_F_FREE        BIT(45) /* first frame of a free block; `type` is then mm/alloc.c's */

#define PAGE_TYPE_SHIFT    60
#define PAGE_TYPE_COUNT    0x00000000ffffffffUL
#define PAGE_T_PINNED      BIT(56) /* by MMUEXT_PIN_*: holds one type count */
#define PAGE_T_VALIDATED   BIT(57)
#define PAGE_T_PARTIAL     BIT(58) /* validation or its undoing was interrupted at `progress` */
#define PAGE_T_HELD        BIT(59) /* partial: the frame itself holds type count and reference */
#define PAGE_T_FAILED      BIT(55) /* partial: a bad entry was met, undo the rest */
#define PAGE_PROGRESS_SHIFT 32

enum page_type {
	PAGE_NONE = 0,
	PAGE_L1 = 1,
	PAGE_L2 = 2,
	PAGE_L3 = 3,
	PAGE_L4 = 4,
	PAGE_SEGDESC = 5, /* a GDT or LDT frame */
	PAGE_SHARED = 6,  /* (reserved) */
	PAGE_WRITABLE = 7,
};

#ifdef ZENDO_HOST
extern struct page *frame_table;
#else
#define frame_table ((struct page *)FRAMETABLE_START)
#endif

extern uint64_t frame_table_end; /* one past the last frame of RAM */

/* Is this frame RAM that the frame table describes?  Everything else is I/O memory. */
bool mfn_is_ram(mfn_t mfn);

static inline struct page *mfn_to_page(mfn_t mfn)
{
	return &frame_table[mfn.v];
}

static inline mfn_t page_to_mfn(const struct page *pg)
{
	return MFN((uint64_t)(pg - frame_table));
}

static inline void *page_to_virt(const struct page *pg)
{
	return mfn_to_virt(page_to_mfn(pg));
}

static inline struct page *virt_to_page(const void *v)
{
	return mfn_to_page(virt_to_mfn(v));
}

/* DOMID_INVALID for a free or hypervisor-private frame.  Stable only while a reference is held. */
static inline domid_t page_owner_id(const struct page *pg)
{
	return READ_ONCE(pg->count) >> PAGE_OWNER_SHIFT;
}

static inline bool page_is_owned_by(const struct page *pg, domid_t id)
{
	return page_owner_id(pg) == id;
}

static inline enum page_type page_type(const struct page *pg)
{
	return READ_ONCE(pg->type) >> PAGE_TYPE_SHIFT;
}

static inline uint32_t page_type_count(const struct page *pg)
{
	return READ_ONCE(pg->type) & PAGE_TYPE_COUNT;
}

/*
 * General references.  page_get fails (false) if `d` does not own the frame,
 * it is free, or the count would overflow.  page_put of the last reference
 * frees the frame (page_free_owned).
 */
must_check bool page_get(struct page *pg, const struct domain *d);
void page_put(struct page *pg);
/* By frame number as a guest gave it: checks mfn_is_ram too.  NULL if it fails. */
must_check struct page *page_get_mfn(mfn_t mfn, const struct domain *d);
/* One more, whoever the owner is, of a frame that has one: false if the count would overflow. */
must_check bool page_hold(struct page *pg);
/* Drop the owner's own reference (PAGE_F_ALLOCATED); false if it was dropped before. */
bool page_drop_allocation(struct page *pg);
/* The same of a frame that may have left d meanwhile: false if it has, or has been dropped before. */
bool page_give_up(struct page *pg, const struct domain *d);

/*
 * Type references, on top of a general one.  Getting a page-table type
 * validates the table (pv/pagetable.c): 0, -EINVAL (type conflict, bad entry,
 * count exhausted), or, if preemptible, -ERESTART: call again; what was done
 * is kept in the frame.  May flush TLBs of other CPUs.
 */
must_check int page_get_type(struct page *pg, enum page_type type, bool preemptible);
must_check bool page_get_writable(struct page *pg);
/*
 * One more reference of the type it has, if that is a validated page table or
 * writable: PAGE_L1..PAGE_L4 or PAGE_WRITABLE, else PAGE_NONE and no reference.
 */
must_check enum page_type page_get_present_type(struct page *pg);
/*
 * 0, or, if preemptible, -ERESTART: undoing a page table was interrupted and
 * the caller still has its reference, to be put again.
 */
int page_put_type(struct page *pg, bool preemptible);
/* Undoes a frame left partial by a page_get_type nobody repeated (dying domains). 0, -ERESTART */
int page_drop_partial(struct page *pg, bool preemptible);
/* MMUEXT_PIN_*: marks the caller's type reference as the pin's; false if it has a pin. */
must_check bool page_pin(struct page *pg);
/* Hands the pin's type reference to the caller; false if there is none. */
must_check bool page_unpin(struct page *pg);
must_check bool page_get_and_type(struct page *pg, const struct domain *d, enum page_type type);
void page_put_and_type(struct page *pg);

#endif
