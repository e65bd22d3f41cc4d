/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's page tables: hyp_l4, of which every PV guest's L4 has the
 * same sixteen entries.  These point to sixteen L3s that are never replaced,
 * so a change below them is seen by all at once.  Also the two regions that
 * grow while it runs: device memory and the CPUs' areas.
 */
#include "mm/hyp_map.h"

#include "cpu/features.h"
#include "lib/cpumask.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/spinlock.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "mm/pte.h"

uint64_t hyp_l4[PTES_PER_TABLE] aligned_to(4096);

static void *(*table_alloc)(void) = hyp_page_alloc_zeroed;

static struct spinlock map_lock; /* the tables of the growing regions, and: */
static uint64_t iomap_next = IOMAP_START;

static uint64_t *table_of(uint64_t entry)
{
	return paddr_to_virt(entry & PTE_ADDR_MASK);
}

void hyp_map_init(void *(*alloc)(void))
{
	table_alloc = alloc;
	for (unsigned int i = HYP_SLOT_FIRST; i < HYP_SLOT_FIRST + HYP_SLOT_COUNT; i++) {
		void *l3 = table_alloc();

		if (!l3)
			panic("no memory for the page tables");
		hyp_l4[i] = virt_to_paddr(l3) | PTE_TABLE;
	}
	/* the one region that guests read */
	hyp_l4[pte_index(M2P_START, 4)] |= PTE_USER;
}

void hyp_map_init_done(void)
{
	table_alloc = hyp_page_alloc_zeroed;
}

uint64_t *hyp_map_entry(uint64_t va, unsigned int level)
{
	uint64_t *table = hyp_l4;
	uint64_t user = va < M2P_END ? PTE_USER : 0;

	for (unsigned int l = 4; l > level; l--) {
		uint64_t *entry = &table[pte_index(va, l)];

		if (!(*entry & PTE_PRESENT)) {
			void *fresh = table_alloc();

			if (!fresh)
				return NULL;
			WRITE_ONCE(*entry, virt_to_paddr(fresh) | PTE_TABLE | user);
		}
		ASSERT(!(*entry & PTE_LARGE));
		table = table_of(*entry);
	}
	return &table[pte_index(va, level)];
}

bool hyp_map_is_present(uint64_t va)
{
	uint64_t *table = hyp_l4;

	for (unsigned int l = 4;; l--) {
		uint64_t entry = table[pte_index(va, l)];

		if (!(entry & PTE_PRESENT))
			return false;
		if (l == 1 || (l < 4 && entry & PTE_LARGE))
			return true;
		table = table_of(entry);
	}
}

static unsigned int level_that_fits(uint64_t va, paddr_t p, uint64_t size)
{
	for (unsigned int level = cpu_features.has_1g_pages ? 3 : 2; level > 1; level--)
		if (!((va | p) & (pte_span(level) - 1)) && size >= pte_span(level))
			return level;
	return 1;
}

int hyp_map_range(uint64_t va, paddr_t p, uint64_t size, uint64_t flags)
{
	while (size) {
		unsigned int level = level_that_fits(va, p, size);
		uint64_t *entry = hyp_map_entry(va, level);

		if (!entry)
			return -ENOMEM;
		WRITE_ONCE(*entry, p | flags | (level > 1 ? PTE_LARGE : 0));
		va += pte_span(level);
		p += pte_span(level);
		size -= pte_span(level);
	}
	return 0;
}

void *iomap(paddr_t p, size_t size)
{
	paddr_t start = ROUND_DOWN(p, PAGE_SIZE);
	uint64_t length, va = 0;

	if (!size || p + size < p || p + size > (PTE_ADDR_MASK | (PAGE_SIZE - 1)))
		return NULL;
	length = ROUND_UP(p + size, PAGE_SIZE) - start;
	spin_lock(&map_lock);
	if (length <= IOMAP_END - iomap_next &&
	    !hyp_map_range(iomap_next, start, length, PTE_HYP_UC)) {
		va = iomap_next;
		iomap_next += length;
	}
	spin_unlock(&map_lock);
	return va ? (void *)(va + p % PAGE_SIZE) : NULL;
}

static const uint64_t map_kind_flags[] = {
	[MAP_NONE] = 0,
	[MAP_RW] = PTE_HYP_RW,
	[MAP_RO] = PTE_HYP_RO,
	[MAP_RX] = PTE_HYP_RX,
};

static uint64_t cpuarea_address(unsigned int cpu)
{
	return CPUAREA_START + cpu * CPUAREA_STRIDE;
}

int cpuarea_map(unsigned int cpu, uint64_t offset, mfn_t mfn, enum map_kind kind)
{
	uint64_t va = cpuarea_address(cpu) + offset, flags = map_kind_flags[kind];
	uint64_t *entry;
	bool was_present = false;

	if (cpu >= MAX_CPUS || offset >= CPUAREA_STRIDE)
		return -EINVAL;
	spin_lock(&map_lock);
	entry = hyp_map_entry(va, 1);
	if (entry) {
		was_present = *entry & PTE_PRESENT;
		WRITE_ONCE(*entry, flags ? mfn_to_paddr(mfn) | flags : 0);
	}
	spin_unlock(&map_lock);
	if (was_present)
		tlb_flush_page_local(va);
	return entry ? 0 : -ENOMEM;
}

uint64_t *cpuarea_gdt_ptes(unsigned int cpu)
{
	return hyp_map_entry(cpuarea_address(cpu) + CPUAREA_GDT, 1);
}
