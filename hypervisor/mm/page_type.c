/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Type references: the state machine of a frame's type word (mm/page.h draws
 * it).  It says when a frame may change its type, who validates it, and what
 * happens when that is interrupted; what a valid page table or descriptor
 * table is, pv/ says.
 */
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "mm/page.h"
#include "pv/pagetable.h"

#define TYPE_WORD(type) ((uint64_t)(type) << PAGE_TYPE_SHIFT)

static bool type_replace(struct page *pg, uint64_t *old, uint64_t new)
{
	return __atomic_compare_exchange_n(&pg->type, old, new, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* Ends a busy state: only this CPU may change the word. */
static void type_settle(struct page *pg, uint64_t word)
{
	__atomic_store_n(&pg->type, word, __ATOMIC_SEQ_CST);
}

static bool type_is_table(enum page_type type)
{
	return type >= PAGE_L1 && type <= PAGE_L4;
}

static bool type_needs_validation(enum page_type type)
{
	return type_is_table(type) || type == PAGE_SEGDESC;
}

static unsigned int word_progress(uint64_t word)
{
	return word >> PAGE_PROGRESS_SHIFT & 0xffff;
}

/* The domain that owns a frame we hold a reference to; the current one needs no holding. */
static struct domain *owner_get(const struct page *pg)
{
	domid_t id = page_owner_id(pg);

	return current && current->domain->id == id ? current->domain : domain_get(id);
}

static void owner_put(struct domain *d)
{
	if (!current || d != current->domain)
		domain_put(d);
}

/* A busy frame is another CPU's work: wait for it. */
static int type_wait(bool preemptible)
{
	if (preemptible && hypercall_preempt_check())
		return -ERESTART;
	cpu_relax();
	return 0;
}

/*
 * Undoes a busy frame's first `progress` entries.  Then its count is zero,
 * or, when somebody else still holds the reference he failed to put, it is
 * partial with nothing left to undo.
 */
static int type_undo(struct page *pg, struct domain *d, uint64_t word, unsigned int progress,
		     bool preemptible, bool count_is_others)
{
	enum page_type type = word >> PAGE_TYPE_SHIFT;
	uint64_t kept = word & (PAGE_T_HELD | PAGE_T_FAILED);
	int ret = pv_table_undo(d, pg, type, &progress, preemptible);

	if (ret) {
		type_settle(pg, TYPE_WORD(type) | PAGE_T_PARTIAL | kept |
					(uint64_t)progress << PAGE_PROGRESS_SHIFT | 1);
		return ret;
	}
	type_settle(pg, count_is_others ? TYPE_WORD(type) | PAGE_T_PARTIAL | 1 : TYPE_WORD(type));
	if (word & PAGE_T_HELD)
		page_put(pg);
	return 0;
}

/*
 * Validates a frame that this CPU has made busy; `word` is what it was before
 * that, a fresh type having progress 0 and no flags.
 */
static int type_validate(struct page *pg, struct domain *d, uint64_t word, bool preemptible)
{
	enum page_type type = word >> PAGE_TYPE_SHIFT;
	unsigned int progress = word_progress(word);
	/* left by an interrupted put: the count is that caller's */
	bool count_is_others = (word & PAGE_T_PARTIAL) && !(word & PAGE_T_HELD);
	int ret = word & PAGE_T_FAILED ? -EINVAL
				       : pv_table_validate(d, pg, type, &progress, preemptible);

	if (!ret) {
		type_settle(pg, TYPE_WORD(type) | PAGE_T_VALIDATED | (count_is_others ? 2 : 1));
		if (word & PAGE_T_HELD)
			page_put(pg);
		return 0;
	}
	/* Interrupted or bad, the frame must last without its caller's reference. */
	if (!count_is_others && !(word & PAGE_T_HELD)) {
		if (page_get(pg, d))
			word |= PAGE_T_HELD;
		else
			preemptible = false;
	}
	if (ret == -ERESTART && preemptible) {
		type_settle(pg, TYPE_WORD(type) | PAGE_T_PARTIAL | (word & PAGE_T_HELD) |
					(uint64_t)progress << PAGE_PROGRESS_SHIFT | 1);
		return ret;
	}
	if (type_undo(pg, d, word | PAGE_T_FAILED, progress, preemptible, count_is_others))
		return -ERESTART;
	return -EINVAL;
}

/* The frame has just become busy with a new type, from the old word. */
static int type_begin(struct page *pg, uint64_t old, enum page_type type, bool preemptible)
{
	enum page_type before = old >> PAGE_TYPE_SHIFT;
	struct domain *d = owner_get(pg);
	int ret = 0;

	if (!d) {
		type_settle(pg, old);
		return -EINVAL;
	}
	/*
	 * No CPU may still translate by this frame, or to it, as what it was.
	 * (Mappings by other domains were flushed as they went: pv/pagetable.c.)
	 */
	if (before != PAGE_NONE && before != type && !(old & PAGE_TYPE_COUNT))
		pv_flush_domain(d);
	if (type_needs_validation(type)) {
		uint64_t word = old & PAGE_TYPE_COUNT ? old : TYPE_WORD(type);

		ret = type_validate(pg, d, word, preemptible);
	} else {
		type_settle(pg, TYPE_WORD(type) | PAGE_T_VALIDATED | 1);
	}
	owner_put(d);
	return ret;
}

/* The first count of a type: true when that was all, the frame being settled. */
static bool type_is_immediate(uint64_t old, enum page_type type)
{
	enum page_type before = old >> PAGE_TYPE_SHIFT;

	return !type_needs_validation(type) && (before == PAGE_NONE || before == type);
}

int page_get_type(struct page *pg, enum page_type type, bool preemptible)
{
	uint64_t old = READ_ONCE(pg->type), new;

	/* whatever count the hypervisor itself may have on it */
	if (type == PAGE_WRITABLE && READ_ONCE(pg->count) & PAGE_F_NO_WRITE)
		return -EINVAL;
	for (;;) {
		if (old & PAGE_TYPE_COUNT) {
			if (old >> PAGE_TYPE_SHIFT != type)
				return -EINVAL;
			if (old & PAGE_T_VALIDATED) {
				if ((old & PAGE_TYPE_COUNT) == PAGE_TYPE_COUNT)
					return -EINVAL;
				if (type_replace(pg, &old, old + 1))
					return 0;
				continue;
			}
			if (!(old & PAGE_T_PARTIAL)) {
				int ret = type_wait(preemptible);

				if (ret)
					return ret;
				old = READ_ONCE(pg->type);
				continue;
			}
			if (type_replace(pg, &old, TYPE_WORD(type) | 1))
				return type_begin(pg, old, type, preemptible);
			continue;
		}
		new = TYPE_WORD(type) | 1;
		if (type_is_immediate(old, type)) {
			if (type_replace(pg, &old, new | PAGE_T_VALIDATED))
				return 0;
		} else if (type_replace(pg, &old, new)) {
			return type_begin(pg, old, type, preemptible);
		}
	}
}

bool page_get_writable(struct page *pg)
{
	uint64_t old = READ_ONCE(pg->type);

	/* the common case: it is writable already */
	while (old >> PAGE_TYPE_SHIFT == PAGE_WRITABLE && (old & PAGE_T_VALIDATED) &&
	       (old & PAGE_TYPE_COUNT) != PAGE_TYPE_COUNT &&
	       !(READ_ONCE(pg->count) & PAGE_F_NO_WRITE)) {
		if (type_replace(pg, &old, old + 1))
			return true;
	}
	return page_get_type(pg, PAGE_WRITABLE, false) == 0;
}

enum page_type page_get_present_type(struct page *pg)
{
	uint64_t old = READ_ONCE(pg->type);

	while ((old & PAGE_T_VALIDATED) && (old & PAGE_TYPE_COUNT) != PAGE_TYPE_COUNT) {
		enum page_type type = old >> PAGE_TYPE_SHIFT;

		if (!type_is_table(type) && type != PAGE_WRITABLE)
			return PAGE_NONE;
		if (type_replace(pg, &old, old + 1))
			return type;
	}
	return PAGE_NONE;
}

/* The frame is busy, its last reference the caller's: undo all that `word` says it holds. */
static int type_end(struct page *pg, uint64_t word, unsigned int progress, bool preemptible)
{
	struct domain *d = owner_get(pg);
	int ret;

	ASSERT(d); /* a domain outlives the types of its frames */
	ret = type_undo(pg, d, word & ~PAGE_T_FAILED, progress, preemptible, false);
	owner_put(d);
	return ret;
}

/* The last reference to a page table, or one whose put was interrupted before. */
static __attribute__((noinline)) int type_put_last(struct page *pg, bool preemptible)
{
	uint64_t old = READ_ONCE(pg->type);

	for (;;) {
		enum page_type type = old >> PAGE_TYPE_SHIFT;

		ASSERT(old & PAGE_TYPE_COUNT);
		if (old & PAGE_T_VALIDATED) {
			if ((old & PAGE_TYPE_COUNT) > 1) {
				if (type_replace(pg, &old, old - 1))
					return 0;
			} else if (type_replace(pg, &old, TYPE_WORD(type) | 1)) {
				return type_end(pg, TYPE_WORD(type), PTES_PER_TABLE, preemptible);
			}
		} else if (old & PAGE_T_PARTIAL) {
			ASSERT(!(old & PAGE_T_HELD));
			if (type_replace(pg, &old, TYPE_WORD(type) | 1))
				return type_end(pg, old, word_progress(old), preemptible);
		} else {
			int ret = type_wait(preemptible);

			if (ret)
				return ret;
			old = READ_ONCE(pg->type);
		}
	}
}

int page_put_type(struct page *pg, bool preemptible)
{
	uint64_t old = READ_ONCE(pg->type);

	/* the common cases: there are others, or nothing to undo */
	while (old & PAGE_T_VALIDATED) {
		uint32_t count = old & PAGE_TYPE_COUNT;

		if (count <= 1 && (!count || type_is_table(old >> PAGE_TYPE_SHIFT)))
			break;
		if (type_replace(pg, &old, count > 1 ? old - 1 : old & ~0UL << PAGE_TYPE_SHIFT))
			return 0;
	}
	return type_put_last(pg, preemptible);
}

int page_drop_partial(struct page *pg, bool preemptible)
{
	uint64_t old = READ_ONCE(pg->type);

	do {
		if (!(old & PAGE_T_PARTIAL) || !(old & PAGE_T_HELD))
			return 0;
	} while (!type_replace(pg, &old, TYPE_WORD(old >> PAGE_TYPE_SHIFT) | 1));
	return type_end(pg, old, word_progress(old), preemptible);
}

bool page_pin(struct page *pg)
{
	return !(__atomic_fetch_or(&pg->type, PAGE_T_PINNED, __ATOMIC_SEQ_CST) & PAGE_T_PINNED);
}

bool page_unpin(struct page *pg)
{
	return __atomic_fetch_and(&pg->type, ~PAGE_T_PINNED, __ATOMIC_SEQ_CST) & PAGE_T_PINNED;
}

bool page_get_and_type(struct page *pg, const struct domain *d, enum page_type type)
{
	if (!page_get(pg, d))
		return false;
	if (!page_get_type(pg, type, false))
		return true;
	page_put(pg);
	return false;
}

void page_put_and_type(struct page *pg)
{
	page_put_type(pg, false);
	page_put(pg);
}
