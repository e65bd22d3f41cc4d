/* SPDX-License-Identifier: BSD-2-Clause */
/* The ABI's bitmaps, of any length the caller likes, from and to sets of CPUs. */
#include "hypercall/ctl.h"
#include "lib/string.h"

#define BITMAP_BYTES_MAX 4096U /* of a caller's bitmap that is filled; the rest is left alone */

int ctl_cpumask_in(struct cpumask *cpus, const struct xenctl_bitmap *map)
{
	unsigned int bits = MIN(map->nr_bits, (uint32_t)MAX_CPUS);
	uint8_t bytes[MAX_CPUS / 8] = {0};

	if (bits && copy_in(bytes, map->bitmap.p, DIV_ROUND_UP(bits, 8)))
		return -EFAULT;
	if (bits % 8)
		bytes[bits / 8] &= (uint8_t)((1U << bits % 8) - 1);
	_Static_assert(sizeof(bytes) == sizeof(cpus->bits), "the same bits");
	memcpy(cpus->bits, bytes, sizeof(bytes));
	return 0;
}

int ctl_cpumask_out(const struct xenctl_bitmap *map, const struct cpumask *cpus)
{
	uint32_t room = map->nr_bits / 8 + !!(map->nr_bits % 8);
	uint32_t fill = MIN(room, BITMAP_BYTES_MAX);
	uint32_t n = MIN(room, (uint32_t)sizeof(cpus->bits));
	uint8_t bytes[sizeof(cpus->bits)];

	memcpy(bytes, cpus->bits, sizeof(bytes));
	if (map->nr_bits % 8 && room <= sizeof(bytes))
		bytes[room - 1] &= (uint8_t)((1U << map->nr_bits % 8) - 1);
	if (n && copy_out(map->bitmap.p, bytes, n))
		return -EFAULT;
	if (fill > n && guest_clear(map->bitmap.p + n, fill - n))
		return -EFAULT;
	return 0;
}
