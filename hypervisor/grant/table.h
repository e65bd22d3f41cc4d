/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside grant/ only: a domain's table (the frames its guest writes, and what
 * we know of the entries in use) and its list of mappings of others' grants.
 */
#ifndef GRANT_TABLE_H
#define GRANT_TABLE_H

#include "domain/domain.h"
#include "grant/grant.h"

#include <xen/grant_table.h>

#define GRANT_V1_PER_PAGE     (PAGE_SIZE / sizeof(struct grant_entry_v1))
#define GRANT_V2_PER_PAGE     (PAGE_SIZE / sizeof(union grant_entry_v2))
#define GRANT_STATUS_PER_PAGE (PAGE_SIZE / sizeof(grant_status_t))
#define GRANT_ACTIVE_PER_PAGE (PAGE_SIZE / sizeof(struct grant_active))

/* Enough for every entry of a frame of either version. */
#define GRANT_ACTIVE_PAGES_PER_FRAME (GRANT_V1_PER_PAGE / GRANT_ACTIVE_PER_PAGE)

enum grant_kind { GRANT_PAGE, GRANT_SUB_PAGE, GRANT_TRANSITIVE };

/* An entry as it was when it came into use; valid while it has users. */
struct grant_active {
	uint32_t readers, writers; /* mappings and copies going on; a writer is not a reader */
	uint64_t frame;
	domid_t domid;		 /* who may use it */
	uint16_t offset, length; /* of the frame */
	uint8_t kind;
	uint8_t pad;
	domid_t trans_domid; /* GRANT_TRANSITIVE: whose grant it passes on */
	uint32_t trans_ref;
};

_Static_assert(sizeof(struct grant_active) == 32, "a page holds a power of two");

struct grant_table {
	/* protected by lock */
	struct spinlock lock;
	unsigned int version; /* 1 or 2 */
	uint32_t nr_frames;
	uint32_t nr_status_frames;    /* version 2 only */
	void **shared;		      /* [max_frames] */
	grant_status_t **status;      /* [status_frames(max_frames)] */
	struct grant_active **active; /* [max_frames * GRANT_ACTIVE_PAGES_PER_FRAME] */
	/* constant after create */
	unsigned int max_version;
	uint32_t max_frames;
	uint32_t max_maptrack_frames;

	/* protected by maptrack_lock */
	struct spinlock maptrack_lock;
	struct maptrack **maptrack; /* [max_maptrack_frames] */
	uint32_t nr_maptrack_frames;
	uint32_t maptrack_free; /* handle of the first free one, or MAPTRACK_NONE */
	uint32_t maptrack_used;
	uint32_t release_cursor;
};

/* One mapping that this domain has of another's grant. */
struct maptrack {
	struct domain *granter; /* a reference; NULL: free */
	mfn_t frame;
	uint32_t ref;	/* if free: handle of the next free one */
	uint16_t flags; /* GNTMAP_* that are still in force */
	bool is_busy;	/* being mapped or unmapped */
	uint8_t pad;
};

#define MAPTRACK_PER_PAGE (PAGE_SIZE / sizeof(struct maptrack))
#define MAPTRACK_NONE	  (~0U)

static inline uint32_t grant_status_frames(uint32_t frames)
{
	return DIV_ROUND_UP(frames * GRANT_V2_PER_PAGE, GRANT_STATUS_PER_PAGE);
}

/* gt->lock held for all of these. */
static inline uint32_t grant_nr_entries(const struct grant_table *gt)
{
	return gt->nr_frames * (gt->version == 1 ? GRANT_V1_PER_PAGE : GRANT_V2_PER_PAGE);
}

static inline struct grant_active *grant_active(const struct grant_table *gt, uint32_t ref)
{
	return &gt->active[ref / GRANT_ACTIVE_PER_PAGE][ref % GRANT_ACTIVE_PER_PAGE];
}

static inline struct grant_entry_v1 *grant_entry_v1(const struct grant_table *gt, uint32_t ref)
{
	return (struct grant_entry_v1 *)gt->shared[ref / GRANT_V1_PER_PAGE] +
	       ref % GRANT_V1_PER_PAGE;
}

static inline union grant_entry_v2 *grant_entry_v2(const struct grant_table *gt, uint32_t ref)
{
	return (union grant_entry_v2 *)gt->shared[ref / GRANT_V2_PER_PAGE] +
	       ref % GRANT_V2_PER_PAGE;
}

static inline grant_status_t *grant_status(const struct grant_table *gt, uint32_t ref)
{
	return gt->status[ref / GRANT_STATUS_PER_PAGE] + ref % GRANT_STATUS_PER_PAGE;
}

static inline bool grant_is_active(const struct grant_table *gt, uint32_t ref)
{
	const struct grant_active *act = grant_active(gt, ref);

	return act->readers || act->writers;
}

/* --- table.c --- */
/* 0, -EINVAL (beyond the limit), -ENOMEM; gt->lock held */
must_check int grant_table_grow(struct domain *d, struct grant_table *gt, uint32_t nr_frames);
must_check int grant_table_set_version(struct domain *d, unsigned int version);
/* GNTST_* */
must_check int16_t grant_table_swap(struct domain *d, uint32_t a, uint32_t b);

/* --- entry.c --- */
/* An entry in use by somebody: what to give to grant_release. */
struct grant_hold {
	struct domain *granter; /* the caller's reference */
	uint32_t ref;
	bool is_write;
	/* of the frame */
	uint64_t frame;
	uint16_t offset, length;
};

/*
 * Begins a use of d's entry by `user`: GNTST_okay, or why not.  for_map: only
 * whole pages.  The frame is as the guest wrote it: not yet known to be its.
 */
must_check int16_t grant_acquire(struct domain *d, uint32_t ref, domid_t user, bool is_write,
				 bool for_map, struct grant_hold *hold);
void grant_release(const struct grant_hold *hold);
/* Is this held entry transitive, and what for? */
bool grant_hold_is_transitive(const struct grant_hold *hold, domid_t *domid, uint32_t *ref);

/* --- map.c, copy.c: batches; see ops.c for what they return --- */
long grant_map_batch(void *guest, uint32_t count, uint32_t *done);
long grant_unmap_batch(void *guest, uint32_t count, uint32_t *done);
long grant_unmap_replace_batch(void *guest, uint32_t count, uint32_t *done);
long grant_copy_batch(void *guest, uint32_t count, uint32_t *done);

#endif
