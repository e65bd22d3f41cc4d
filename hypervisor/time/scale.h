/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiplying by a constant ratio without dividing, exactly as a guest does
 * with tsc_to_system_mul and tsc_shift of struct vcpu_time_info (xen/xen.h):
 * (x << shift) * mul >> 32, a negative shift going right.
 */
#ifndef TIME_SCALE_H
#define TIME_SCALE_H

#include "lib/types.h"

struct tsc_scale {
	uint32_t mul; /* 0x80000000..0xffffffff */
	int8_t shift;
};

static inline uint64_t tsc_scale_apply(const struct tsc_scale *s, uint64_t x)
{
	x = s->shift < 0 ? x >> -s->shift : x << s->shift;
	return (unsigned __int128)x * s->mul >> 32;
}

/* The scale that turns `from` into `to`; both nonzero and below 2^62, their ratio within 2^±31. */
void tsc_scale_set(struct tsc_scale *s, uint64_t from, uint64_t to);
/* The scale that undoes `s`. */
void tsc_scale_invert(struct tsc_scale *inverse, const struct tsc_scale *s);

#endif
