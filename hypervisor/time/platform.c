/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The platform counter: which of them we use, what it says of the TSC's
 * frequency, and its count as a clock of 64 bits.
 */
#include "time/platform.h"

#include "cpu/seam.h"
#include "dev/counter.h"
#include "lib/printk.h"
#include "lib/spinlock.h"
#include "time/scale.h"

#define MEASURE_US   20000
#define SAMPLE_TRIES 8
/* A counter at 1 MHz behind a port that takes 1 us changes within a few reads. */
#define EDGE_READS_MAX 10000

static const struct counter *counter;
static struct tsc_scale ns_per_tick;

static struct spinlock clock_lock = SPINLOCK_INIT; /* irq-safe; below: */
static uint64_t clock_count, clock_ticks;

init_text void platform_init(void)
{
	counter = pmtimer_probe();
	if (!counter)
		counter = hpet_probe();
	if (!counter)
		counter = pit_probe();
	if (!counter)
		panic("no platform counter to measure the TSC against");
	tsc_scale_set(&ns_per_tick, counter->hz, 1000000000UL);
	clock_count = counter->read() & counter->mask;
}

struct sample {
	uint64_t count, tsc;
};

/*
 * The moment the counter changes, seen with the least doubt about the TSC of
 * several tries: being interrupted (by an SMI, by the host) only widens one.
 */
static init_text void sample_take(struct sample *best)
{
	uint64_t best_width = ~0UL;

	for (unsigned int i = 0; i < SAMPLE_TRIES; i++) {
		uint64_t old = counter->read() & counter->mask, new = old;
		uint64_t before = 0, after = tsc_read();

		for (unsigned int n = 0; new == old &&n < EDGE_READS_MAX; n++) {
			before = after;
			new = counter->read() & counter->mask;
			after = tsc_read();
		}
		if (after - before >= best_width)
			continue;
		best_width = after - before;
		best->count = new;
		best->tsc = before + best_width / 2;
	}
}

init_text uint64_t platform_measure_tsc_hz(void)
{
	uint64_t target = counter->hz * MEASURE_US / 1000000, ticks;
	struct sample start, end;

	sample_take(&start);
	do
		ticks = (counter->read() - start.count) & counter->mask;
	while (ticks < target);
	sample_take(&end);
	ticks = (end.count - start.count) & counter->mask;
	printk("TSC measured by the %s\n", counter->name);
	/* 25 ms of a TSC below 20 GHz, times a counter below 10 GHz: below 2^63 */
	return (end.tsc - start.tsc) * counter->hz / ticks;
}

uint64_t platform_now_near(uint64_t expected)
{
	uint64_t flags = spin_lock_irq(&clock_lock), count, ns;
	uint64_t round = tsc_scale_apply(&ns_per_tick, counter->mask);

	count = counter->read() & counter->mask;
	clock_ticks += (count - clock_count) & counter->mask;
	clock_count = count;
	ns = tsc_scale_apply(&ns_per_tick, clock_ticks);
	if (unlikely(expected > ns + round / 2)) {
		clock_ticks += (expected - ns + round / 2) / round * (counter->mask + 1);
		ns = tsc_scale_apply(&ns_per_tick, clock_ticks);
	}
	spin_unlock_irq(&clock_lock, flags);
	return ns;
}

uint64_t platform_now(void)
{
	return platform_now_near(0);
}

uint64_t platform_poll_ns(void)
{
	return MIN(tsc_scale_apply(&ns_per_tick, counter->mask / 2), 1000000000UL);
}
