/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Do two CPUs' TSCs agree?  Both read theirs in turns under a lock for a few
 * milliseconds: were they one clock, no reading could be less than the one
 * before it.  The difference where it is less is the warp.
 */
#include "cpu/seam.h"
#include "lib/printk.h"
#include "lib/spinlock.h"
#include "time/platform.h"
#include "time/time.h"

#define TEST_MS	  2
#define ANSWER_MS 10000 /* the boot CPU waits for us; this long means it does not */

enum stage { IDLE, ASKED, RUNNING, ANSWERED };

static int stage; /* enum stage, atomic */

static struct spinlock turn_lock = SPINLOCK_INIT; /* below: */
static uint64_t last_tsc, warp;

static uint64_t answer_time; /* published by ANSWERED */

static init_text void turns_take(void)
{
	uint64_t start = tsc_read(), now;

	do {
		spin_lock(&turn_lock);
		now = tsc_read();
		if (now < last_tsc)
			warp = MAX(warp, last_tsc - now);
		last_tsc = now;
		spin_unlock(&turn_lock);
	} while (now - start < TEST_MS * tsc_khz());
}

static init_text bool stage_change(int from, int to)
{
	return __atomic_compare_exchange_n(&stage, &from, to, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

init_text void time_sync_source(void)
{
	if (!stage_change(ASKED, RUNNING))
		return;
	turns_take();
	answer_time = time_now();
	__atomic_store_n(&stage, ANSWERED, __ATOMIC_RELEASE);
}

init_text uint64_t sync_measure_warp(uint64_t *source_time)
{
	uint64_t start = tsc_read();

	last_tsc = 0;
	warp = 0;
	__atomic_store_n(&stage, ASKED, __ATOMIC_RELEASE);
	while (__atomic_load_n(&stage, __ATOMIC_ACQUIRE) == ASKED) {
		cpu_relax();
		if (tsc_read() - start > ANSWER_MS * tsc_khz() && stage_change(ASKED, IDLE))
			panic("the boot CPU does not compare its TSC");
	}
	turns_take();
	while (__atomic_load_n(&stage, __ATOMIC_ACQUIRE) != ANSWERED)
		cpu_relax();
	*source_time = answer_time;
	return warp;
}
