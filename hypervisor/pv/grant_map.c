/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant mappings in a PV guest's own page tables: the entry is written here,
 * whose frame it is and why it may be mapped is grant/'s knowledge.
 */
#include "domain/domain.h"
#include "lib/errno.h"
#include "pv/pagetable.h"

#define AVAIL_BITS (7UL << 9)

/* The L1 entry that a grant operation names, its table open; *slot. */
static int entry_open(struct vcpu *v, uint64_t host_addr, bool by_pte, struct table *t,
		      unsigned int *slot)
{
	paddr_t p = host_addr;
	int ret;

	if (!by_pte && !pv_walk_l1(v, host_addr, &p))
		return -EINVAL;
	if (p % sizeof(uint64_t))
		return -EINVAL;
	ret = table_open(t, v->domain, paddr_to_mfn(p));
	if (ret)
		return ret;
	if (t->level != 1) {
		table_close(t);
		return -EINVAL;
	}
	*slot = p % PAGE_SIZE / sizeof(uint64_t);
	return 0;
}

int pv_grant_map(uint64_t host_addr, bool by_pte, mfn_t frame, bool writable, uint64_t avail_bits)
{
	uint64_t new = mfn_to_paddr(frame) | PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY |
		       (writable ? PTE_WRITE : 0) | (avail_bits & AVAIL_BITS);
	struct table t;
	unsigned int slot;
	uint64_t old;
	int ret = entry_open(current, host_addr, by_pte, &t, &slot);

	if (ret)
		return ret;
	old = READ_ONCE(t.entries[slot]);
	while (!pte_cmpxchg(&t.entries[slot], &old, new))
		;
	pte_put_l1(t.d, old);
	table_close(&t);
	return 0;
}

/* Takes the entry of new_addr, with its references, out of its place. */
static int entry_take(struct vcpu *v, uint64_t new_addr, uint64_t *entry)
{
	struct table t;
	unsigned int slot;
	int ret = entry_open(v, new_addr, false, &t, &slot);

	if (ret)
		return ret;
	*entry = __atomic_exchange_n(&t.entries[slot], 0, __ATOMIC_SEQ_CST);
	table_close(&t);
	return 0;
}

static bool entry_maps(uint64_t entry, mfn_t frame, bool writable)
{
	return (entry & PTE_PRESENT) && mfn_equal(paddr_to_mfn(entry & PTE_ADDR_MASK), frame) &&
	       !(entry & PTE_WRITE) == !writable;
}

int pv_grant_unmap(uint64_t host_addr, bool by_pte, mfn_t frame, bool writable, uint64_t new_addr)
{
	struct vcpu *v = current;
	struct table t;
	unsigned int slot;
	uint64_t old, new = 0;
	int ret = entry_open(v, host_addr, by_pte, &t, &slot);

	if (ret)
		return ret;
	old = READ_ONCE(t.entries[slot]);
	if (!entry_maps(old, frame, writable))
		ret = -EINVAL;
	else if (new_addr)
		ret = entry_take(v, new_addr, &new);
	if (ret)
		goto close;
	while (!pte_cmpxchg(&t.entries[slot], &old, new)) {
		if (entry_maps(old, frame, writable))
			continue;
		/* another vCPU was faster; what was to move here is dropped */
		pte_put_l1(t.d, new);
		ret = -EINVAL;
		break;
	}
close:
	table_close(&t);
	return ret;
}
