/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: order, replacement, cancellation, migration; against a sorted
 * array as the model.
 *
 * Links: time/timer.c lib/bits.c
 */
#include "fake.h"

#include "cpu/softirq.h"
#include "time/time.h"
#include "time/timer.h"

#define TIMERS 64

static unsigned int raised[FAKE_CPUS];
static unsigned int fired[TIMERS], order[TIMERS * 4], nr_fired;
static struct timer timers[TIMERS];
static struct timer *stop_from_callback;

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	CHECK_EQ(nr, SOFTIRQ_TIMER);
	raised[cpu]++;
}

void softirq_raise(enum softirq nr)
{
	softirq_raise_on(fake_cpu, nr);
}

static void fire(void *arg)
{
	unsigned int n = (struct timer *)arg - timers;

	CHECK(irq_is_enabled());
	CHECK_EQ(timers[n].cpu, fake_cpu);
	fired[n]++;
	order[nr_fired++ % ARRAY_SIZE(order)] = n;
	if (stop_from_callback) {
		timer_stop(stop_from_callback);
		stop_from_callback = NULL;
	}
}

static void begin(void)
{
	for (unsigned int i = 0; i < TIMERS; i++) {
		if (timers[i].fn)
			timer_kill(&timers[i]);
		timer_init(&timers[i], fire, &timers[i], 0);
	}
	memset(fired, 0, sizeof(fired));
	memset(raised, 0, sizeof(raised));
	nr_fired = 0;
	fake_time = 1000;
	fake_cpu_set(0);
	irq_enable();
	fake_cpu_set(1);
	irq_enable();
	fake_cpu_set(0);
}

static void run_at(unsigned int cpu, uint64_t t)
{
	fake_time = t;
	fake_cpu_set(cpu);
	timer_softirq();
}

TEST(fires_in_order_and_arms_the_next)
{
	begin();
	timer_set(&timers[0], 3000);
	CHECK_EQ(fake_timer_deadline[0], 3000);
	timer_set(&timers[1], 2000);
	CHECK_EQ(fake_timer_deadline[0], 2000);
	timer_set(&timers[2], 4000);
	CHECK_EQ(fake_timer_deadline[0], 2000);
	run_at(0, 1999);
	CHECK_EQ(nr_fired, 0);
	run_at(0, 3000);
	CHECK_EQ(nr_fired, 2);
	CHECK_EQ(order[0], 1);
	CHECK_EQ(order[1], 0);
	CHECK_EQ(fake_timer_deadline[0], 4000);
	run_at(0, 5000);
	CHECK_EQ(nr_fired, 3);
	CHECK_EQ(fake_timer_deadline[0], TIMER_NEVER);
}

TEST(setting_again_replaces)
{
	begin();
	timer_set(&timers[0], 2000);
	timer_set(&timers[0], 5000);
	CHECK_EQ(fake_timer_deadline[0], 5000);
	run_at(0, 3000);
	CHECK_EQ(nr_fired, 0);
	timer_set(&timers[0], 3500);
	run_at(0, 6000);
	CHECK_EQ(fired[0], 1);
}

TEST(stopped_does_not_fire)
{
	begin();
	timer_set(&timers[0], 2000);
	timer_set(&timers[1], 2001);
	timer_stop(&timers[0]);
	timer_stop(&timers[0]);
	timer_stop(&timers[5]);
	run_at(0, 9000);
	CHECK_EQ(fired[0], 0);
	CHECK_EQ(fired[1], 1);
}

TEST(a_callback_may_stop_another_that_is_due)
{
	begin();
	timer_set(&timers[0], 2000);
	timer_set(&timers[1], 2001);
	stop_from_callback = &timers[1];
	run_at(0, 9000);
	CHECK_EQ(fired[0], 1);
	CHECK_EQ(fired[1], 0);
}

TEST(a_killed_timer_cannot_be_set)
{
	begin();
	timer_set(&timers[0], 2000);
	timer_kill(&timers[0]);
	timer_set(&timers[0], 3000);
	run_at(0, 9000);
	CHECK_EQ(fired[0], 0);
}

TEST(killing_one_that_was_never_made_is_harmless)
{
	struct timer t = {0};

	timer_kill(&t);
}

TEST(migrates_with_its_time)
{
	begin();
	timer_set(&timers[0], 2000);
	timer_migrate(&timers[0], 1);
	CHECK_EQ(raised[1], 1);
	run_at(0, 9000);
	CHECK_EQ(fired[0], 0);
	run_at(1, 9000);
	CHECK_EQ(fired[0], 1);
	timer_migrate(&timers[0], 0);
	CHECK(!timers[0].is_set);
	timer_set(&timers[0], 9500);
	CHECK_EQ(raised[0], 1);
}

TEST(setting_from_another_cpu_tells_the_timers_own)
{
	begin();
	fake_cpu_set(1);
	timer_set(&timers[0], 2000);
	CHECK_EQ(raised[0], 1);
	timer_set(&timers[1], 3000);
	CHECK_EQ(raised[0], 1);
}

TEST(never_runs_twice_at_once)
{
	begin();
	timer_set(&timers[0], 2000);
	timers[0].is_running = true; /* on another CPU */
	run_at(0, 2000);
	CHECK_EQ(fired[0], 0);
	CHECK(timers[0].is_set && timers[0].expires > 2000);
	timers[0].is_running = false;
	run_at(0, timers[0].expires);
	CHECK_EQ(fired[0], 1);
}

TEST(agrees_with_a_model)
{
	uint64_t model[TIMERS];
	unsigned int seed = 1;

	begin();
	for (unsigned int i = 0; i < TIMERS; i++)
		model[i] = ~0UL;
	for (unsigned int step = 0; step < 20000; step++) {
		unsigned int n;

		seed = seed * 1103515245 + 12345;
		n = seed >> 16 & (TIMERS - 1);
		switch (seed >> 24 & 7) {
		case 0:
		case 1:
			timer_stop(&timers[n]);
			model[n] = ~0UL;
			break;
		case 2:
			memset(fired, 0, sizeof(fired));
			run_at(0, fake_time + (seed >> 20 & 255));
			for (unsigned int i = 0; i < TIMERS; i++) {
				CHECK_EQ(fired[i], model[i] <= fake_time);
				if (fired[i])
					model[i] = ~0UL;
			}
			break;
		default:
			model[n] = fake_time + (seed >> 8 & 1023);
			timer_set(&timers[n], model[n]);
		}
	}
}
