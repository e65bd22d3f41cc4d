/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of a p2m's tables and the pool their pages come from, for the
 * p2m's own files.  Everything here is called under p2m.lock, unless it says
 * otherwise; references to mapped frames are p2m.c's.
 */
#ifndef HVM_P2M_TABLE_H
#define HVM_P2M_TABLE_H

#include "hvm/p2m.h"

#define P2M_LEVELS   4
#define P2M_GFN_BITS 36 /* what tables of 4 levels reach */

static inline uint64_t p2m_level_frames(unsigned int level)
{
	return 1UL << 9 * (level - 1);
}

/* A part of the tree that has been taken out: an entry of that level, 0 for nothing. */
struct p2m_cut {
	gfn_t gfn; /* of its first frame */
	uint64_t pte;
	unsigned int level;
};

/* The lowest entry there is for gfn, at `floor` or above, and its level. */
uint64_t *p2m_entry_find(const struct p2m *p, gfn_t gfn, unsigned int floor, unsigned int *level);
/*
 * The entry of that level, with the tables above made and larger leaves split;
 * NULL when the pool is empty, the tree then maps what it did.  *was_split is
 * set where translations must be flushed.
 */
must_check uint64_t *p2m_entry_make(struct p2m *p, gfn_t gfn, unsigned int level, bool *was_split);
/*
 * If gfn's entry of that level was the last of a table that now maps frames in
 * a row, a leaf of the level above replaces the table, which is put on *tables.
 */
void p2m_promote(struct p2m *p, gfn_t gfn, unsigned int level, uint32_t *tables);

/* For each leaf of a cut; needs no lock. */
typedef void (*p2m_leaf_fn)(struct domain *d, gfn_t gfn, uint64_t pte, unsigned int level);
void p2m_cut_each(struct domain *d, struct p2m_cut cut, p2m_leaf_fn fn);
/* Such a function: drops the references the entry holds, after the flush (p2m.c). */
void p2m_leaf_put(struct domain *d, gfn_t gfn, uint64_t pte, unsigned int level);
/* Its table pages go back to the pool; no CPU may know them any more. */
void p2m_cut_free(struct p2m *p, struct p2m_cut cut);
void p2m_tables_free(struct p2m *p, uint32_t tables); /* those of p2m_promote */

/* The root, from a pool that has a page: false if it has none. */
must_check bool p2m_root_make(struct p2m *p);
/* A page of the pool, free or in use, leaves it: NULL when there are none. */
void *p2m_pool_pop(struct p2m *p, bool also_used);
void p2m_pool_push(struct p2m *p, void *page);

#endif
