/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzhyp: a domain's memory. Reservation (xen/memory.h), PV page tables seen from outside
 * (xen/xen.h, mmuext_op), and maps of another domain's frames and resources into this process.
 * See hyp/hyp.h for the rules. Frames are 4 KiB.
 */
#ifndef ZENDO_HYP_MEMORY_H
#define ZENDO_HYP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hyp/abi.h"

struct hyp;

/*
 * Give `domid` `nr` extents of 2^order frames. extents[] holds the first pseudo-physical frame of
 * each and is overwritten with the machine frame; the hypervisor's machine-to-physical table is
 * updated on the way (memory.h, XENMEM_populate_physmap). Returns the number of extents allocated,
 * which is less than `nr` when the hypervisor has no more memory, no extent of that order, or the
 * domain is at its ceiling; or -E.
 */
long hyp_memory_populate(struct hyp *hyp, domid_t domid, unsigned int order, unsigned long nr,
			 xen_pfn_t *extents);

/* Reserve machine memory for the domain so that populating cannot run short; 0 lifts the claim. */
int hyp_memory_claim(struct hyp *hyp, domid_t domid, unsigned long pages);

/* One entry of the memory map, as BIOS INT 15h E820 gives it: addresses in bytes, type 1 = RAM. */
struct hyp_memory_range {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
} __attribute__((packed));

int hyp_memory_set_map(struct hyp *hyp, domid_t domid, const struct hyp_memory_range *map,
		       unsigned int nr);
/* Highest machine frame of RAM, or -E. */
long hyp_memory_get_max_frame(struct hyp *hyp);
/* Where the machine-to-physical table is in a PV guest's address space. */
int hyp_memory_get_machphys(struct hyp *hyp, struct xen_machphys_mapping *mapping);

/* Make the page table rooted at `mfn`, of the given level (1 to 4), valid and keep it so. */
int hyp_mmu_pin_table(struct hyp *hyp, domid_t domid, unsigned int level, xen_pfn_t mfn);
int hyp_mmu_unpin_table(struct hyp *hyp, domid_t domid, xen_pfn_t mfn);
/* Zero frames of a domain without mapping them here. */
int hyp_mmu_clear_frames(struct hyp *hyp, domid_t domid, const xen_pfn_t *mfns, unsigned long nr);

/*
 * Batched mmu_update (xen.h): `updates` are (machine address | MMU_ command, value) pairs;
 * `domid` owns the tables or frames. Returns 0, or -E from the first that was refused, when *done
 * (may be NULL) tells how many before it were made.
 */
int hyp_mmu_update(struct hyp *hyp, domid_t domid, const struct mmu_update *updates,
		   unsigned int nr, unsigned int *done);

/*
 * Map `nr` frames of `domid` one after another. `prot` is PROT_READ with or without PROT_WRITE.
 * All or nothing: when any frame cannot be mapped, its error comes back and nothing stays mapped.
 * The frames stay referenced, and a destroyed domain stays a zombie, until hyp_foreign_unmap().
 */
int hyp_foreign_map(struct hyp *hyp, domid_t domid, int prot, const xen_pfn_t *frames,
		    unsigned long nr, void **addr);
void hyp_foreign_unmap(void *addr, unsigned long nr);

/*
 * Map part of a domain's resource: XENMEM_resource_* and its id, `nr` frames from `first` on.
 * -EOPNOTSUPP or -ENOTTY: kernel or hypervisor does not know how. Unmap with hyp_foreign_unmap().
 */
int hyp_resource_map(struct hyp *hyp, domid_t domid, uint32_t type, uint32_t id, uint64_t first,
		     unsigned long nr, int prot, void **addr);

/*
 * Write version-1 grant entries into the table of another domain, before it first runs: entry
 * `ref` lets `to` map `frame` read-write. Through the resource map, or GNTTABOP_setup_table where
 * that is missing.
 */
struct hyp_grant {
	uint32_t ref;
	domid_t to;
	uint32_t frame;
};

int hyp_grant_seed(struct hyp *hyp, domid_t domid, const struct hyp_grant *grants, unsigned int nr);

#endif
