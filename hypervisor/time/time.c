/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time.  One base and scale for all CPUs while their TSCs agree; else
 * (or with the option tsc=unstable) a base per CPU, taken now and then from
 * the platform counter, and a global maximum that keeps time from going back.
 */
#include "time/time.h"

#include "boot/boot.h"
#include "cpu/asm.h"
#include "cpu/features.h"
#include "cpu/seam.h"
#include "domain/domain.h"
#include "lib/cpumask.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "time/platform.h"
#include "time/timer.h"
#include "time/vtime.h"
#include "time/wallclock.h"

#define CPUID_1_ECX_HYPERVISOR (1u << 31)

static struct tsc_scale scale, inverse_scale;
static uint64_t hz;
static struct time_base boot_base;
static uint64_t platform_offset; /* system time minus platform_now(), once unstable */
static bool is_unstable;
static uint64_t latest; /* the largest time given out while unstable */

static DEFINE_PERCPU(struct time_base, cpu_base);
static DEFINE_PERCPU(struct timer, rebase_timer);

bool time_is_stable(void)
{
	return !READ_ONCE(is_unstable);
}

const struct time_base *time_base(void)
{
	return time_is_stable() ? &boot_base : &this_cpu(cpu_base);
}

uint64_t tsc_khz(void)
{
	return hz / 1000;
}

const struct tsc_scale *time_scale(void)
{
	return &scale;
}

uint64_t time_from_tsc(uint64_t tsc)
{
	const struct time_base *b = time_base();

	if (tsc < b->tsc)
		return b->ns;
	return b->ns + tsc_scale_apply(&scale, tsc - b->tsc);
}

/* 36 years: guests choose deadlines, and a product beyond 64 bits would be one in the past. */
#define AHEAD_MAX (1UL << 60)

uint64_t time_to_tsc(uint64_t ns)
{
	const struct time_base *b = time_base();

	if (ns <= b->ns)
		return b->tsc;
	return b->tsc + tsc_scale_apply(&inverse_scale, MIN(ns - b->ns, AHEAD_MAX)) + 1;
}

/* RDTSC may run ahead of earlier loads; what another CPU stored must not look like the future. */
static uint64_t tsc_read_ordered(void)
{
	__asm__ volatile("lfence" ::: "memory");
	return tsc_read();
}

uint64_t time_now(void)
{
	uint64_t now, seen, flags;

	if (likely(time_is_stable()))
		return time_from_tsc(tsc_read_ordered());
	flags = irq_save();
	now = time_from_tsc(tsc_read_ordered());
	irq_restore(flags);
	seen = __atomic_load_n(&latest, __ATOMIC_RELAXED);
	while (seen < now)
		if (__atomic_compare_exchange_n(&latest, &seen, now, true, __ATOMIC_SEQ_CST,
						__ATOMIC_RELAXED))
			return now;
	return seen;
}

/*
 * What the boot CPU's TSC makes of the platform counter's time, 0 on others: theirs may be anything
 * when they start.  It runs at its own rate, but long enough for the counter to go round unseen once
 * are only the seconds in which a boot fills memory; nothing else would make up for the time then lost,
 * and with it, all later looks at the counter would come too late.
 */
static uint64_t platform_expected(void)
{
	int64_t expected = time_from_tsc(tsc_read_ordered()) - platform_offset;

	return cpu_id() || expected < 0 ? 0 : expected;
}

/* The new base continues from the platform counter: the CPU's time may jump, time_now not back. */
static void base_renew(void)
{
	uint64_t flags = irq_save();
	struct time_base *b = &this_cpu(cpu_base);

	b->ns = platform_now_near(platform_expected()) + platform_offset;
	b->tsc = tsc_read_ordered();
	irq_restore(flags);
}

static void rebase_fired(void *arg)
{
	struct timer *t = arg;

	base_renew();
	if (!vcpu_is_idle(current))
		vtime_update(current);
	timer_set(t, time_now() + platform_poll_ns());
}

static void rebase_start(unsigned int cpu)
{
	struct timer *t = &per_cpu(rebase_timer, cpu);

	timer_init(t, rebase_fired, t, cpu);
	timer_set(t, latest);
}

/* From `now` on, each CPU goes by a base of its own; those that run already begin with the common
 * one. */
static init_text void unstable_set(const char *why, uint64_t now)
{
	unsigned int cpu;

	printk("TSC not used as a common clock: %s\n", why);
	latest = now;
	platform_offset = now - platform_now();
	for_each_online_cpu(cpu)
		per_cpu(cpu_base, cpu) = boot_base;
	__atomic_store_n(&is_unstable, true, __ATOMIC_SEQ_CST);
	for_each_online_cpu(cpu)
		rebase_start(cpu);
}

static init_text bool is_constant_rate(void)
{
	uint32_t r[4];

	if (cpu_features.has_invariant_tsc)
		return true;
	/* Emulators seldom say so, but have no other way to run it. */
	cpuid_count(1, 0, r);
	return r[2] & CPUID_1_ECX_HYPERVISOR;
}

init_text void time_init(void)
{
	char option[16];
	bool wants_unstable;

	platform_init();
	hz = platform_measure_tsc_hz();
	if (hz < 1000000 || hz > 20000000000UL)
		panic("the TSC runs at an impossible %lu Hz", hz);
	tsc_scale_set(&scale, hz, 1000000000UL);
	tsc_scale_invert(&inverse_scale, &scale);
	boot_base.tsc = tsc_read();
	printk("TSC: %lu kHz\n", tsc_khz());
	wants_unstable = boot_option("tsc", option, sizeof(option)) && !strcmp(option, "unstable");
	if (wants_unstable || !is_constant_rate())
		unstable_set(wants_unstable ? "by option" : "its rate changes", time_now());
	wallclock_init();
}

init_text void time_cpu_init(void)
{
	if (time_is_stable() && cpu_id() != 0) {
		uint64_t source_time;

		if (sync_measure_warp(&source_time))
			unstable_set("CPUs disagree", source_time);
	}
	if (!time_is_stable()) {
		base_renew();
		rebase_start(cpu_id());
	}
}

void delay_us(unsigned int us)
{
	/* By the raw TSC: panics and resets come through here in any state. */
	uint64_t start = tsc_read(), cycles = hz ? hz / 1000000 * us : 3000UL * us;

	while (tsc_read() - start < cycles)
		cpu_relax();
}
