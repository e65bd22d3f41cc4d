/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PV guest of the fake machine for the tests of the MMU: its frames, a
 * small tree of page tables, the hypercalls as it would make them, and the
 * count of every reference there should be.
 */
#ifndef GUEST_H
#define GUEST_H

#include "fake.h"
#include "hypercall/hypercall.h"
#include "mm/alloc.h"
#include "mm/pte.h"
#include "pv/pagetable.h"
#include "pv/pv.h"

#define P  PTE_PRESENT
#define RW (PTE_PRESENT | PTE_WRITE)
#define US (PTE_PRESENT | PTE_WRITE | PTE_USER)

/* The tree maps this address: slots 1, 2, 3 and 4.. of L4, L3, L2, L1. */
#define GUEST_VA (1UL << 39 | 2UL << 30 | 3UL << 21 | 4UL << 12)

struct guest {
	struct domain *d;
	struct vcpu *v;
	struct page *l4, *l3, *l2, *l1, *data[4];
};

/*
 * A domain whose vCPU 0 runs on CPU `cpu` in its kernel, with tables that map
 * data[0] read-only and data[1] writable at GUEST_VA; nothing is pinned or
 * loaded yet.
 */
void guest_init(struct guest *g, domid_t id, unsigned int cpu);
/* Pins the L4 and loads it. */
void guest_start(struct guest *g);
/* All its tables gone, references checked to be zero. */
void guest_end(struct guest *g);

uint64_t mfn_of(const struct page *pg);
uint64_t pte_of(const struct page *pg, uint64_t flags);
uint64_t *entries_of(const struct page *pg);
/* The machine address of an entry. */
uint64_t entry_ma(const struct page *pg, unsigned int slot);

/* Hypercalls of the current vCPU, continued until they end. */
long guest_call(long (*fn)(const uint64_t *), uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);
long guest_mmu_update(uint64_t ptr, uint64_t val, uint32_t domains);
long guest_set_entry(const struct page *table, unsigned int slot, uint64_t val);
long guest_mmuext(unsigned int cmd, uint64_t arg1, uint64_t arg2);
long guest_mmuext_for(unsigned int cmd, uint64_t arg1, uint64_t arg2, domid_t id);
long guest_update_va(uint64_t va, uint64_t val, uint64_t flags);

/*
 * Counts every reference that tables, pins, vCPUs and interrupted work hold,
 * and compares with each frame's words; fails the test where they differ, or
 * where a frame is a table and mapped writable.
 */
void references_check(void);

#endif
