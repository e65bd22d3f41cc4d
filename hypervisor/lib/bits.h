/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single bits and bitmaps of unsigned long.  The atomic_* forms are full
 * barriers and may be used on memory a guest shares.
 */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include "lib/types.h"

#define BITS_PER_LONG 64
#define BITS_TO_LONGS(n) DIV_ROUND_UP(n, BITS_PER_LONG)
#define BIT(n) (1UL << (n))
#define BIT_U32(n) (1U << (n))

static inline bool bit_test(const unsigned long *map, unsigned int n)
{
	return READ_ONCE(map[n / BITS_PER_LONG]) & BIT(n % BITS_PER_LONG);
}

static inline void bit_set(unsigned long *map, unsigned int n)
{
	map[n / BITS_PER_LONG] |= BIT(n % BITS_PER_LONG);
}

static inline void bit_clear(unsigned long *map, unsigned int n)
{
	map[n / BITS_PER_LONG] &= ~BIT(n % BITS_PER_LONG);
}

/* Returns the bit's former value. */
static inline bool atomic_bit_test_and_set(unsigned long *map, unsigned int n)
{
	unsigned long m = BIT(n % BITS_PER_LONG);

	return __atomic_fetch_or(&map[n / BITS_PER_LONG], m, __ATOMIC_SEQ_CST) & m;
}

static inline bool atomic_bit_test_and_clear(unsigned long *map, unsigned int n)
{
	unsigned long m = BIT(n % BITS_PER_LONG);

	return __atomic_fetch_and(&map[n / BITS_PER_LONG], ~m, __ATOMIC_SEQ_CST) & m;
}

static inline void atomic_bit_set(unsigned long *map, unsigned int n)
{
	(void)atomic_bit_test_and_set(map, n);
}

static inline void atomic_bit_clear(unsigned long *map, unsigned int n)
{
	(void)atomic_bit_test_and_clear(map, n);
}

/* The first set (clear) bit at or after `from`, or `size`. */
unsigned int bitmap_find_set(const unsigned long *map, unsigned int size, unsigned int from);
unsigned int bitmap_find_clear(const unsigned long *map, unsigned int size, unsigned int from);
unsigned int bitmap_weight(const unsigned long *map, unsigned int size);

#define bitmap_for_each(bit, map, size)                                                            \
	for ((bit) = bitmap_find_set(map, size, 0); (bit) < (size);                                \
	     (bit) = bitmap_find_set(map, size, (bit) + 1))

#endif
