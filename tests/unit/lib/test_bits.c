/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Searching and counting bitmaps.
 * Links: lib/bits.c
 */
#include "fake.h"
#include "lib/bits.h"

TEST(find_set_crosses_words)
{
	unsigned long map[3] = {0, 0, BIT(5)};

	CHECK_EQ(bitmap_find_set(map, 192, 0), 133);
	CHECK_EQ(bitmap_find_set(map, 192, 134), 192);
	CHECK_EQ(bitmap_find_set(map, 130, 0), 130);
}

TEST(find_clear_stops_at_size)
{
	unsigned long map[2] = {~0UL, ~0UL};

	CHECK_EQ(bitmap_find_clear(map, 100, 0), 100);
	bit_clear(map, 70);
	CHECK_EQ(bitmap_find_clear(map, 100, 3), 70);
}

TEST(weight_counts)
{
	unsigned long map[2] = {0x11, 0x1};

	CHECK_EQ(bitmap_weight(map, 128), 3);
	CHECK_EQ(bitmap_weight(map, 64), 2);
}
