/* SPDX-License-Identifier: BSD-2-Clause */
/* Making scales; applying them is in scale.h. */
#include "time/scale.h"

void tsc_scale_set(struct tsc_scale *s, uint64_t from, uint64_t to)
{
	int shift = 0;

	/* to / from into [1/2, 1) */
	while (to >= from) {
		from <<= 1;
		shift++;
	}
	while (to < from - to) {
		to <<= 1;
		shift--;
	}
	/* and from into 32 bits, all of them used, for the division */
	while (from >> 32) {
		from >>= 1;
		to >>= 1;
	}
	while (!(from >> 31)) {
		from <<= 1;
		to <<= 1;
	}
	s->mul = (to << 32) / from;
	s->shift = shift;
}

void tsc_scale_invert(struct tsc_scale *inverse, const struct tsc_scale *s)
{
	/* 1 / (mul / 2^32 * 2^shift) = (2^32 / mul) * 2^-shift, and 2^32 / mul is in (1, 2]. */
	tsc_scale_set(inverse, s->mul, 1UL << 32);
	inverse->shift -= s->shift;
}
