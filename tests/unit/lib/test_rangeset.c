/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Range sets against a plain bitmap: random additions and removals, and after
 * each the same answer to every question.
 * Links: lib/rangeset.c lib/bits.c
 */
#include "fake/fake.h"
#include "lib/rangeset.h"

#define SPAN 64

static struct rangeset set;

static unsigned int ranges_count(void)
{
	unsigned int n = 0;

	for (struct list_node *p = set.ranges.next; p != &set.ranges; p = p->next)
		n++;
	return n;
}

TEST(rangeset_refuses_a_reversed_range)
{
	rangeset_init(&set);
	CHECK_EQ(rangeset_add(&set, 2, 1), -EINVAL);
	CHECK_EQ(rangeset_remove(&set, 2, 1), -EINVAL);
	CHECK(!rangeset_contains(&set, 1, 2));
	CHECK(!rangeset_contains(&set, 2, 1));
	rangeset_fini(&set);
}

TEST(rangeset_joins_what_touches)
{
	rangeset_init(&set);
	CHECK_EQ(rangeset_add(&set, 10, 19), 0);
	CHECK_EQ(rangeset_add(&set, 30, 39), 0);
	CHECK_EQ(ranges_count(), 2);
	CHECK(!rangeset_contains(&set, 10, 39));
	CHECK_EQ(rangeset_add(&set, 20, 29), 0);
	CHECK_EQ(ranges_count(), 1);
	CHECK(rangeset_contains(&set, 10, 39));
	rangeset_fini(&set);
}

TEST(rangeset_reaches_the_end_of_numbers)
{
	rangeset_init(&set);
	CHECK_EQ(rangeset_add(&set, 0, ~0UL), 0);
	CHECK_EQ(rangeset_remove(&set, 5, 5), 0);
	CHECK_EQ(ranges_count(), 2);
	CHECK(rangeset_contains(&set, 6, ~0UL));
	CHECK(rangeset_contains(&set, 0, 4));
	CHECK(!rangeset_contains(&set, 4, 5));
	CHECK_EQ(rangeset_add(&set, 5, ~0UL), 0);
	CHECK_EQ(ranges_count(), 1);
	rangeset_fini(&set);
	CHECK(!rangeset_overlaps(&set, 0, ~0UL));
}

TEST(rangeset_agrees_with_a_bitmap)
{
	bool model[SPAN] = {false};

	srand(1);
	rangeset_init(&set);
	for (int step = 0; step < 3000; step++) {
		unsigned int first = rand() % SPAN, last = first + rand() % (SPAN - first);
		bool add = rand() & 1, all = true, any = false;

		if (add)
			CHECK_EQ(rangeset_add(&set, first, last), 0);
		else
			CHECK_EQ(rangeset_remove(&set, first, last), 0);
		for (unsigned int i = first; i <= last; i++)
			model[i] = add;
		first = rand() % SPAN;
		last = first + rand() % (SPAN - first);
		for (unsigned int i = first; i <= last; i++) {
			all &= model[i];
			any |= model[i];
		}
		CHECK_EQ(rangeset_contains(&set, first, last), all);
		CHECK_EQ(rangeset_overlaps(&set, first, last), any);
	}
	rangeset_fini(&set);
}
