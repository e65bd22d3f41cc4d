/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: copying a kernel and a ramdisk into a domain's memory. Knows frames, not
 * what kind of guest they are for.
 */
#ifndef ZENDO_BUILDER_LOAD_H
#define ZENDO_BUILDER_LOAD_H

#include <stdint.h>

#include "builder/error.h"
#include "builder/kernel.h"
#include "builder/ramdisk.h"
#include "hyp/abi.h"

struct hyp;

#define LOAD_PAGES_MAX 8192u /* at most so many frames are mapped at a time: 32 MiB */

struct loader {
	struct hyp *hyp;
	domid_t domid;
	const xen_pfn_t *p2m; /* what to map for each pseudo-physical frame; NULL: the same */
	struct build_error *error;
};

/*
 * Put the segments at (paddr - paddr_offset), with zeros up to their size in memory. The layout
 * has made sure that they fit in p2m[].
 */
int load_kernel(const struct loader *loader, const struct kernel_info *kernel,
		uint64_t paddr_offset);
/* Map `nr` frames read-write; unmap with hyp_foreign_unmap(). At most LOAD_PAGES_MAX. */
int load_map_frames(const struct loader *loader, uint64_t pfn, uint64_t nr, void **map);
/* The ramdisk from `pfn` on; the rest of its last page becomes zeros. */
int load_ramdisk(const struct loader *loader, const struct ramdisk *ramdisk, uint64_t pfn);

#endif
