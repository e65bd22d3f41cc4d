/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: where everything goes in a PV domain at its start, as the comment "Start-
 * of-day memory layout" in xen/xen.h demands. Arithmetic on numbers; no hypervisor is involved.
 *
 *   pfn 0                                          mapped_end                         nr_pages
 *   | gap | kernel | (ramdisk) | (p2m) | start_info | store | console | tables | stack | pad |
 *                                                             | p2m tables | p2m | ramdisk | ...
 *   Pieces in brackets lie inside the mapped region, at virt_base + pfn * 4 KiB, when the kernel
 *   has not the notes INIT_P2M and MOD_START_PFN; else behind it, the p2m list mapped at init_p2m.
 */
#ifndef ZENDO_BUILDER_PV_LAYOUT_H
#define ZENDO_BUILDER_PV_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/error.h"
#include "builder/kernel.h"
#include "hyp/abi.h"

#define PV_TABLE_ENTRIES 512

/*
 * A range of virtual addresses and the page tables that map it. Tables of one level are
 * consecutive in pfn, L3 first, then L2, then L1, so that the one for an address is found by
 * arithmetic.
 */
struct pv_region {
	uint64_t start; /* bytes, page-aligned; end is exclusive and at most 2^64 - 1 page */
	uint64_t pages;
	uint64_t l3_pfn, l2_pfn, l1_pfn;
	uint64_t nr_l3, nr_l2, nr_l1;
};

/* All in frames; a pfn is the guest's pseudo-physical number. */
struct pv_layout {
	uint64_t virt_base;
	uint64_t nr_pages;
	uint64_t kernel_pfn, kernel_end_pfn;
	uint64_t ramdisk_pfn, ramdisk_pages, ramdisk_bytes;
	uint64_t p2m_pfn, p2m_pages, p2m_vaddr;
	uint64_t p2m_tables_pfn, nr_p2m_tables; /* 0: the list is in the mapped region */
	uint64_t start_info_pfn, store_pfn, console_pfn;
	uint64_t tables_pfn, nr_tables; /* the first is the L4 */
	uint64_t stack_pfn;
	uint64_t mapped_end_pfn;
	struct pv_region region; /* the mapped region */
	struct pv_region p2m_region;
};

/*
 * Can this kernel run as a 64-bit PV guest, and where does all go in `nr_pages` of memory?
 * -ENOEXEC: not a PV kernel; -EBADMSG: its notes contradict its segments; -ERANGE: too little
 * memory, and the message says how much is needed.
 */
int pv_layout_plan(const char *name, const struct kernel_info *kernel, uint64_t ramdisk_bytes,
		   uint64_t nr_pages, struct pv_layout *layout, struct build_error *error);

static inline uint64_t pv_layout_vaddr(const struct pv_layout *layout, uint64_t pfn)
{
	return layout->virt_base + (pfn << HYP_PAGE_SHIFT);
}

/*
 * Fill in the start page tables: `tables` is memory for nr_tables frames, `p2m_tables` for
 * nr_p2m_tables (NULL when 0); p2m[] gives the machine frame of each pfn. Page-table frames come
 * out mapped read-only, everything else read-write.
 */
void pv_tables_fill(const struct pv_layout *layout, const xen_pfn_t *p2m, uint64_t *tables,
		    uint64_t *p2m_tables);

#endif
