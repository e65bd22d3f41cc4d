/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every domain has of memory management, and the machine-to-physical
 * table.  Page typing of PV guests is pv/'s, the allocator mm/alloc.h's.
 */
#ifndef MM_MM_H
#define MM_MM_H

#include "lib/spinlock.h"
#include "mm/page.h"

struct memory_region;

struct mm_domain {
	struct spinlock page_lock; /* below: */
	uint32_t page_list;        /* first frame of the list of frames it owns, by page->next */
	uint64_t tot_pages;
	uint64_t max_pages;
	uint64_t claimed;           /* also under the allocator's lock */
	uint64_t relinquish_cursor; /* the frame to go on with; 0: not begun, ~0: done */

	struct spinlock map_lock;   /* below: */
	struct memory_region *map;  /* by XENMEM_set_memory_map; NULL: none */
	unsigned int nr_map;
};

/* The guest frame number that a machine frame holds (slot 256, shown to guests). */
#define M2P_INVALID ~0UL
uint64_t m2p_get(mfn_t mfn);
/* Ignores frames that are not RAM. */
void m2p_set(mfn_t mfn, uint64_t gfn);

/* Boot: hypervisor page tables, frame table, m2p, allocator, from the RAM map. */
struct boot_info;
init_text void mm_init(struct boot_info *bi);
/* When no init code runs any more: gives its memory back. */
void mm_init_done(void);

/* Device memory, uncached, at IOMAP; NULL when out of room.  Never unmapped. */
must_check void *iomap(paddr_t p, size_t size);
/* In the per-CPU area of `cpu`: map one page (or clear it), read-write or read-execute. */
enum map_kind { MAP_NONE, MAP_RW, MAP_RO, MAP_RX };
must_check int cpuarea_map(unsigned int cpu, uint64_t offset, mfn_t mfn, enum map_kind kind);
/* The already existing L1 entries of a CPU's GDT and LDT windows (32 of them). */
uint64_t *cpuarea_gdt_ptes(unsigned int cpu);

/* The hypervisor's own L4: what idle CPUs run on, and what guests' L4s take slots 256..271 from. */
extern uint64_t hyp_l4[512];

/* HYPERVISOR_memory_op */
long hypercall_memory_op(const uint64_t *args);

/*
 * Domain teardown: gives back every frame; 0, or -ERESTART when preempted
 * (call again), with all PV types dropped first.
 */
must_check int mm_domain_relinquish(struct domain *d);
must_check int mm_domain_init(struct domain *d);

#endif
