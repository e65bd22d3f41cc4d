/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorted lists of disjoint inclusive ranges; see rangeset.h. */
#include "lib/rangeset.h"

#include "lib/errno.h"
#include "mm/alloc.h"

struct range {
	struct list_node node;
	uint64_t first, last;
};

void rangeset_init(struct rangeset *r)
{
	r->lock = (struct spinlock)SPINLOCK_INIT;
	list_init(&r->ranges);
}

void rangeset_fini(struct rangeset *r)
{
	struct range *x, *tmp;

	list_for_each_entry_safe (x, tmp, &r->ranges, node) {
		list_del(&x->node);
		heap_free(x);
	}
}

int rangeset_add(struct rangeset *r, uint64_t first, uint64_t last)
{
	struct range *fresh, *x, *tmp;
	struct list_node *after = &r->ranges;

	if (first > last)
		return -EINVAL;
	fresh = heap_alloc(sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	spin_lock(&r->lock);
	list_for_each_entry_safe (x, tmp, &r->ranges, node) {
		if (last != ~0UL && x->first > last + 1)
			break;
		if (x->last != ~0UL && x->last + 1 < first) {
			after = &x->node;
			continue;
		}
		/* overlaps or touches: it becomes part of the new range */
		first = MIN(first, x->first);
		last = MAX(last, x->last);
		list_del(&x->node);
		heap_free(x);
	}
	fresh->first = first;
	fresh->last = last;
	list_add(after, &fresh->node);
	spin_unlock(&r->lock);
	return 0;
}

int rangeset_remove(struct rangeset *r, uint64_t first, uint64_t last)
{
	struct range *tail, *x, *tmp;

	if (first > last)
		return -EINVAL;
	/* needed when a range is cut in two; had beforehand, so that nothing is half done */
	tail = heap_alloc(sizeof(*tail));
	if (!tail)
		return -ENOMEM;
	spin_lock(&r->lock);
	list_for_each_entry_safe (x, tmp, &r->ranges, node) {
		if (x->first > last)
			break;
		if (x->last < first)
			continue;
		if (x->first < first && x->last > last) {
			tail->first = last + 1;
			tail->last = x->last;
			x->last = first - 1;
			list_add(&x->node, &tail->node);
			tail = NULL;
			break;
		}
		if (x->first < first) {
			x->last = first - 1;
		} else if (x->last > last) {
			x->first = last + 1;
		} else {
			list_del(&x->node);
			heap_free(x);
		}
	}
	spin_unlock(&r->lock);
	heap_free(tail);
	return 0;
}

bool rangeset_contains(struct rangeset *r, uint64_t first, uint64_t last)
{
	struct range *x;
	bool found = false;

	spin_lock(&r->lock);
	list_for_each_entry (x, &r->ranges, node)
		if (x->first <= first && last <= x->last) {
			found = first <= last;
			break;
		}
	spin_unlock(&r->lock);
	return found;
}

bool rangeset_overlaps(struct rangeset *r, uint64_t first, uint64_t last)
{
	struct range *x;
	bool found = false;

	spin_lock(&r->lock);
	list_for_each_entry (x, &r->ranges, node)
		if (x->first <= last && first <= x->last) {
			found = true;
			break;
		}
	spin_unlock(&r->lock);
	return found;
}

unsigned int rangeset_count(struct rangeset *r)
{
	unsigned int n = 0;
	struct range *x;

	spin_lock(&r->lock);
	list_for_each_entry (x, &r->ranges, node)
		n++;
	spin_unlock(&r->lock);
	return n;
}
