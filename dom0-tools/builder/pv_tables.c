/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page tables that a PV domain starts on. Entries hold machine frames; the hypervisor checks
 * them all when the L4 is pinned. Bits as in the AMD64 manual, volume 2, "Page-Translation-Table
 * Entry Fields". PV kernels set no user bit in L1 entries of their own; the hypervisor adds it.
 */
#include <string.h>

#include "builder/pv_layout.h"

#define PTE_PRESENT  0x001UL
#define PTE_WRITE    0x002UL
#define PTE_USER     0x004UL
#define PTE_ACCESSED 0x020UL
#define PTE_DIRTY    0x040UL

#define TABLE_BITS   (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define PAGE_BITS    (PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY)

/* Tables being filled: memory of those from `first_pfn` on, and the list of machine frames. */
struct filler {
	const struct pv_layout *layout;
	const xen_pfn_t *p2m;
	uint64_t *memory;
	uint64_t first_pfn;
};

static uint64_t *table_at(const struct filler *filler, uint64_t pfn)
{
	return filler->memory + (pfn - filler->first_pfn) * PV_TABLE_ENTRIES;
}

static bool is_table(const struct pv_layout *layout, uint64_t pfn)
{
	return (pfn >= layout->tables_pfn && pfn < layout->tables_pfn + layout->nr_tables) ||
	       (pfn >= layout->p2m_tables_pfn &&
		pfn < layout->p2m_tables_pfn + layout->nr_p2m_tables);
}

/* Enter `nr` tables, the first of which maps `start` and is `pfn`, in those of the level above. */
static void link_tables(const struct filler *filler, uint64_t *above, uint64_t start,
			unsigned int shift, uint64_t pfn, uint64_t nr)
{
	uint64_t index = start >> shift & (PV_TABLE_ENTRIES - 1);

	for (uint64_t i = 0; i < nr; i++)
		above[index + i] = (uint64_t)filler->p2m[pfn + i] << HYP_PAGE_SHIFT | TABLE_BITS;
}

/* The frames from `target_pfn` on appear at region->start; `l4` gets the region's L3 tables. */
static void fill_region(const struct filler *filler, const struct pv_region *region, uint64_t *l4,
			uint64_t target_pfn)
{
	uint64_t first = region->start >> HYP_PAGE_SHIFT & (PV_TABLE_ENTRIES - 1);
	uint64_t *l1 = table_at(filler, region->l1_pfn);

	/* Consecutive tables of one level are one long array of entries. */
	link_tables(filler, l4, region->start, 39, region->l3_pfn, region->nr_l3);
	link_tables(filler, table_at(filler, region->l3_pfn), region->start, 30, region->l2_pfn,
		    region->nr_l2);
	link_tables(filler, table_at(filler, region->l2_pfn), region->start, 21, region->l1_pfn,
		    region->nr_l1);
	for (uint64_t i = 0; i < region->pages; i++) {
		uint64_t pfn = target_pfn + i;

		l1[first + i] = (uint64_t)filler->p2m[pfn] << HYP_PAGE_SHIFT | PAGE_BITS |
				(is_table(filler->layout, pfn) ? 0 : PTE_WRITE);
	}
}

void pv_tables_fill(const struct pv_layout *layout, const xen_pfn_t *p2m, uint64_t *tables,
		    uint64_t *p2m_tables)
{
	struct filler main = {
		.layout = layout,
		.p2m = p2m,
		.memory = tables,
		.first_pfn = layout->tables_pfn,
	};
	struct filler list = main;

	memset(tables, 0, layout->nr_tables * HYP_PAGE_SIZE);
	fill_region(&main, &layout->region, tables, 0);
	if (layout->nr_p2m_tables == 0)
		return;
	memset(p2m_tables, 0, layout->nr_p2m_tables * HYP_PAGE_SIZE);
	list.memory = p2m_tables;
	list.first_pfn = layout->p2m_tables_pfn;
	fill_region(&list, &layout->p2m_region, tables, layout->p2m_pfn);
}
