/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The platform counter as a clock: 24 bits that go round every 4.7 seconds, looked at in time and too
 * late.
 *
 * Links: time/platform.c time/scale.c lib/bits.c
 */
#include "fake.h"

#include "dev/counter.h"
#include "time/platform.h"

#define HZ 3579545UL

static uint64_t ticks;

static uint64_t counter_read(void)
{
	return ticks; /* those above its 24 bits are for platform.c to cut off */
}

static struct counter counter = {"counter", HZ, 0xffffff, counter_read};

const struct counter *pmtimer_probe(void)
{
	return &counter;
}

const struct counter *hpet_probe(void)
{
	return NULL;
}

const struct counter *pit_probe(void)
{
	return NULL;
}

static bool is_near(uint64_t ns, uint64_t seconds)
{
	return ns + 1000 >= seconds * 1000000000 && ns <= seconds * 1000000000 + 1000;
}

TEST(looked_at_in_time_it_goes_on)
{
	ticks = 0xfffff0;
	platform_init();
	CHECK(platform_poll_ns() <= 1000000000);
	for (unsigned int s = 1; s < 100; s++) {
		ticks += HZ;
		CHECK(is_near(platform_now(), s));
	}
}

TEST(rounds_that_nobody_saw_are_made_up_for)
{
	uint64_t start;

	platform_init();
	start = platform_now();
	ticks += 100 * HZ;
	CHECK(!is_near(platform_now() - start, 100)); /* nothing tells it of them */
	ticks += HZ;
	CHECK(is_near(platform_now_near(start + 101000000000) - start, 101));
	/* what is expected only has to be nearer than half a round */
	ticks += 50 * HZ;
	CHECK(is_near(platform_now_near(start + 153000000000) - start, 151));
	ticks += 50 * HZ;
	CHECK(is_near(platform_now_near(start + 199000000000) - start, 201));
	/* it does not go back for it */
	ticks += HZ;
	CHECK(is_near(platform_now_near(start) - start, 202));
}
