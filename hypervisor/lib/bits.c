/* SPDX-License-Identifier: BSD-2-Clause */
/* Searching and counting bitmaps. */
#include "lib/bits.h"

static unsigned int bitmap_find(const unsigned long *map, unsigned int size, unsigned int from,
				unsigned long invert)
{
	while (from < size) {
		unsigned long word = READ_ONCE(map[from / BITS_PER_LONG]) ^ invert;

		word &= ~0UL << (from % BITS_PER_LONG);
		if (word) {
			from = ROUND_DOWN(from, BITS_PER_LONG) + __builtin_ctzl(word);
			return MIN(from, size);
		}
		from = ROUND_DOWN(from, BITS_PER_LONG) + BITS_PER_LONG;
	}
	return size;
}

unsigned int bitmap_find_set(const unsigned long *map, unsigned int size, unsigned int from)
{
	return bitmap_find(map, size, from, 0);
}

unsigned int bitmap_find_clear(const unsigned long *map, unsigned int size, unsigned int from)
{
	return bitmap_find(map, size, from, ~0UL);
}

unsigned int bitmap_weight(const unsigned long *map, unsigned int size)
{
	unsigned int bit, n = 0;

	bitmap_for_each(bit, map, size)
		n++;
	return n;
}
