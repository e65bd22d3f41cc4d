/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_mmu_update: batches of entry changes, in tables of any level and
 * in the machine-to-physical table; and the references that a change leaves
 * to be dropped later.
 */
#include "domain/domain.h"
#include "hvm/p2m.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "mm/mm.h"
#include "pv/mmuext.h"
#include "pv/pagetable.h"

/* In `count`: this is a continuation, *pdone has been begun. */
#define MMU_UPDATE_PREEMPTED (1U << 31)
#define MMU_UPDATE_COMMANDS  3UL

#define BATCH		     32

/* --- dropping tables --- */

void pv_drop_table(struct page *pg)
{
	struct vcpu *v = current;
	bool can_wait = v && v->pv.nr_pending < ARRAY_SIZE(v->pv.pending);

	if (page_put_type(pg, can_wait)) {
		v->pv.pending[v->pv.nr_pending++] = pg;
		return;
	}
	page_put(pg);
}

int pv_drop_pending(struct vcpu *v)
{
	while (v->pv.nr_pending) {
		struct page *pg = v->pv.pending[v->pv.nr_pending - 1];

		if (page_put_type(pg, true))
			return -ERESTART;
		v->pv.nr_pending--;
		page_put(pg);
	}
	return 0;
}

/* --- whose frames, whose tables --- */

int pv_owner_get(domid_t id, struct domain **out)
{
	if (id == DOMID_SELF || id == current->domain->id) {
		*out = current->domain; /* which lives as long as it is running */
		return 0;
	}
	if (id == DOMID_IO || id == DOMID_XEN) {
		if (!current->domain->is_privileged)
			return -EPERM;
		*out = id == DOMID_IO ? &dom_io : &dom_xen;
		return 0;
	}
	return domain_get_controlled(id, out);
}

void pv_owner_put(struct domain *d)
{
	if (d != current->domain && d != &dom_io && d != &dom_xen)
		domain_put(d);
}

/* The hypercall's fourth argument: FD in bits 0..15, PFD + 1 in bits 16..31 (xen.h). */
static int domains_get(uint32_t arg, struct domain **tables, struct domain **frames)
{
	int ret = pv_owner_get(arg >> 16 ? (arg >> 16) - 1 : DOMID_SELF, tables);

	if (ret)
		return ret;
	ret = pv_owner_get(arg, frames);
	if (ret)
		pv_owner_put(*tables);
	return ret;
}

/* --- the batch --- */

struct batch {
	struct domain *tables, *frames;
	struct table table; /* the one the last entry was in; table.pg NULL: none */
};

static int update_entry(struct batch *b, const struct mmu_update *u, uint64_t val, uint64_t keep)
{
	paddr_t p = u->ptr & ~MMU_UPDATE_COMMANDS;
	mfn_t mfn = paddr_to_mfn(p);

	if (p & (sizeof(uint64_t) - 1))
		return -EINVAL;
	if (!b->table.pg || !mfn_equal(b->table.mfn, mfn)) {
		int ret;

		if (b->table.pg)
			table_close(&b->table);
		ret = table_open(&b->table, b->tables, mfn);
		if (ret) {
			b->table.pg = NULL;
			return ret;
		}
	}
	return table_write(&b->table, p % PAGE_SIZE / sizeof(uint64_t), b->frames, val, keep);
}

/* An entry that maps a translated domain's frame, by the number that domain knows it by. */
static int update_translated(struct batch *b, const struct mmu_update *u, uint64_t keep)
{
	uint64_t frame = (u->val & PTE_ADDR_MASK) >> PAGE_SHIFT;
	struct page *pg;
	int ret;

	if (!(u->val & PTE_PRESENT))
		return update_entry(b, u, u->val, keep);
	pg = page_get_guest_frame(b->frames, frame, false);
	if (!pg)
		return -EINVAL;
	ret = update_entry(b, u, (u->val & ~PTE_ADDR_MASK) | mfn_to_paddr(page_to_mfn(pg)), keep);
	page_put(pg);
	return ret;
}

static int update_m2p(struct domain *frames, const struct mmu_update *u)
{
	mfn_t mfn = paddr_to_mfn(u->ptr);
	/* of a translated domain it is the p2m's */
	struct page *pg = frames->type == DOMAIN_HVM ? NULL : page_get_mfn(mfn, frames);

	if (!pg)
		return -EINVAL;
	m2p_set(mfn, u->val);
	page_put(pg);
	return 0;
}

static int update_one(struct batch *b, const struct mmu_update *u)
{
	unsigned int cmd = u->ptr & MMU_UPDATE_COMMANDS;
	uint64_t keep = cmd == MMU_PT_UPDATE_PRESERVE_AD ? PTE_ACCESSED | PTE_DIRTY : 0;

	if (cmd == MMU_MACHPHYS_UPDATE)
		return update_m2p(b->frames, u);
	if (unlikely(b->frames->type == DOMAIN_HVM) && cmd != MMU_PT_UPDATE_NO_TRANSLATE)
		return update_translated(b, u, keep);
	return update_entry(b, u, u->val, keep);
}

/*
 * As many of `count` requests as there are before an error or a preemption;
 * *done counts them.  -ERESTART: there is more to do.
 */
static int update_all(struct batch *b, const struct mmu_update *guest, unsigned int count,
		      unsigned int *done)
{
	struct mmu_update requests[BATCH];
	unsigned int have = 0, i = 0;
	int ret;

	for (*done = 0; *done < count; ++*done) {
		if (i == have) {
			/* between blocks, but never before anything was done */
			if (*done && hypercall_preempt_check())
				return -ERESTART;
			i = 0;
			have = MIN(count - *done, BATCH);
			/* one at a time where the block does not end in the guest's memory */
			if (copy_in(requests, guest + *done, have * sizeof(*requests)))
				have = 1;
			if (have == 1 && copy_in(requests, guest + *done, sizeof(*requests)))
				return -EFAULT;
		}
		ret = update_one(b, &requests[i++]);
		if (unlikely(ret))
			return ret;
		if (unlikely(pv_has_pending(current))) {
			++*done;
			return -ERESTART;
		}
	}
	return 0;
}

int pv_done_store(void *pdone, bool is_continuation, unsigned int done)
{
	unsigned int before = 0;

	if (!pdone)
		return 0;
	if (is_continuation && copy_in(&before, pdone, sizeof(before)))
		return -EFAULT;
	done += before;
	return copy_out(pdone, &done, sizeof(done));
}

static long update_continue(const uint64_t *args, uint64_t guest, unsigned int count)
{
	uint64_t again[4] = {guest, count | MMU_UPDATE_PREEMPTED, args[2], args[3]};

	return hypercall_continue(__HYPERVISOR_mmu_update, again, 4);
}

long hypercall_mmu_update(const uint64_t *args)
{
	const struct mmu_update *guest = (const void *)args[0];
	unsigned int count = (uint32_t)args[1] & ~MMU_UPDATE_PREEMPTED, done;
	bool is_continuation = (uint32_t)args[1] & MMU_UPDATE_PREEMPTED;
	struct batch b = {.table.pg = NULL};
	int ret;

	if (pv_drop_pending(current))
		return hypercall_continue(__HYPERVISOR_mmu_update, args, 4);
	ret = domains_get(args[3], &b.tables, &b.frames);
	if (ret) {
		/* a caller that skips what failed goes on from this count: it must not be an old
		 * one */
		if (pv_done_store((void *)args[2], is_continuation, 0))
			return -EFAULT;
		return ret;
	}
	ret = update_all(&b, guest, count, &done);
	if (b.table.pg)
		table_close(&b.table);
	pv_owner_put(b.frames);
	pv_owner_put(b.tables);

	if (pv_done_store((void *)args[2], is_continuation, done))
		ret = ret && ret != -ERESTART ? ret : -EFAULT;
	if (ret == -ERESTART)
		return update_continue(args, (uint64_t)(guest + done), count - done);
	return ret;
}
