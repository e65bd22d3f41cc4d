/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of inclusive ranges of numbers: the I/O memory frames, I/O ports and
 * interrupts a domain may use.  Has its own lock.
 */
#ifndef LIB_RANGESET_H
#define LIB_RANGESET_H

#include "lib/list.h"
#include "lib/spinlock.h"

struct rangeset {
	struct spinlock lock;
	struct list_node ranges; /* sorted, disjoint, not adjacent */
};

void rangeset_init(struct rangeset *r);
void rangeset_fini(struct rangeset *r);
/* 0, -EINVAL when first > last, -ENOMEM */
must_check int rangeset_add(struct rangeset *r, uint64_t first, uint64_t last);
must_check int rangeset_remove(struct rangeset *r, uint64_t first, uint64_t last);
bool rangeset_contains(struct rangeset *r, uint64_t first, uint64_t last);
unsigned int rangeset_count(struct rangeset *r); /* of its ranges */
bool rangeset_overlaps(struct rangeset *r, uint64_t first, uint64_t last);

#endif
