/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scales between frequencies, and the decoding of the real-time clock.
 *
 * Links: time/scale.c dev/cmos_time.c lib/bits.c
 */
#include "fake.h"

#include "dev/cmos.h"
#include "time/scale.h"

static void check_near(uint64_t got, uint64_t want, uint64_t tolerance)
{
	if (got + tolerance < want || got > want + tolerance)
		fake_test_fail(__FILE__, __LINE__, "%lu instead of %lu", got, want);
}

TEST(scales_many_frequencies)
{
	static const uint64_t hz[] = {1000000,	  3579545,    14318180,	   100000000,
				      999999999,  1000000000, 1000000001,  2499602000,
				      3000000000, 4294967296, 10000000000, 19999999999};

	for (unsigned int i = 0; i < ARRAY_SIZE(hz); i++) {
		struct tsc_scale s, inverse;

		tsc_scale_set(&s, hz[i], 1000000000);
		CHECK(s.mul >= 0x80000000);
		/* an hour, to a part in a thousand million */
		check_near(tsc_scale_apply(&s, hz[i] * 3600), 3600000000000, 3600);
		tsc_scale_invert(&inverse, &s);
		check_near(tsc_scale_apply(&inverse, 3600000000000), hz[i] * 3600, 3600 * 20);
		CHECK_EQ(tsc_scale_apply(&s, 0), 0);
	}
}

TEST(does_not_overflow_in_ten_years)
{
	struct tsc_scale s;
	uint64_t years = 10UL * 365 * 86400;

	tsc_scale_set(&s, 5000000000, 1000000000);
	check_near(tsc_scale_apply(&s, 5000000000 * years), 1000000000 * years, 1000000000);
	tsc_scale_set(&s, 1000000000, 1000000000);
	check_near(tsc_scale_apply(&s, 1000000000 * years), 1000000000 * years, 1000000000);
}

TEST(never_goes_back)
{
	struct tsc_scale s;
	uint64_t last = 0;

	tsc_scale_set(&s, 2712345678, 1000000000);
	for (uint64_t x = 0; x < 100000; x++) {
		uint64_t now = tsc_scale_apply(&s, x);

		CHECK(now >= last);
		last = now;
	}
}

TEST(reads_a_bcd_clock)
{
	struct cmos_time t = {0x56, 0x34, 0x12, 0x21, 0x11, 0x26, 0x20, 0x02};

	CHECK_EQ(cmos_time_decode(&t), 1795264496); /* 2026-11-21 12:34:56 */
	t.century = 0;
	CHECK_EQ(cmos_time_decode(&t), 1795264496);
}

TEST(reads_a_binary_clock)
{
	struct cmos_time t = {56, 34, 12, 21, 11, 26, 20, 0x06};

	CHECK_EQ(cmos_time_decode(&t), 1795264496);
}

TEST(reads_twelve_hour_clocks)
{
	struct cmos_time t = {0, 0, 0x12, 0x01, 0x01, 0x00, 0x20, 0x00};

	CHECK_EQ(cmos_time_decode(&t), 946684800); /* 12 AM */
	t.hour = 0x92;
	CHECK_EQ(cmos_time_decode(&t), 946684800 + 12 * 3600); /* 12 PM */
	t.hour = 0x81;
	CHECK_EQ(cmos_time_decode(&t), 946684800 + 13 * 3600);
	t.hour = 0x00;
	CHECK_EQ(cmos_time_decode(&t), 0);
}

TEST(knows_leap_years_and_the_epoch)
{
	struct cmos_time t = {0, 0, 0, 0x29, 0x02, 0x24, 0x20, 0x02};

	CHECK_EQ(cmos_time_decode(&t), 1709164800); /* 2024-02-29 */
	t = (struct cmos_time){0, 0, 0, 0x01, 0x01, 0x70, 0x19, 0x02};
	CHECK_EQ(cmos_time_decode(&t), 0);
	t = (struct cmos_time){0, 0, 0, 0x01, 0x03, 0x00, 0x21, 0x02};
	CHECK_EQ(cmos_time_decode(&t), 4107542400); /* 2100-03-01 */
}

TEST(refuses_what_is_no_date)
{
	static const struct cmos_time bad[] = {
		{0x60, 0, 0, 1, 1, 0x26, 0x20, 2}, {0, 0x60, 0, 1, 1, 0x26, 0x20, 2},
		{0, 0, 0x24, 1, 1, 0x26, 0x20, 2}, {0, 0, 0, 0, 1, 0x26, 0x20, 2},
		{0, 0, 0, 0x32, 1, 0x26, 0x20, 2}, {0, 0, 0, 1, 0, 0x26, 0x20, 2},
		{0, 0, 0, 1, 0x13, 0x26, 0x20, 2}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{0, 0, 0, 1, 1, 0x50, 0x19, 2},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(cmos_time_decode(&bad[i]), 0);
}
