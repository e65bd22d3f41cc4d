/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside time/: the platform counter, as a measure of the TSC and as a clock. */
#ifndef TIME_PLATFORM_H
#define TIME_PLATFORM_H

#include "lib/types.h"

init_text void platform_init(void); /* finds the best counter; panics without one */
init_text uint64_t platform_measure_tsc_hz(void);
/* ns by the counter, from any start; right if called at least every platform_poll_ns(). */
uint64_t platform_now(void);
uint64_t platform_poll_ns(void);
/*
 * The same if it was called too late, and the counter may have gone round unseen: `expected` is
 * what another clock makes of it, good to less than half a round of the counter.
 */
uint64_t platform_now_near(uint64_t expected);

/*
 * sync.c, on a CPU that comes up: by how many cycles its TSC and the boot
 * CPU's contradict each other, and the boot CPU's system time.
 */
init_text uint64_t sync_measure_warp(uint64_t *source_time);

#endif
