/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time over TSCs that agree, and over TSCs that do not.
 *
 * Links: time/time.c time/scale.c time/timer.c lib/bits.c
 */
#include "fake.h"

#include "boot/boot.h"
#include "cpu/features.h"
#include "cpu/softirq.h"
#include "time/platform.h"
#include "time/time.h"
#include "time/timer.h"
#include "time/vtime.h"
#include "time/wallclock.h"

#define HZ 2500000000UL

static const char *option;
static uint64_t platform_ns, warp;
static struct domain system_domain = {.type = DOMAIN_SYSTEM};
static struct vcpu idle = {.domain = &system_domain};

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	(void)cpu, (void)nr;
}

void softirq_raise(enum softirq nr)
{
	(void)nr;
}

bool boot_option(const char *name, char *buf, size_t size)
{
	if (!option || strcmp(name, "tsc"))
		return false;
	snprintf(buf, size, "%s", option);
	return true;
}

void platform_init(void)
{
}

uint64_t platform_measure_tsc_hz(void)
{
	return HZ;
}

static uint64_t expected_seen;

uint64_t platform_now(void)
{
	return platform_ns;
}

/* The counter goes round every 4 s. */
uint64_t platform_now_near(uint64_t expected)
{
	expected_seen = expected;
	while (expected > platform_ns + 2000000000)
		platform_ns += 4000000000;
	return platform_ns;
}

uint64_t platform_poll_ns(void)
{
	return 1000000000;
}

uint64_t sync_measure_warp(uint64_t *source_time)
{
	*source_time = 5000000;
	return warp;
}

void wallclock_init(void)
{
}

void vtime_update(struct vcpu *v)
{
	(void)v;
}

static void cpus_start(const char *opt, uint64_t measured_warp)
{
	cpu_features.has_invariant_tsc = true;
	option = opt;
	warp = measured_warp;
	platform_ns = 1000;
	fake_tsc = 7777777;
	cpumask_zero(&cpu_online);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		fake_cpu_infos[cpu].vcpu = &idle;
		fake_cpu_set(cpu);
		if (cpu == 0)
			time_init();
		time_cpu_init();
		cpumask_set(&cpu_online, cpu);
	}
}

/* Stable tests come first: there is no way back from unstable. */
TEST(agreeing_tscs_make_one_clock)
{
	uint64_t before;

	cpus_start(NULL, 0);
	CHECK(time_is_stable());
	CHECK_EQ(tsc_khz(), HZ / 1000);
	CHECK_EQ(time_now(), 0);
	fake_tsc += HZ;
	fake_cpu_set(0);
	before = time_now();
	CHECK(before >= 999999998 && before <= 1000000000);
	fake_cpu_set(1);
	CHECK_EQ(time_now(), before);
	CHECK(time_base() == time_base());
	/* a TSC from before the start is not a huge time */
	CHECK_EQ(time_from_tsc(5), 0);
}

TEST(ns_and_tsc_convert_both_ways)
{
	cpus_start(NULL, 0);
	for (uint64_t ns = 1; ns < 1UL << 60; ns *= 3) {
		uint64_t tsc = time_to_tsc(ns), back = time_from_tsc(tsc);

		/* never early: a deadline armed at that TSC value is reached; late by nothing to
		 * speak of */
		CHECK(back + 2 + (ns >> 29) >= ns);
		CHECK(back <= ns + 2 + (ns >> 29));
	}
	CHECK_EQ(time_to_tsc(0), 7777777);
	/* what a guest may ask for never comes out as a time in the past */
	for (unsigned int bit = 50; bit < 64; bit++)
		CHECK(time_to_tsc((1UL << bit) + 12345) > time_to_tsc(1UL << 49));
}

TEST(disagreeing_tscs_do_not_go_back)
{
	int64_t skew[2] = {0, -3000000};
	uint64_t last = 0, true_ns = 0;
	unsigned int seed = 3;

	cpus_start(NULL, 12345);
	CHECK(!time_is_stable());
	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t now;

		seed = seed * 1103515245 + 12345;
		fake_cpu_set(seed >> 20 & 1);
		true_ns += seed >> 18 & 0xffff;
		platform_ns = 1000 + true_ns;
		fake_tsc = 7777777 + true_ns * (HZ / 1000000) / 1000 + skew[fake_cpu];
		timer_softirq();
		now = time_now();
		CHECK(now >= last);
		last = now;
	}
	/* and keeps to the platform's time, which was 5 ms when it began */
	CHECK(last >= true_ns + 4000000 && last <= true_ns + 9000000);
}

TEST(the_option_makes_it_unstable)
{
	cpus_start("unstable", 0);
	CHECK(!time_is_stable());
	CHECK(strstr(fake_log, "by option"));
}

/* Nobody looks at the counter while a large machine's memory is filled at boot. */
TEST(a_round_of_the_counter_that_nobody_saw_is_not_lost)
{
	uint64_t start, last = 0;

	cpus_start("unstable", 0);
	fake_cpu_set(0);
	timer_softirq();
	start = time_now();
	fake_tsc += 10 * HZ; /* the counter went round twice, and stands at 2 s */
	platform_ns += 2000000000;
	timer_softirq();
	CHECK(time_now() - start >= 9990000000 && time_now() - start <= 10010000000);
	for (unsigned int i = 0; i < 100; i++) {
		fake_tsc += HZ / 10;
		platform_ns += 100000000;
		timer_softirq();
		CHECK(time_now() > last);
		last = time_now();
	}
	CHECK(last - start >= 19900000000 && last - start <= 20100000000);
	fake_cpu_set(1); /* whose TSC may be anything */
	expected_seen = 1;
	fake_tsc += 1000 * HZ;
	timer_softirq();
	CHECK_EQ(expected_seen, 0);
}
