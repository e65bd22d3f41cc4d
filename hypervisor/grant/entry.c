/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One entry's use: reading it once, telling the guest that it is in use
 * (GTF_reading, GTF_writing), and taking that back.  The guest may revoke or
 * rewrite the entry at any moment; xen/grant_table.h says how a well-behaved
 * one does, and any other hurts itself alone.
 */
#include "grant/table.h"
#include "lib/errno.h"

/* A guest that changes the entry again and again gets an error for it. */
#define MARK_TRIES 8

/* flags and domid are read and changed together, as one word: domid in the upper half. */
_Static_assert(offsetof(struct grant_entry_header, domid) == 2, "flags in the low half");

static int16_t flags_check(uint32_t word, domid_t user, bool is_write, bool is_transitive_ok)
{
	uint16_t flags = (uint16_t)word;
	uint16_t type = flags & GTF_type_mask;

	if (type != GTF_permit_access && !(is_transitive_ok && type == GTF_transitive))
		return GNTST_general_error;
	if ((domid_t)(word >> 16) != user)
		return GNTST_general_error;
	if (is_write && flags & GTF_readonly)
		return GNTST_general_error;
	return GNTST_okay;
}

static int16_t mark_v1(struct grant_table *gt, uint32_t ref, domid_t user, bool is_write)
{
	uint32_t *word = (uint32_t *)grant_entry_v1(gt, ref);
	uint32_t old = READ_ONCE(*word);

	for (unsigned int i = 0; i < MARK_TRIES; i++) {
		uint32_t new = old | GTF_reading | (is_write ? GTF_writing : 0);
		int16_t status = flags_check(old, user, is_write, false);

		if (status)
			return status;
		if (__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return GNTST_okay;
	}
	return GNTST_general_error;
}

/* Version 2: status apart from the flags; each side writes its own, then looks at the other's. */
static int16_t mark_v2(struct grant_table *gt, uint32_t ref, domid_t user, bool is_write,
		       bool for_map)
{
	uint32_t *word = (uint32_t *)&grant_entry_v2(gt, ref)->hdr;
	uint16_t mark = GTF_reading | (is_write ? GTF_writing : 0);
	uint16_t had = READ_ONCE(*grant_status(gt, ref));
	int16_t status = flags_check(READ_ONCE(*word), user, is_write, !for_map);

	if (status)
		return status;
	__atomic_fetch_or(grant_status(gt, ref), mark, __ATOMIC_SEQ_CST);
	status = flags_check(READ_ONCE(*word), user, is_write, !for_map);
	if (status)
		__atomic_fetch_and(grant_status(gt, ref), (uint16_t) ~(mark & ~had),
				   __ATOMIC_SEQ_CST);
	return status;
}

static void unmark(struct grant_table *gt, uint32_t ref, uint16_t mark)
{
	uint16_t *flags =
		gt->version == 1 ? &grant_entry_v1(gt, ref)->flags : grant_status(gt, ref);

	__atomic_fetch_and(flags, (uint16_t)~mark, __ATOMIC_SEQ_CST);
}

static uint16_t marks_of(const struct grant_active *act)
{
	if (act->writers)
		return GTF_reading | GTF_writing;
	return act->readers ? GTF_reading : 0;
}

/* What the entry grants, read once, after it has been marked as in use. */
static int16_t read_v1(const struct grant_table *gt, uint32_t ref, struct grant_active *act)
{
	act->kind = GRANT_PAGE;
	act->offset = 0;
	act->length = PAGE_SIZE;
	act->frame = READ_ONCE(grant_entry_v1(gt, ref)->frame);
	return GNTST_okay;
}

static int16_t read_v2(const struct grant_table *gt, uint32_t ref, struct grant_active *act)
{
	const union grant_entry_v2 *e = grant_entry_v2(gt, ref);
	uint16_t flags = READ_ONCE(e->hdr.flags);

	act->kind = GRANT_PAGE;
	act->offset = 0;
	act->length = PAGE_SIZE;
	if ((flags & GTF_type_mask) == GTF_transitive) {
		act->kind = GRANT_TRANSITIVE;
		act->trans_domid = READ_ONCE(e->transitive.trans_domid);
		act->trans_ref = READ_ONCE(e->transitive.gref);
		act->frame = 0;
		return GNTST_okay;
	}
	act->frame = READ_ONCE(e->full_page.frame);
	if (!(flags & GTF_sub_page))
		return GNTST_okay;
	act->kind = GRANT_SUB_PAGE;
	act->offset = READ_ONCE(e->sub_page.page_off);
	act->length = READ_ONCE(e->sub_page.length);
	if (act->offset > PAGE_SIZE || act->length > PAGE_SIZE - act->offset)
		return GNTST_general_error;
	return GNTST_okay;
}

static int16_t entry_mark(struct grant_table *gt, uint32_t ref, domid_t user, bool is_write,
			  bool for_map)
{
	return gt->version == 1 ? mark_v1(gt, ref, user, is_write)
				: mark_v2(gt, ref, user, is_write, for_map);
}

/* The entry's first user. */
static int16_t entry_activate(struct grant_table *gt, uint32_t ref, domid_t user, bool is_write,
			      bool for_map)
{
	struct grant_active *act = grant_active(gt, ref);
	int16_t status = entry_mark(gt, ref, user, is_write, for_map);

	if (status)
		return status;
	act->domid = user;
	status = gt->version == 1 ? read_v1(gt, ref, act) : read_v2(gt, ref, act);
	if (!status && for_map && act->kind != GRANT_PAGE)
		status = GNTST_general_error;
	if (status)
		unmark(gt, ref, GTF_reading | GTF_writing);
	return status;
}

/* One more; what it grants stays what it was to the first. */
static int16_t entry_share(struct grant_table *gt, uint32_t ref, domid_t user, bool is_write,
			   bool for_map)
{
	const struct grant_active *act = grant_active(gt, ref);

	if (act->domid != user || (for_map && act->kind != GRANT_PAGE) ||
	    act->readers + act->writers == UINT32_MAX)
		return GNTST_general_error;
	if (!is_write || act->writers)
		return GNTST_okay;
	return entry_mark(gt, ref, user, true, for_map);
}

int16_t grant_acquire(struct domain *d, uint32_t ref, domid_t user, bool is_write, bool for_map,
		      struct grant_hold *hold)
{
	struct grant_table *gt = d->grant;
	struct grant_active *act;
	int16_t status;

	if (!gt)
		return GNTST_bad_domain; /* it is only just being made */
	spin_lock(&gt->lock);
	if (ref >= grant_nr_entries(gt)) {
		status = GNTST_bad_gntref;
		goto out;
	}
	act = grant_active(gt, ref);
	status = grant_is_active(gt, ref) ? entry_share(gt, ref, user, is_write, for_map)
					  : entry_activate(gt, ref, user, is_write, for_map);
	if (status)
		goto out;
	if (is_write)
		act->writers++;
	else
		act->readers++;
	*hold = (struct grant_hold){
		.granter = d,
		.ref = ref,
		.is_write = is_write,
		.frame = act->frame,
		.offset = act->offset,
		.length = act->length,
	};
out:
	spin_unlock(&gt->lock);
	return status;
}

void grant_release(const struct grant_hold *hold)
{
	struct grant_table *gt = hold->granter->grant;
	struct grant_active *act;
	uint16_t before;

	spin_lock(&gt->lock);
	act = grant_active(gt, hold->ref);
	before = marks_of(act);
	if (hold->is_write)
		act->writers--;
	else
		act->readers--;
	if (before != marks_of(act))
		unmark(gt, hold->ref, before & ~marks_of(act));
	spin_unlock(&gt->lock);
}

bool grant_hold_is_transitive(const struct grant_hold *hold, domid_t *domid, uint32_t *ref)
{
	struct grant_table *gt = hold->granter->grant;
	const struct grant_active *act;
	bool is_transitive;

	spin_lock(&gt->lock);
	act = grant_active(gt, hold->ref);
	is_transitive = act->kind == GRANT_TRANSITIVE;
	*domid = act->trans_domid;
	*ref = act->trans_ref;
	spin_unlock(&gt->lock);
	return is_transitive;
}
