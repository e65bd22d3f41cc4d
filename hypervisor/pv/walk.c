/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks of a guest's page tables by software, and which CPUs may hold
 * translations of a domain.  A walk takes no references: other vCPUs may
 * change what it passes through, so it trusts nothing but that a frame is
 * RAM, and its user checks the table it ends in (table_open).
 */
#include "domain/domain.h"
#include "mm/mm.h"
#include "pv/pagetable.h"

/* The machine address and the content of the L1 entry of va; 0 where a table is missing. */
static paddr_t walk(mfn_t top, uint64_t va, uint64_t *entry)
{
	mfn_t table = top;

	for (unsigned int level = 4;; level--) {
		const uint64_t *entries = mfn_to_virt(table);
		unsigned int index = pte_index(va, level);

		*entry = READ_ONCE(entries[index]);
		if (level == 1)
			return mfn_to_paddr(table) + index * sizeof(*entries);
		table = paddr_to_mfn(*entry & PTE_ADDR_MASK);
		if (!(*entry & PTE_PRESENT) || !mfn_is_ram(table))
			return 0;
	}
}

bool pv_walk_l1(const struct vcpu *v, uint64_t va, paddr_t *l1e_paddr)
{
	uint64_t entry;

	if (!linear_is_guest(va, 1) || !v->pv.kernel_l4)
		return false;
	*l1e_paddr = walk(page_to_mfn(v->pv.kernel_l4), va, &entry);
	return *l1e_paddr;
}

bool pv_walk(struct vcpu *v, uint64_t va, uint64_t *l1e, paddr_t *l1e_paddr)
{
	const struct page *l4 = v->pv.in_kernel ? v->pv.kernel_l4 : v->pv.user_l4;

	if (!linear_is_guest(va, 1) || !l4)
		return false;
	*l1e_paddr = walk(page_to_mfn(l4), va, l1e);
	return *l1e_paddr && (*l1e & PTE_PRESENT);
}
