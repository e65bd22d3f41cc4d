/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest frames of a translated domain: looking them up, mapping and unmapping
 * them, with the references that entries hold.  What leaves the tree is
 * flushed from all CPUs under the lock, and let go of after it.  The shape of
 * the tree is p2m_table.c's; its pages and its end, p2m_pool.c's.
 */
#include "hvm/p2m.h"

#include "domain/domain.h"
#include "hvm/p2m_table.h"
#include "hvm/state.h"
#include "hvm/vendor.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "mm/alloc.h"

/* --- what the types mean --- */

#define TYPE_RAM      BIT_U32(0) /* a frame of the domain's own, held by its allocation reference */
#define TYPE_HOLDS    BIT_U32(1) /* the entry has a reference... */
#define TYPE_WRITABLE BIT_U32(2) /* ...and a writable one; or of RAM: may be written */
#define TYPE_EXEC     BIT_U32(3) /* may hold code */

static const uint8_t type_traits[] = {
	[P2M_NONE] = 0,
	[P2M_RAM] = TYPE_RAM | TYPE_WRITABLE | TYPE_EXEC,
	[P2M_RAM_RO] = TYPE_RAM | TYPE_EXEC,
	[P2M_MMIO] = TYPE_RAM,
	[P2M_GRANT_RW] = TYPE_HOLDS | TYPE_WRITABLE,
	[P2M_GRANT_RO] = TYPE_HOLDS,
	[P2M_FOREIGN] = TYPE_HOLDS | TYPE_WRITABLE,
	[P2M_SHARED] = TYPE_HOLDS | TYPE_WRITABLE,
	[P2M_LOGDIRTY] = TYPE_RAM | TYPE_WRITABLE | TYPE_EXEC,
	[P2M_IOREQ] = TYPE_RAM | TYPE_EXEC,
};

static bool type_is(enum p2m_type type, uint32_t trait)
{
	return type_traits[type] & trait;
}

static bool range_ok(gfn_t gfn, unsigned int order)
{
	return gfn.v >> P2M_GFN_BITS == 0 && !(gfn.v & ((1UL << order) - 1));
}

void p2m_flush(struct domain *d)
{
	struct cpumask cpus;

	/* before the look at who runs: who begins to run after it sees the new number */
	__atomic_add_fetch(&d->hvm->p2m.flush_generation, 1, __ATOMIC_SEQ_CST);
	domain_running_cpus(d, &cpus);
	/* a vCPU of this CPU's passes through its entry before it runs again */
	cpumask_clear(&cpus, cpu_id());
	if (!cpumask_is_empty(&cpus))
		tlb_flush_mask(&cpus);
}

/* --- cuts --- */

static void leaf_forget(struct domain *d, gfn_t gfn, uint64_t pte, unsigned int level)
{
	mfn_t mfn = hvm_vendor->pte_mfn(pte);

	if (!type_is(hvm_vendor->pte_type(pte), TYPE_RAM))
		return;
	for (uint64_t i = 0; i < p2m_level_frames(level); i++)
		m2p_set(MFN(mfn.v + i), M2P_INVALID);
}

void p2m_leaf_put(struct domain *d, gfn_t gfn, uint64_t pte, unsigned int level)
{
	struct page *pg = mfn_to_page(hvm_vendor->pte_mfn(pte));
	enum p2m_type type = hvm_vendor->pte_type(pte);

	if (!type_is(type, TYPE_HOLDS))
		return;
	if (type_is(type, TYPE_WRITABLE))
		page_put_type(pg, false);
	page_put(pg);
}

static void leaf_give_up(struct domain *d, gfn_t gfn, uint64_t pte, unsigned int level)
{
	struct page *pg = mfn_to_page(hvm_vendor->pte_mfn(pte));

	for (uint64_t i = 0; i < p2m_level_frames(level); i++)
		(void)page_give_up(&pg[i], d); /* not if the domain's end was faster */
}

/* Puts `pte` there, under the lock, and flushes what was there, which is returned. */
static struct p2m_cut entry_replace(struct domain *d, uint64_t *e, gfn_t gfn, unsigned int level,
				    uint64_t pte, bool must_flush)
{
	struct p2m_cut cut = {gfn, 0, level};

	cut.pte = __atomic_exchange_n(e, pte, __ATOMIC_SEQ_CST);
	p2m_cut_each(d, cut, leaf_forget);
	if (cut.pte || must_flush)
		p2m_flush(d);
	return cut;
}

/* The end of a cut, without the lock: `fn` for what it mapped. */
static void cut_finish(struct domain *d, struct p2m_cut cut, p2m_leaf_fn fn)
{
	struct p2m *p = &d->hvm->p2m;

	if (!cut.pte)
		return;
	p2m_cut_each(d, cut, fn);
	if (cut.level == 1)
		return;
	spin_lock(&p->lock);
	p2m_cut_free(p, cut);
	spin_unlock(&p->lock);
}

/* --- looking up --- */

/* Under the lock: the leaf's entry and type, and gfn's own frame; NULL where nothing is. */
static uint64_t *leaf_find(const struct p2m *p, gfn_t gfn, unsigned int *level, enum p2m_type *type,
			   mfn_t *mfn)
{
	uint64_t *e, pte;

	*type = P2M_NONE;
	*mfn = MFN_NONE;
	if (!range_ok(gfn, 0) || !p->root.v)
		return NULL;
	e = p2m_entry_find(p, gfn, 1, level);
	pte = READ_ONCE(*e);
	if (!pte)
		return NULL;
	*type = hvm_vendor->pte_type(pte);
	*mfn = MFN(hvm_vendor->pte_mfn(pte).v + (gfn.v & (p2m_level_frames(*level) - 1)));
	return e;
}

mfn_t p2m_lookup(struct domain *d, gfn_t gfn, enum p2m_type *type)
{
	struct p2m *p = &d->hvm->p2m;
	unsigned int level;
	mfn_t mfn;

	spin_lock(&p->lock);
	(void)leaf_find(p, gfn, &level, type, &mfn);
	spin_unlock(&p->lock);
	return mfn;
}

/* Under the lock. */
static struct page *leaf_get(struct domain *d, uint64_t *e, mfn_t mfn, bool is_write,
			     enum p2m_type type)
{
	struct page *pg = mfn_to_page(mfn);

	if (type == P2M_NONE || type == P2M_MMIO || (is_write && !type_is(type, TYPE_WRITABLE)))
		return NULL;
	/* the entry has a reference, and so an owner, whoever that is */
	if (!(type_is(type, TYPE_RAM) ? page_get_mfn(mfn, d) != NULL : page_hold(pg)))
		return NULL;
	if (is_write && !page_get_writable(pg)) {
		page_put(pg);
		return NULL;
	}
	if (is_write && type == P2M_LOGDIRTY)
		__atomic_store_n(e, hvm_vendor->pte_leaf(mfn, P2M_RAM, 1), __ATOMIC_SEQ_CST);
	return pg;
}

struct page *p2m_page_get(struct domain *d, gfn_t gfn, bool is_write, enum p2m_type *type)
{
	struct p2m *p = &d->hvm->p2m;
	struct page *pg = NULL;
	unsigned int level;
	uint64_t *e;
	mfn_t mfn;

	spin_lock(&p->lock);
	e = leaf_find(p, gfn, &level, type, &mfn);
	if (e)
		pg = leaf_get(d, e, mfn, is_write, *type);
	spin_unlock(&p->lock);
	return pg;
}

/* Of a PV domain. */
static struct page *machine_frame_get(struct domain *d, mfn_t mfn, bool is_write)
{
	struct page *pg = page_get_mfn(mfn, d);

	if (pg && is_write && !page_get_writable(pg)) {
		page_put(pg);
		return NULL;
	}
	return pg;
}

struct page *page_get_guest_frame(struct domain *d, uint64_t frame, bool is_write)
{
	enum p2m_type type;
	struct page *pg;

	if (d->type != DOMAIN_HVM)
		return machine_frame_get(d, MFN(frame), is_write);
	pg = p2m_page_get(d, GFN(frame), is_write, &type);
	/* what others granted to it is not its to pass on */
	if (pg && !page_is_owned_by(pg, d->id)) {
		page_put_guest_frame(pg, is_write);
		return NULL;
	}
	return pg;
}

/* --- mapping --- */

static void leaf_remember(gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	for (uint64_t i = 0; type_is(type, TYPE_RAM) && i < 1UL << order; i++)
		m2p_set(MFN(mfn.v + i), gfn.v + i);
}

/* Under the lock. */
static int leaf_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type,
		    struct p2m_cut *cut)
{
	struct p2m *p = &d->hvm->p2m;
	unsigned int level = order / 9 + 1;
	bool was_split = false;
	uint32_t tables = 0;
	uint64_t *e;

	/* the teardown, which begins after this is set, would not see the entry */
	if (READ_ONCE(d->is_dying) || !p->root.v)
		return -EINVAL;
	e = p2m_entry_make(p, gfn, level, &was_split);
	if (!e) {
		if (was_split)
			p2m_flush(d);
		return -ENOMEM;
	}
	*cut = entry_replace(d, e, gfn, level, hvm_vendor->pte_leaf(mfn, type, level), was_split);
	leaf_remember(gfn, mfn, order, type);
	p->max_gfn = MAX(p->max_gfn, gfn.v + (1UL << order) - 1);
	p2m_promote(p, gfn, level, &tables);
	if (tables) {
		p2m_flush(d);
		p2m_tables_free(p, tables);
	}
	return 0;
}

int p2m_set(struct domain *d, gfn_t gfn, mfn_t mfn, unsigned int order, enum p2m_type type)
{
	struct p2m *p = &d->hvm->p2m;
	struct p2m_cut cut = {0};
	int ret;

	if (order % 9 || order > (hvm_vendor->has_1g_pages ? 18 : 9) || !range_ok(gfn, order) ||
	    mfn.v & ((1UL << order) - 1) || type == P2M_NONE || type == P2M_MMIO ||
	    (order && type != P2M_RAM && type != P2M_RAM_RO))
		return -EINVAL;
	spin_lock(&p->lock);
	ret = leaf_set(d, gfn, mfn, order, type, &cut);
	spin_unlock(&p->lock);
	cut_finish(d, cut, p2m_leaf_put);
	return ret;
}

/* Under the lock: the 4 KiB entry of gfn, which is there, its type changed; *must_flush is added
 * to. */
static int leaf_retype(struct p2m *p, gfn_t gfn, mfn_t mfn, enum p2m_type to, bool *must_flush)
{
	uint64_t *e = p2m_entry_make(p, gfn, 1, must_flush);

	if (!e)
		return -ENOMEM;
	__atomic_store_n(e, hvm_vendor->pte_leaf(mfn, to, 1), __ATOMIC_SEQ_CST);
	*must_flush = true;
	return 0;
}

int p2m_change_type(struct domain *d, gfn_t gfn, enum p2m_type from, enum p2m_type to)
{
	struct p2m *p = &d->hvm->p2m;
	bool must_flush = false;
	enum p2m_type type;
	unsigned int level;
	uint32_t tables = 0;
	int ret = -EINVAL;
	mfn_t mfn;

	/* a type that holds no reference cannot become one that does */
	if (!type_is(from, TYPE_RAM) || !type_is(to, TYPE_RAM))
		return -EINVAL;
	spin_lock(&p->lock);
	if (leaf_find(p, gfn, &level, &type, &mfn) && type == from)
		ret = from == to ? 0 : leaf_retype(p, gfn, mfn, to, &must_flush);
	if (!ret)
		p2m_promote(p, gfn, 1, &tables);
	if (must_flush)
		p2m_flush(d);
	p2m_tables_free(p, tables);
	spin_unlock(&p->lock);
	return ret;
}

int p2m_dirty_take(struct domain *d, gfn_t first, unsigned int nr, unsigned long *bitmap)
{
	struct p2m *p = &d->hvm->p2m;
	bool must_flush = false;
	int ret = 0;

	if (nr > P2M_DIRTY_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < BITS_TO_LONGS(nr); i++)
		bitmap[i] = 0;
	spin_lock(&p->lock);
	for (unsigned int i = 0; i < nr && !ret; i++) {
		gfn_t gfn = GFN(first.v + i);
		enum p2m_type type;
		unsigned int level;
		mfn_t mfn;

		(void)leaf_find(p, gfn, &level, &type, &mfn);
		if (type == P2M_RAM) {
			bit_set(bitmap, i);
			ret = leaf_retype(p, gfn, mfn, P2M_LOGDIRTY, &must_flush);
		} else if (type != P2M_LOGDIRTY) {
			ret = -EINVAL;
		}
	}
	if (must_flush)
		p2m_flush(d);
	spin_unlock(&p->lock);
	return ret;
}

/* --- unmapping --- */

/*
 * Under the lock: takes 2^order frames out, which a leaf, or a table's worth of
 * them, map.  0, or -ENOMEM: a larger leaf could not be split
 */
static int leaf_cut(struct domain *d, gfn_t gfn, unsigned int order, struct p2m_cut *cut)
{
	unsigned int level = order / 9 + 1;
	bool was_split = false;
	uint64_t *e = p2m_entry_make(&d->hvm->p2m, gfn, level, &was_split);

	if (!e) {
		if (was_split)
			p2m_flush(d);
		return -ENOMEM;
	}
	*cut = entry_replace(d, e, gfn, level, 0, was_split);
	return 0;
}

int p2m_remove(struct domain *d, gfn_t gfn, mfn_t mfn)
{
	struct p2m *p = &d->hvm->p2m;
	struct p2m_cut cut = {0};
	enum p2m_type type;
	unsigned int level;
	int ret = -ENOENT;
	mfn_t there;

	spin_lock(&p->lock);
	if (leaf_find(p, gfn, &level, &type, &there) &&
	    (mfn_equal(mfn, MFN_NONE) || mfn_equal(mfn, there)))
		ret = leaf_cut(d, gfn, 0, &cut);
	spin_unlock(&p->lock);
	cut_finish(d, cut, p2m_leaf_put);
	return ret;
}

/* Is every frame of the range RAM?  Looks at each table once. */
static bool range_is_ram(struct domain *d, gfn_t gfn, unsigned int order)
{
	for (uint64_t i = 0; i < 1UL << order;) {
		unsigned int level;
		enum p2m_type type;
		mfn_t mfn;

		(void)leaf_find(&d->hvm->p2m, GFN(gfn.v + i), &level, &type, &mfn);
		if (!type_is(type, TYPE_RAM))
			return false;
		i += p2m_level_frames(level);
	}
	return true;
}

int p2m_give_up(struct domain *d, gfn_t gfn, unsigned int order)
{
	struct p2m *p = &d->hvm->p2m;
	struct p2m_cut cut = {0};
	int ret = -EINVAL;

	if (order % 9 || order > 18 || !range_ok(gfn, order))
		return -EINVAL;
	spin_lock(&p->lock);
	if (range_is_ram(d, gfn, order))
		ret = leaf_cut(d, gfn, order, &cut);
	spin_unlock(&p->lock);
	cut_finish(d, cut, leaf_give_up);
	return ret;
}

int p2m_grant_map(struct domain *d, uint64_t gpa, mfn_t mfn, bool is_write)
{
	if (gpa % PAGE_SIZE)
		return -EINVAL;
	return p2m_set(d, GFN(gpa >> PAGE_SHIFT), mfn, 0, is_write ? P2M_GRANT_RW : P2M_GRANT_RO);
}

int p2m_grant_unmap(struct domain *d, uint64_t gpa, mfn_t mfn, bool is_write)
{
	gfn_t gfn = GFN(gpa >> PAGE_SHIFT);
	struct p2m *p = &d->hvm->p2m;
	enum p2m_type type;
	unsigned int level;
	int ret = -EINVAL;
	mfn_t there;
	uint64_t *e;

	if (gpa % PAGE_SIZE)
		return ret;
	spin_lock(&p->lock);
	e = leaf_find(p, gfn, &level, &type, &there);
	if (e && mfn_equal(mfn, there) && type == (is_write ? P2M_GRANT_RW : P2M_GRANT_RO)) {
		__atomic_store_n(e, 0, __ATOMIC_SEQ_CST);
		ret = 0;
	}
	spin_unlock(&p->lock);
	return ret;
}

/* --- faults --- */

bool p2m_fault(struct vcpu *v, uint64_t gpa, bool is_write, bool is_exec)
{
	struct p2m *p = &v->domain->hvm->p2m;
	gfn_t gfn = GFN(gpa >> PAGE_SHIFT);
	enum p2m_type type;
	unsigned int level;
	uint64_t *e;
	mfn_t mfn;

	spin_lock(&p->lock);
	e = leaf_find(p, gfn, &level, &type, &mfn);
	/* The CPU forgets a translation that faulted: no flush for one that allows more now. */
	if (is_write && type == P2M_LOGDIRTY)
		__atomic_store_n(e, hvm_vendor->pte_leaf(mfn, P2M_RAM, 1), __ATOMIC_SEQ_CST);
	spin_unlock(&p->lock);
	if (type == P2M_NONE || type == P2M_MMIO)
		return false;
	return !(is_write && !type_is(type, TYPE_WRITABLE)) &&
	       !(is_exec && !type_is(type, TYPE_EXEC));
}
