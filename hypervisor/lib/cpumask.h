/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of CPUs, as bitmaps of MAX_CPUS bits. */
#ifndef LIB_CPUMASK_H
#define LIB_CPUMASK_H

#include "lib/bits.h"
#include "lib/types.h"

#define MAX_CPUS 128

struct cpumask {
	unsigned long bits[BITS_TO_LONGS(MAX_CPUS)];
};

extern struct cpumask cpu_online; /* CPUs that run the scheduler */

#define for_each_cpu(cpu, mask)                                                                    \
	for ((cpu) = bitmap_find_set((mask)->bits, MAX_CPUS, 0); (cpu) < MAX_CPUS;                 \
	     (cpu) = bitmap_find_set((mask)->bits, MAX_CPUS, (cpu) + 1))
#define for_each_online_cpu(cpu) for_each_cpu (cpu, &cpu_online)

static inline bool cpumask_test(const struct cpumask *m, unsigned int cpu)
{
	return bit_test(m->bits, cpu);
}

static inline void cpumask_set(struct cpumask *m, unsigned int cpu)
{
	atomic_bit_set(m->bits, cpu);
}

static inline void cpumask_clear(struct cpumask *m, unsigned int cpu)
{
	atomic_bit_clear(m->bits, cpu);
}

static inline void cpumask_zero(struct cpumask *m)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(m->bits); i++)
		m->bits[i] = 0;
}

static inline void cpumask_fill(struct cpumask *m)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(m->bits); i++)
		m->bits[i] = ~0UL;
}

static inline void cpumask_and(struct cpumask *dst, const struct cpumask *a, const struct cpumask *b)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(dst->bits); i++)
		dst->bits[i] = a->bits[i] & b->bits[i];
}

static inline bool cpumask_is_empty(const struct cpumask *m)
{
	return bitmap_find_set(m->bits, MAX_CPUS, 0) == MAX_CPUS;
}

static inline bool cpumask_intersects(const struct cpumask *a, const struct cpumask *b)
{
	struct cpumask both;

	cpumask_and(&both, a, b);
	return !cpumask_is_empty(&both);
}

/* MAX_CPUS if empty. */
static inline unsigned int cpumask_first(const struct cpumask *m)
{
	return bitmap_find_set(m->bits, MAX_CPUS, 0);
}

static inline unsigned int cpumask_weight(const struct cpumask *m)
{
	return bitmap_weight(m->bits, MAX_CPUS);
}

#endif
