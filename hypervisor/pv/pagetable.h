/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables of PV guests, as the files of the MMU (and mm/page_type.c)
 * share them: which entries a guest may have, what references an entry
 * holds, and how an entry of a live table is changed.
 *
 * An entry of level 2..4 holds a general and a type reference (of the level
 * below) to its frame; an L1 entry a general one and, if it is writable, a
 * PAGE_WRITABLE one; one that maps I/O memory holds none.
 */
#ifndef PV_PAGETABLE_H
#define PV_PAGETABLE_H

#include "domain/domain.h"
#include "lib/errno.h"
#include "mm/pte.h"

/* Entries of L4s that are ours in every guest. */
static inline bool l4_slot_is_hyp(unsigned int slot)
{
	return slot - HYP_SLOT_FIRST < HYP_SLOT_COUNT;
}

/* Is [addr, addr+size) in the guest's part of the address space? */
static inline bool linear_is_guest(uint64_t addr, uint64_t size)
{
	uint64_t last = addr + size - 1;

	if (last < addr)
		return false;
	if (addr < 1UL << 47)
		return last < 1UL << 47;
	return addr >= DIRECTMAP_END;
}

/*
 * Entries [*progress, 512) of a table that is becoming `type` take their
 * references: 0, -EINVAL, or -ERESTART if preemptible.  *progress then tells
 * how many hold theirs.  PAGE_SEGDESC: checks the descriptors.
 */
must_check int pv_table_validate(struct domain *d, struct page *pg, enum page_type type,
				 unsigned int *progress, bool preemptible);
/* The reverse, downwards to 0: 0 or -ERESTART. */
must_check int pv_table_undo(struct domain *d, struct page *pg, enum page_type type,
			     unsigned int *progress, bool preemptible);

/*
 * One entry's references; `entry` is given its final form (pte_get) or was in
 * force (pte_put).  `owner`: whose frames may be mapped, d itself or the
 * foreign domain an mmu_update named.
 */
must_check int pte_get_l1(struct domain *d, struct domain *owner, uint64_t *entry);
void pte_put_l1(struct domain *d, uint64_t entry);
must_check int pte_get_upper(struct domain *d, unsigned int level, uint64_t *entry,
			     bool preemptible);

/*
 * A frame whose entries are about to be changed, held by a reference and a
 * reference of its present type.  level 0: not a page table, just writable
 * memory of the domain.
 */
struct table {
	struct page *pg;
	mfn_t mfn;
	unsigned int level;
	uint64_t *entries;
	struct domain *d; /* that it belongs to */
};

/* 0 or -EINVAL */
must_check int table_open(struct table *t, struct domain *d, mfn_t mfn);
void table_close(struct table *t);

/*
 * If the entry holds *old, replaces it by `val` as far as the rules allow:
 * 0; -EAGAIN with *old updated; -EINVAL; -ERESTART (interrupted, call again).
 * References of what it held are dropped, perhaps later (pv_drop_later).
 */
must_check int table_replace(const struct table *t, unsigned int slot, struct domain *owner,
			     uint64_t *old, uint64_t val);
/* Whatever it holds; `keep`: bits of the old entry to keep. */
static inline must_check int table_write(const struct table *t, unsigned int slot,
					 struct domain *owner, uint64_t val, uint64_t keep)
{
	uint64_t old = READ_ONCE(t->entries[slot]);
	int ret;

	do {
		ret = table_replace(t, slot, owner, &old, val | (old & keep));
	} while (unlikely(ret == -EAGAIN));
	return ret;
}

/*
 * Drops a type and a general reference to a table.  If that is long work the
 * current vCPU keeps them, and every MMU hypercall of its begins with
 * pv_drop_pending: 0 when nothing is left, -ERESTART.
 */
void pv_drop_table(struct page *pg);
must_check int pv_drop_pending(struct vcpu *v);
static inline bool pv_has_pending(const struct vcpu *v)
{
	return v->pv.nr_pending;
}

/*
 * The domain whose frames a hypercall's domid argument means, to be put by
 * pv_owner_put: 0, -ESRCH, -EPERM.  dom_io and dom_xen are privileged callers' only.
 */
must_check int pv_owner_get(domid_t id, struct domain **out);
void pv_owner_put(struct domain *d);

/* The machine address of the L1 entry that maps va in the vCPU's kernel page tables. */
must_check bool pv_walk_l1(const struct vcpu *v, uint64_t va, paddr_t *l1e_paddr);

/* Descriptors: false if a guest may not have it; fixed up in place else. (desc.c) */
must_check bool descriptor_check(uint64_t *desc);

#endif
