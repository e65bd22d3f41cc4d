/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a valid page table of a PV guest is.  Kernel and user of a 64-bit PV
 * guest both run in ring 3 and differ by their L4s, so every entry gets
 * PTE_USER; none is ever global, so that a CR3 load drops all of a guest's
 * translations.  Recursive tables, large pages and entries in the
 * hypervisor's slots are refused.
 */
#include "pv/pagetable.h"

#include "cpu/features.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/mm.h"

#define PTE_CACHE (PTE_PWT | PTE_PCD | PTE_PAT)
/* Bits 52..62 mean nothing to this CPU as we run it, and must not come to mean something. */
#define PTE_HIGH_AVAIL (0x7ffUL << 52)
#define L1_REFUSED     PTE_HIGH_AVAIL
#define UPPER_REFUSED  (PTE_HIGH_AVAIL | PTE_CACHE | PTE_GLOBAL)

static uint64_t pte_frame(uint64_t entry)
{
	return (entry & PTE_ADDR_MASK) >> PAGE_SHIFT;
}

/* --- L1 entries --- */

/* Cache attributes other than write-back are for those who drive devices. */
static bool domain_may_set_cache(struct domain *d)
{
	return d->is_privileged || !list_is_empty(&d->iomem.ranges);
}

static bool l1_flags_ok(struct domain *d, uint64_t entry)
{
	if (entry & L1_REFUSED)
		return false;
	return likely(!(entry & PTE_CACHE)) || domain_may_set_cache(d);
}

static uint64_t l1_adjust(uint64_t entry)
{
	return (entry | PTE_USER) & ~PTE_GLOBAL;
}

/* "The caller assumes the privilege of the FD; DOMID_IO: at that of the caller" (xen.h). */
static int io_frame_check(struct domain *d, struct domain *owner, uint64_t frame)
{
	if (frame >> (cpu_features.phys_bits - PAGE_SHIFT))
		return -EINVAL;
	if (!rangeset_contains(&d->iomem, frame, frame))
		return -EINVAL;
	if (owner != d && owner != &dom_io && !rangeset_contains(&owner->iomem, frame, frame))
		return -EINVAL;
	return 0;
}

int pte_get_l1(struct domain *d, struct domain *owner, uint64_t *entry)
{
	mfn_t mfn = MFN(pte_frame(*entry));
	struct page *pg;

	if (unlikely(!l1_flags_ok(d, *entry)))
		return -EINVAL;
	*entry = l1_adjust(*entry);
	if (unlikely(!mfn_is_ram(mfn)))
		return io_frame_check(d, owner, mfn.v);
	pg = mfn_to_page(mfn);
	if (unlikely(!page_get(pg, owner)))
		return -EINVAL;
	if ((*entry & PTE_WRITE) && unlikely(!page_get_writable(pg))) {
		page_put(pg);
		return -EINVAL;
	}
	return 0;
}

/* The frame of an entry, if it is RAM, and so has references. */
static struct page *pte_page(uint64_t entry)
{
	mfn_t mfn = MFN(pte_frame(entry));

	return likely(mfn_is_ram(mfn)) ? mfn_to_page(mfn) : NULL;
}

/*
 * Another domain does not flush our TLBs when its frame changes: what we map
 * of it must be gone from them before its references are.
 */
static bool page_is_foreign(const struct domain *d, const struct page *pg)
{
	return !page_is_owned_by(pg, d->id);
}

static void pte_drop_l1(struct page *pg, uint64_t entry)
{
	if (entry & PTE_WRITE)
		page_put_type(pg, false);
	page_put(pg);
}

void pte_put_l1(struct domain *d, uint64_t entry)
{
	struct page *pg;

	if (!(entry & PTE_PRESENT))
		return;
	pg = pte_page(entry);
	if (unlikely(!pg))
		return;
	if (unlikely(page_is_foreign(d, pg)))
		pv_flush_domain(d);
	pte_drop_l1(pg, entry);
}

static int l1_validate(struct domain *d, uint64_t *entries, unsigned int *progress)
{
	for (unsigned int i = *progress; i < PTES_PER_TABLE; i++) {
		uint64_t was = entries[i], entry = was;
		int ret;

		if (!(was & PTE_PRESENT))
			continue;
		ret = pte_get_l1(d, d, &entry);
		if (ret) {
			*progress = i;
			return ret;
		}
		if (entry != was)
			WRITE_ONCE(entries[i], entry);
	}
	return 0;
}

static void l1_undo(struct domain *d, const uint64_t *entries, unsigned int progress)
{
	bool is_flushed = false;

	while (progress--) {
		uint64_t entry = entries[progress];
		struct page *pg = entry & PTE_PRESENT ? pte_page(entry) : NULL;

		if (!pg)
			continue;
		/* nothing leads to this table any more: one flush does for all its entries */
		if (unlikely(!is_flushed && page_is_foreign(d, pg))) {
			pv_flush_domain(d);
			is_flushed = true;
		}
		pte_drop_l1(pg, entry);
	}
}

/* --- L2, L3, L4 entries --- */

int pte_get_upper(struct domain *d, unsigned int level, uint64_t *entry, bool preemptible)
{
	struct page *pg;
	int ret;

	if (*entry & UPPER_REFUSED)
		return -EINVAL;
	pg = page_get_mfn(MFN(pte_frame(*entry)), d);
	if (!pg)
		return -EINVAL;
	ret = page_get_type(pg, (enum page_type)(level - 1), preemptible);
	if (ret) {
		page_put(pg);
		return ret;
	}
	*entry |= PTE_USER;
	return 0;
}

static int upper_validate(struct domain *d, uint64_t *entries, unsigned int level,
			  unsigned int *progress, bool preemptible)
{
	for (unsigned int i = *progress; i < PTES_PER_TABLE; i++) {
		uint64_t was = entries[i], entry = was;
		int ret;

		if (!(was & PTE_PRESENT) || (level == 4 && l4_slot_is_hyp(i)))
			continue;
		ret = pte_get_upper(d, level, &entry, preemptible);
		if (ret) {
			*progress = i;
			return ret;
		}
		if (entry != was)
			WRITE_ONCE(entries[i], entry);
		if (preemptible && i + 1 < PTES_PER_TABLE && hypercall_preempt_check()) {
			*progress = i + 1;
			return -ERESTART;
		}
	}
	return 0;
}

static int upper_undo(const uint64_t *entries, unsigned int level, unsigned int *progress,
		      bool preemptible)
{
	while (*progress) {
		unsigned int i = *progress - 1;
		uint64_t entry = entries[i];
		struct page *pg;

		if (!(entry & PTE_PRESENT) || (level == 4 && l4_slot_is_hyp(i))) {
			*progress = i;
			continue;
		}
		pg = mfn_to_page(MFN(pte_frame(entry)));
		if (page_put_type(pg, preemptible))
			return -ERESTART;
		page_put(pg);
		*progress = i;
		if (preemptible && i && hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

/* --- whole tables --- */

static int descriptors_validate(uint64_t *descs)
{
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*descs); i++)
		if (!descriptor_check(&descs[i]))
			return -EINVAL;
	return 0;
}

int pv_table_validate(struct domain *d, struct page *pg, enum page_type type,
		      unsigned int *progress, bool preemptible)
{
	uint64_t *entries = page_to_virt(pg);
	int ret;

	switch (type) {
	case PAGE_L1:
		return l1_validate(d, entries, progress);
	case PAGE_L2:
	case PAGE_L3:
		return upper_validate(d, entries, type, progress, preemptible);
	case PAGE_L4:
		ret = upper_validate(d, entries, 4, progress, preemptible);
		if (!ret)
			memcpy(&entries[HYP_SLOT_FIRST], &hyp_l4[HYP_SLOT_FIRST],
			       HYP_SLOT_COUNT * sizeof(*entries));
		return ret;
	case PAGE_SEGDESC:
		*progress = 0;
		return descriptors_validate(entries);
	default:
		panic("no such table type: %u", type);
	}
}

int pv_table_undo(struct domain *d, struct page *pg, enum page_type type, unsigned int *progress,
		  bool preemptible)
{
	const uint64_t *entries = page_to_virt(pg);

	if (type == PAGE_L1)
		l1_undo(d, entries, *progress);
	else if (type <= PAGE_L4)
		return upper_undo(entries, type, progress, preemptible);
	*progress = 0;
	return 0;
}

/* --- changing an entry of a live table --- */

int table_open(struct table *t, struct domain *d, mfn_t mfn)
{
	struct page *pg = d->type == DOMAIN_PV ? page_get_mfn(mfn, d) : NULL;
	enum page_type type;

	if (!pg)
		return -EINVAL;
	type = page_get_present_type(pg);
	if (type == PAGE_NONE) {
		/* memory no one has mapped writable now is written all the same */
		if (!page_get_writable(pg)) {
			page_put(pg);
			return -EINVAL;
		}
		type = PAGE_WRITABLE;
	}
	/* frames that are shared read-only have a writable count of our own */
	if (type == PAGE_WRITABLE && READ_ONCE(pg->count) & PAGE_F_NO_WRITE) {
		page_put_type(pg, false);
		page_put(pg);
		return -EINVAL;
	}
	t->pg = pg;
	t->mfn = mfn;
	t->level = type == PAGE_WRITABLE ? 0 : type;
	t->entries = page_to_virt(pg);
	t->d = d;
	return 0;
}

void table_close(struct table *t)
{
	pv_drop_table(t->pg);
	t->pg = NULL;
}

static int replace_l1(const struct table *t, uint64_t *entry, struct domain *owner, uint64_t *old,
		      uint64_t val)
{
	uint64_t was = *old;
	struct page *pg;
	int ret;

	if (!(val & PTE_PRESENT)) {
		if (!pte_cmpxchg(entry, old, val))
			return -EAGAIN;
		pte_put_l1(t->d, was);
		return 0;
	}
	/* the same frame, with no more rights than before: its references stay */
	if ((was & PTE_PRESENT) && !((was ^ val) & PTE_ADDR_MASK) &&
	    ((was & PTE_WRITE) || !(val & PTE_WRITE))) {
		if (!l1_flags_ok(t->d, val))
			return -EINVAL;
		if (!pte_cmpxchg(entry, old, l1_adjust(val)))
			return -EAGAIN;
		pg = (was ^ val) & PTE_WRITE ? pte_page(was) : NULL;
		if (pg) {
			if (unlikely(page_is_foreign(t->d, pg)))
				pv_flush_domain(t->d);
			page_put_type(pg, false);
		}
		return 0;
	}
	ret = pte_get_l1(t->d, owner, &val);
	if (ret)
		return ret;
	if (!pte_cmpxchg(entry, old, val)) {
		pg = pte_page(val);
		if (pg)
			pte_drop_l1(pg, val);
		return -EAGAIN;
	}
	pte_put_l1(t->d, was);
	return 0;
}

static int replace_upper(const struct table *t, uint64_t *entry, uint64_t *old, uint64_t val)
{
	uint64_t was = *old;

	if ((was & val & PTE_PRESENT) && !((was ^ val) & PTE_ADDR_MASK)) {
		if (val & UPPER_REFUSED)
			return -EINVAL;
		return pte_cmpxchg(entry, old, val | PTE_USER) ? 0 : -EAGAIN;
	}
	if (val & PTE_PRESENT) {
		int ret = pte_get_upper(t->d, t->level, &val, true);

		if (ret)
			return ret;
	}
	if (!pte_cmpxchg(entry, old, val)) {
		if (val & PTE_PRESENT)
			pv_drop_table(mfn_to_page(MFN(pte_frame(val))));
		return -EAGAIN;
	}
	if (was & PTE_PRESENT)
		pv_drop_table(mfn_to_page(MFN(pte_frame(was))));
	return 0;
}

int table_replace(const struct table *t, unsigned int slot, struct domain *owner, uint64_t *old,
		  uint64_t val)
{
	uint64_t *entry = &t->entries[slot];

	switch (t->level) {
	case 0:
		return pte_cmpxchg(entry, old, val) ? 0 : -EAGAIN;
	case 1:
		return replace_l1(t, entry, owner, old, val);
	case 4:
		if (l4_slot_is_hyp(slot))
			return -EINVAL;
		return replace_upper(t, entry, old, val);
	default:
		return replace_upper(t, entry, old, val);
	}
}
