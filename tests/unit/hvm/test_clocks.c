/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clocks of the virtual platform: local APIC timer, PIT with port 61h, RTC,
 * ACPI PM timer and events, HPET: what they count, when they interrupt, which
 * accesses they leave to others.  A random walk over all their ports and
 * registers looks for what must not happen: crashes, and ticks without measure.
 *
 * Links: hvm/lines.c hvm/interrupt.c hvm/vpic.c hvm/vioapic.c hvm/vpit.c hvm/vrtc.c hvm/vpm.c
 * Links: hvm/vhpet.c hvm/platform.c hvm/vdebug.c hvm/vlapic.c hvm/vlapic_regs.c hvm/vlapic_timer.c
 * Links: hvm/vlapic_ipi.c dev/cmos_time.c time/timer.c time/scale.c lib/bits.c
 * Helpers: hvm/fake_vendor.c hvm/fake_platform.c
 */
#include "fake_platform.h"

#include <time.h>

#include <xen/hvm/ioreq.h>

#define MS 1000000UL
#define S  1000000000UL

static struct domain *d;
static struct vcpu *v;

static void begin(void)
{
	d = fake_platform_domain(1, FAKE_EMU_HVM);
	v = d->vcpus[0];
	CHECK_EQ(vlapic_msr_write(v, 0x1b, v->hvm->apic_base | APIC_BASE_EXTD), 0);
	CHECK_EQ(vlapic_msr_write(v, 0x80f, 0x1ff), 0);
	fake_ioapic_route(d, 2, 0x40);
	fake_ioapic_route(d, 8, 0x48);
	fake_ioapic_route(d, 9, 0x49 | 1UL << 15);
	fake_ioapic_route(d, 20, 0x54);
	fake_ioapic_route(d, 21, 0x55 | 1UL << 15);
}

static void end(void)
{
	fake_platform_free(d);
}

static uint8_t in(uint16_t port)
{
	return fake_io(d, true, port, 1, -1);
}

static void out(uint16_t port, uint8_t val)
{
	fake_io(d, true, port, 1, val);
}

/* Vectors had while `total` ns pass in steps. */
static unsigned int ticks(uint8_t vector, uint64_t total, uint64_t step)
{
	unsigned int n = 0;

	for (uint64_t t = 0; t < total; t += step) {
		fake_time_pass(step);
		n += fake_vectors_take(d, vector);
	}
	return n;
}

/* --- local APIC timer --- */

static void apic_write(unsigned int offset, uint64_t val)
{
	CHECK_EQ(vlapic_msr_write(v, 0x800 + offset / 16, val), 0);
}

static uint64_t apic_read(unsigned int offset)
{
	uint64_t val;

	CHECK_EQ(vlapic_msr_read(v, 0x800 + offset / 16, &val), 0);
	return val;
}

TEST(apic_one_shot)
{
	begin();
	apic_write(APIC_TDCR, 0xb); /* by 1: 10 ns */
	apic_write(APIC_LVTT, 0x31);
	apic_write(APIC_TMICT, 1000000);
	CHECK_EQ(ticks(0x31, 9 * MS, MS), 0);
	CHECK_EQ(apic_read(APIC_TMCCT), 100000);
	CHECK_EQ(ticks(0x31, 30 * MS, MS), 1);
	CHECK_EQ(apic_read(APIC_TMCCT), 0);
	apic_write(APIC_TDCR, 0); /* by 2 */
	apic_write(APIC_TMICT, 1000000);
	CHECK_EQ(ticks(0x31, 19 * MS, MS), 0);
	apic_write(APIC_TMICT, 0); /* stops it */
	CHECK_EQ(ticks(0x31, 30 * MS, MS), 0);
	apic_write(APIC_TMICT, 1000000);
	apic_write(APIC_LVTT, 0x31 | LVT_MASKED); /* counts, says nothing */
	CHECK_EQ(ticks(0x31, 30 * MS, MS), 0);
	end();
}

TEST(apic_periodic)
{
	begin();
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, 0x31 | LVTT_PERIODIC);
	apic_write(APIC_TMICT, 100000);
	CHECK_EQ(ticks(0x31, 20 * MS, MS / 4), 20);
	fake_time_pass(50 * MS); /* nobody looked: one, and still in step */
	CHECK_EQ(fake_vectors_take(d, 0x31), 1);
	CHECK_EQ(ticks(0x31, 10 * MS, MS / 4), 10);
	apic_write(APIC_TMICT, 1); /* 10 ns: no faster than what is allowed */
	CHECK(ticks(0x31, MS, 1000) <= MS / 50000);
	end();
}

TEST(apic_deadline)
{
	uint64_t val;

	begin();
	fake_tsc = 5000;
	v->hvm->tsc_offset = -4000UL;		       /* it is 1000 for the guest */
	CHECK_EQ(vlapic_msr_write(v, 0x6e0, 2000), 0); /* not in that mode: vanishes */
	CHECK_EQ(vlapic_msr_read(v, 0x6e0, &val), 0);
	CHECK_EQ(val, 0);
	apic_write(APIC_LVTT, 0x31 | LVTT_TSCDEADLINE);
	apic_write(APIC_TMICT, 5); /* vanishes */
	CHECK_EQ(apic_read(APIC_TMICT), 0);
	CHECK_EQ(vlapic_msr_write(v, 0x6e0, 2000), 0);
	CHECK_EQ(vlapic_msr_read(v, 0x6e0, &val), 0);
	CHECK_EQ(val, 2000);
	fake_tsc = 5999;
	fake_time_pass(1001); /* the timer is early: it is looked at again */
	CHECK_EQ(fake_vectors_take(d, 0x31), 0);
	fake_tsc = 6000;
	fake_time_pass(2);
	CHECK_EQ(fake_vectors_take(d, 0x31), 1);
	CHECK_EQ(vlapic_msr_read(v, 0x6e0, &val), 0);
	CHECK_EQ(val, 0);
	CHECK_EQ(vlapic_msr_write(v, 0x6e0, 1), 0); /* past: at once */
	CHECK_EQ(fake_vectors_take(d, 0x31), 1);
	CHECK_EQ(vlapic_msr_write(v, 0x6e0, 9000), 0);
	CHECK_EQ(vlapic_msr_write(v, 0x6e0, 0), 0); /* disarmed */
	fake_tsc = 20000;
	fake_time_pass(S);
	CHECK_EQ(fake_vectors_take(d, 0x31), 0);
	CHECK_EQ(vlapic_msr_write(v, 0x6e0, ~0UL), 0); /* centuries ahead */
	fake_time_pass(S);
	CHECK_EQ(fake_vectors_take(d, 0x31), 0);
	apic_write(APIC_LVTT, 0x31); /* leaving the mode disarms */
	CHECK_EQ(vlapic_msr_read(v, 0x6e0, &val), 0);
	CHECK_EQ(val, 0);
	end();
}

/* --- PIT --- */

static uint16_t pit_count(unsigned int n)
{
	uint8_t low;

	out(0x43, n << 6);
	low = in(0x40 + n);
	return low | in(0x40 + n) << 8;
}

static void pit_start(unsigned int n, unsigned int mode, uint16_t count)
{
	out(0x43, n << 6 | 0x30 | mode << 1);
	out(0x40 + n, count);
	out(0x40 + n, count >> 8);
}

TEST(pit_periods)
{
	begin();
	CHECK_EQ(ticks(0x40, S, MS), 0);  /* nothing until it is told */
	pit_start(0, 2, 11932);		  /* 100 Hz */
	CHECK_EQ(ticks(0x40, S, MS), 99); /* the last rounds up past the second's end */
	pit_start(0, 3, 0);		  /* 65536: 18.2 Hz */
	CHECK_EQ(ticks(0x40, S, MS), 18);
	pit_start(0, 0, 11932);
	CHECK_EQ(ticks(0x40, S, MS), 1);
	pit_start(0, 2, 2); /* 1.7 us: no faster than what is allowed */
	CHECK(ticks(0x40, MS, 1000) <= MS / 50000);
	out(0x43, 0x34); /* a control word stops it */
	CHECK_EQ(ticks(0x40, S, MS), 0);
	end();
}

TEST(pit_counts)
{
	begin();
	pit_start(0, 2, 1000);
	fake_time_pass(100 * 838 + 100);
	CHECK_EQ(pit_count(0), 900);
	fake_time_pass(838096); /* a period */
	CHECK_EQ(pit_count(0), 900);
	pit_start(0, 3, 1000); /* by two */
	fake_time_pass(100 * 838 + 100);
	CHECK_EQ(pit_count(0), 800);
	pit_start(0, 0, 1000);
	fake_time_pass(839900); /* 1002 ticks: it goes on below 0 */
	CHECK_EQ(pit_count(0), 0xfffe);
	/* latched once, it stays until it is read */
	out(0x43, 0);
	fake_time_pass(MS);
	out(0x43, 0);
	CHECK_EQ(in(0x40), 0xfe);
	CHECK_EQ(in(0x40), 0xff);
	CHECK_EQ(in(0x43), 0xff);
	end();
}

TEST(pit_bytes_and_status)
{
	begin();
	out(0x43, 0x14); /* channel 0, low byte, mode 2 */
	out(0x43, 0xe2); /* its status: null count, OUT */
	CHECK_EQ(in(0x40), 0xd4);
	out(0x43, 0xe2);
	out(0x40, 200);
	out(0x43, 0xe2); /* latched once, it stays */
	CHECK_EQ(in(0x40), 0xd4);
	fake_time_pass(10 * 839);
	CHECK_EQ(in(0x40), 190);
	out(0x43, 0xe2);
	CHECK_EQ(in(0x40), 0x94);
	out(0x43, 0x20 | 0x40 | 4 << 1); /* channel 1, high byte, mode 4 */
	out(0x41, 1);
	fake_time_pass(6 * 839);
	CHECK_EQ(in(0x41), 0);
	out(0x43, 0xc4); /* count and status: the status comes first */
	CHECK_EQ(in(0x41), 0xa8);
	CHECK_EQ(in(0x41), 0);
	out(0x43, 0x7f); /* mode 7 is 3 */
	out(0x43, 0xe4);
	CHECK_EQ(in(0x41) & 0xe, 6);
	end();
}

TEST(port_61h)
{
	uint8_t refresh;

	begin();
	pit_start(2, 0, 11932);
	CHECK_EQ(in(0x61) & 0x23, 0);
	fake_time_pass(11 * MS);
	CHECK_EQ(in(0x61) & 0x20, 0x20);
	pit_start(2, 1, 11932); /* waits for the gate's edge */
	out(0x61, 0xff);
	CHECK_EQ(in(0x61) & 0x23, 3);
	fake_time_pass(5 * MS);
	CHECK_EQ(in(0x61) & 0x20, 0);
	out(0x61, 0);
	out(0x61, 1);
	fake_time_pass(6 * MS);
	CHECK_EQ(in(0x61) & 0x23, 1);
	fake_time_pass(5 * MS);
	CHECK_EQ(in(0x61) & 0x23, 0x21);
	refresh = in(0x61) & 0x10;
	fake_time_pass(15085);
	CHECK((in(0x61) & 0x10) != refresh);
	end();
}

/* --- RTC --- */

static uint8_t cmos_get(uint8_t reg)
{
	out(0x70, reg);
	return in(0x71);
}

static void cmos_set(uint8_t reg, uint8_t val)
{
	out(0x70, reg);
	out(0x71, val);
}

static void cmos_check(unsigned int year, unsigned int month, unsigned int day, unsigned int hour,
		       unsigned int minute, unsigned int second)
{
	CHECK_EQ(cmos_get(9), year);
	CHECK_EQ(cmos_get(8), month);
	CHECK_EQ(cmos_get(7), day);
	CHECK_EQ(cmos_get(4), hour);
	CHECK_EQ(cmos_get(2), minute);
	CHECK_EQ(cmos_get(0), second);
}

TEST(rtc_dates)
{
	static const struct {
		uint64_t sec;
		uint8_t year, month, day, weekday;
	} dates[] = {
		{0, 0x70, 1, 1, 5},
		{951782400, 0x00, 2, 0x29, 3}, /* 2000-02-29, Tuesday */
		{951868800, 0x00, 3, 1, 4},
		{1798675200, 0x26, 0x12, 0x31, 5},
		{4107456000, 0x00, 2, 0x28, 1}, /* 2100 is no leap year */
		{4107542400, 0x00, 3, 1, 2},
		{~0UL, 0, 0, 0, 0},
	};

	begin();
	for (unsigned int i = 0; i + 1 < ARRAY_SIZE(dates); i++) {
		fake_wall_sec = dates[i].sec;
		CHECK_EQ(cmos_get(9), dates[i].year);
		CHECK_EQ(cmos_get(8), dates[i].month);
		CHECK_EQ(cmos_get(7), dates[i].day);
		CHECK_EQ(cmos_get(6), dates[i].weekday);
	}
	fake_wall_sec = ~0UL; /* whatever: it must be a date */
	CHECK(cmos_get(8) >= 1 && cmos_get(8) <= 0x12);
	end();
}

/* Every day of four centuries, against the C library. */
TEST(rtc_calendar)
{
	begin();
	cmos_set(11, 6); /* binary */
	for (uint64_t day = 0; day < 146097; day++) {
		time_t t = day * 86400;
		struct tm tm;

		fake_wall_sec = t;
		gmtime_r(&t, &tm);
		out(0x70, 7);
		CHECK_EQ(in(0x71), tm.tm_mday);
		out(0x70, 8);
		CHECK_EQ(in(0x71), tm.tm_mon + 1);
		out(0x70, 9);
		CHECK_EQ(in(0x71), tm.tm_year % 100);
		out(0x70, 6);
		CHECK_EQ(in(0x71), tm.tm_wday + 1);
	}
	end();
}

TEST(rtc_set_and_formats)
{
	begin();
	fake_wall_sec = 1764201600; /* 2025-11-27 */
	d->wallclock_offset = 3600;
	cmos_check(0x25, 0x11, 0x27, 0x01, 0, 0);
	cmos_set(11, 0x86); /* SET, binary */
	cmos_set(9, 30);
	cmos_set(8, 2);
	cmos_set(7, 3);
	cmos_set(4, 13);
	cmos_set(2, 59);
	cmos_set(0, 58);
	fake_time_pass(5 * S);
	cmos_check(30, 2, 3, 13, 59, 58); /* held */
	cmos_set(11, 0x06);
	cmos_check(30, 2, 3, 13, 59, 58);
	fake_time_pass(3 * S);
	cmos_check(30, 2, 3, 14, 0, 1);
	cmos_set(11, 0); /* BCD, 12 hours */
	cmos_check(0x30, 2, 3, 0x82, 0, 1);
	cmos_set(4, 0x12); /* midnight, without SET */
	cmos_check(0x30, 2, 3, 0x12, 0, 1);
	cmos_set(8, 0x13); /* no month: nothing happens */
	cmos_check(0x30, 2, 3, 0x12, 0, 1);
	CHECK_EQ(cmos_get(10), 0x26);
	fake_time_pass(S - MS / 10);
	CHECK_EQ(cmos_get(10), 0xa6); /* about to update */
	CHECK_EQ(cmos_get(13), 0x80);
	cmos_set(13, 0);
	cmos_set(12, 0xff);
	CHECK_EQ(cmos_get(13), 0x80);
	end();
}

TEST(rtc_interrupts)
{
	begin();
	cmos_set(11, 0x42); /* periodic, 1024 Hz */
	(void)cmos_get(12);
	fake_time_pass(MS);
	CHECK_EQ(fake_vectors_take(d, 0x48), 1);
	fake_time_pass(10 * MS);
	CHECK_EQ(fake_vectors_take(d, 0x48), 0); /* not until C is read */
	CHECK_EQ(cmos_get(12) & 0xf0, 0xc0);
	CHECK_EQ(cmos_get(12), 0);
	fake_time_pass(MS);
	CHECK_EQ(fake_vectors_take(d, 0x48), 1);
	cmos_set(11, 0x12); /* update */
	(void)cmos_get(12);
	fake_time_pass(S);
	CHECK_EQ(fake_vectors_take(d, 0x48), 1);
	CHECK_EQ(cmos_get(12) & 0x90, 0x90);
	/* alarm in three seconds */
	cmos_set(11, 0x22);
	cmos_set(5, 0xff);
	cmos_set(3, 0xff);
	cmos_set(1, cmos_get(0) + 3);
	(void)cmos_get(12);
	fake_time_pass(S);
	fake_time_pass(S);
	CHECK_EQ(fake_vectors_take(d, 0x48), 0);
	fake_time_pass(S);
	CHECK_EQ(fake_vectors_take(d, 0x48), 1);
	CHECK_EQ(cmos_get(12) & 0xa0, 0xa0);
	cmos_set(11, 2); /* all off: flags can be polled */
	fake_time_pass(S);
	CHECK_EQ(fake_vectors_take(d, 0x48), 0);
	CHECK_EQ(cmos_get(12), 0x50);
	end();
}

TEST(rtc_leaves_the_cmos_to_the_device_model)
{
	struct hvm_io io = {.addr = 0x70, .size = 1, .is_port = true, .is_write = true, .data = 14};

	begin();
	CHECK(!fake_io_try(d, &io));
	io = (struct hvm_io){.addr = 0x71, .size = 1, .is_port = true};
	CHECK(!fake_io_try(d, &io));
	io = (struct hvm_io){.addr = 0x70, .size = 1, .is_port = true};
	CHECK(fake_io_try(d, &io));
	io = (struct hvm_io){.addr = 0x70,
			     .size = 1,
			     .is_port = true,
			     .is_write = true,
			     .data = 0x80 | 13}; /* with NMIs masked */
	CHECK(fake_io_try(d, &io));
	CHECK_EQ(in(0x71), 0x80);
	io = (struct hvm_io){.addr = 0x70, .size = 2, .is_port = true};
	CHECK(!fake_io_try(d, &io));
	end();
}

/* --- ACPI --- */

TEST(pm_timer)
{
	struct hvm_io io = {.addr = ACPI_PM_TMR_BLK_ADDRESS_V1, .size = 4, .is_port = true};

	fake_time = 77 * S;
	begin();
	CHECK_EQ(fake_io(d, true, ACPI_PM_TMR_BLK_ADDRESS_V0, 4, -1), 0);
	CHECK(!fake_io_try(d, &io));
	d->hvm->params[HVM_PARAM_ACPI_IOPORTS_LOCATION] = 1;
	fake_time_pass(10 * S);
	CHECK_EQ(fake_io(d, true, ACPI_PM_TMR_BLK_ADDRESS_V1, 4, -1), 35795450);
	CHECK_EQ(fake_io(d, true, ACPI_PM_TMR_BLK_ADDRESS_V1 + 1, 1, -1), 35795450 >> 8 & 0xff);
	fake_io(d, true, ACPI_PM_TMR_BLK_ADDRESS_V1, 4, 0);
	CHECK_EQ(fake_io(d, true, ACPI_PM_TMR_BLK_ADDRESS_V1, 4, -1), 35795450);
	io.addr = ACPI_PM_TMR_BLK_ADDRESS_V0;
	CHECK(!fake_io_try(d, &io));
	io.addr = ACPI_PM1A_CNT_BLK_ADDRESS_V1; /* the device model's */
	CHECK(!fake_io_try(d, &io));
	end();
}

TEST(pm_events)
{
	const uint16_t sts = ACPI_PM1A_EVT_BLK_ADDRESS_V1, en = sts + 2;

	begin();
	d->hvm->params[HVM_PARAM_ACPI_IOPORTS_LOCATION] = 1;
	CHECK_EQ(hvm_acpi_button(d, false), 0);
	CHECK_EQ(fake_vectors_take(d, 0x49), 0);
	CHECK_EQ(fake_io(d, true, sts, 2, -1), 0x100);
	fake_io(d, true, en, 2, 0xffff);
	CHECK_EQ(fake_io(d, true, en, 2, -1), 0x721);
	CHECK_EQ(vlapic_take(v), 0x49);
	fake_io(d, true, sts, 2, 0x100);
	CHECK_EQ(fake_io(d, true, sts, 4, -1), 0x7210000);
	vlapic_eoi(v->hvm->vlapic);
	CHECK_EQ(vlapic_take(v), -1); /* the SCI fell */
	CHECK_EQ(hvm_acpi_button(d, true), 0);
	CHECK_EQ(fake_io(d, true, sts, 2, -1), 0x200);
	CHECK_EQ(vlapic_take(v), 0x49);
	fake_io(d, true, sts + 1, 1, 2);
	CHECK_EQ(fake_io(d, true, sts, 2, -1), 0);
	vlapic_eoi(v->hvm->vlapic);
	/* bit 31 of the timer: after 599.9 s */
	fake_time_pass(599 * S);
	CHECK_EQ(vlapic_take(v), -1);
	fake_time_pass(S);
	CHECK_EQ(vlapic_take(v), 0x49);
	CHECK_EQ(fake_io(d, true, sts, 2, -1), 1);
	end();
}

/* --- HPET --- */

#define HPET(reg) (0xfed00000UL + (reg))

static uint64_t hpet_get(unsigned int reg)
{
	return fake_io(d, false, HPET(reg), 8, -1);
}

static void hpet_set(unsigned int reg, uint64_t val)
{
	struct hvm_io io = {.addr = HPET(reg), .size = 8, .is_write = true, .data = val};

	CHECK(fake_io_try(d, &io));
}

TEST(hpet_counter)
{
	fake_time = 12345;
	begin();
	CHECK_EQ(hpet_get(0), 16000000UL << 32 | 0x8086a201);
	hpet_set(0, 0);
	CHECK_EQ(hpet_get(0) & 0xffffffff, 0x8086a201);
	CHECK_EQ(hpet_get(0xf0), 0);
	fake_time_pass(S);
	CHECK_EQ(hpet_get(0xf0), 0);
	hpet_set(0x10, ~0UL);
	CHECK_EQ(hpet_get(0x10), 3);
	fake_time_pass(S);
	CHECK_EQ(hpet_get(0xf0), 62500000);
	hpet_set(0x10, 0);
	fake_time_pass(S);
	CHECK_EQ(hpet_get(0xf0), 62500000);
	hpet_set(0xf0, 0x1fffffff0UL);
	hpet_set(0x10, 1);
	fake_time_pass(256);
	CHECK_EQ(hpet_get(0xf0), 0x200000000UL);
	CHECK_EQ(fake_io(d, false, HPET(0xf4), 4, -1), 2);
	fake_io(d, false, HPET(0xf4), 4, 5); /* the low half stays */
	CHECK_EQ(hpet_get(0xf0), 0x500000000UL);
	CHECK_EQ(fake_io(d, false, HPET(0xf0), 2, -1), 0xffff);
	CHECK_EQ(fake_io(d, false, HPET(0xf2), 4, -1), 0xffffffff);
	fake_io(d, false, HPET(0x10), 1, 0);
	CHECK_EQ(hpet_get(0x10), 1);
	CHECK_EQ(hpet_get(0x160), 0); /* a fourth timer */
	hpet_set(0x160, ~0UL);
	CHECK_EQ(hpet_get(0x110), 0);
	end();
}

TEST(hpet_one_shot_and_level)
{
	begin();
	hpet_set(0x10, 1);
	hpet_set(0x100, 20 << 9 | 4);
	CHECK_EQ(hpet_get(0x100), 0xf0000000000030UL | 20 << 9 | 4);
	hpet_set(0x108, 625000); /* 10 ms */
	CHECK_EQ(ticks(0x54, 9 * MS, MS), 0);
	CHECK_EQ(ticks(0x54, S, MS), 1);
	hpet_set(0x120, 21 << 9 | 4 | 2);
	hpet_set(0x128, hpet_get(0xf0) + 625000);
	fake_time_pass(11 * MS);
	CHECK_EQ(hpet_get(0x20), 2);
	CHECK_EQ(vlapic_take(v), 0x55);
	hpet_set(0x20, 1); /* another's */
	CHECK_EQ(hpet_get(0x20), 2);
	fake_io(d, false, HPET(0x20), 4, 2);
	CHECK_EQ(hpet_get(0x20), 0);
	vlapic_eoi(v->hvm->vlapic);
	CHECK_EQ(vlapic_take(v), -1);
	hpet_set(0x120, 3 << 9 | 4 | 2); /* a GSI that it cannot have */
	hpet_set(0x128, hpet_get(0xf0) + 625);
	fake_time_pass(MS);
	CHECK_EQ(hpet_get(0x20), 2);
	CHECK_EQ(d->hvm->platform->lines.count[3], 0);
	end();
}

TEST(hpet_periodic_and_legacy)
{
	begin();
	pit_start(0, 2, 1193);
	hpet_set(0x10, 3);
	CHECK_EQ(ticks(0x40, 100 * MS, MS), 0); /* the PIT is cut off */
	hpet_set(0x100, 0x4c);			/* periodic, enabled, SETVAL */
	hpet_set(0x108, hpet_get(0xf0) + 625000);
	hpet_set(0x108, 62500); /* 1 ms */
	CHECK_EQ(ticks(0x40, 9 * MS, MS / 4), 0);
	CHECK_EQ(ticks(0x40, 21 * MS, MS / 4), 21);
	fake_time_pass(S);
	CHECK_EQ(fake_vectors_take(d, 0x40), 1);
	CHECK_EQ(ticks(0x40, 10 * MS, MS / 4), 10);
	hpet_set(0x108, 1);
	CHECK(ticks(0x40, MS, 1000) <= MS / 50000 + 1);
	hpet_set(0x100, 0x148); /* off; 32 bits */
	CHECK_EQ(ticks(0x40, 10 * MS, MS), 0);
	hpet_set(0x108, 0xaaaaaaaaffffffffUL);
	CHECK_EQ(hpet_get(0x108), 0xffffffff);
	end();
}

/* --- all of them --- */

static void random_step(void)
{
	static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1,	0x40,	0x41,
					 0x42, 0x43, 0x61, 0x70, 0x71,	0x1f40, 0x1f42, 0x1f48};
	struct hvm_io io = {
		.size = 1U << rand() % 3,
		.is_port = rand() & 1,
		.is_write = rand() & 1,
		.data = (uint64_t)rand() << 32 | rand(),
	};

	if (io.is_port) {
		io.addr = ports[rand() % ARRAY_SIZE(ports)];
		io.data &= io.addr == 0x70 ? 0xf : ~0UL;
	} else if (rand() & 1) {
		io.size = 8 >> rand() % 4;
		io.addr = HPET(rand() % 0x180 & (rand() & 7 ? ~7 : ~0));
	} else {
		io.addr = 0xfec00000 + (rand() & 1) * 0x10;
		io.data &= rand() & 1 ? 0x7f : ~0UL;
	}
	(void)fake_io_try(d, &io);
}

/* Port 0xe9: whole lines, without what a terminal could be told by. */
TEST(firmware_says_lines)
{
	begin();
	for (const char *c = "one\x1b[2J\n\ntw"; *c; c++)
		out(0xe9, *c);
	CHECK(!strcmp(fake_log, "one[2J\n"));
	out(0xe9, 'o');
	out(0xe9, '\n');
	CHECK(!strcmp(fake_log, "one[2J\ntwo\n"));
	for (unsigned int i = 0; i < 200; i++)
		out(0xe9, 'x');
	CHECK(strlen(fake_log) > 100 && strlen(fake_log) < 250);
	CHECK_EQ(in(0xe9), 0xe9);
	end();
}

TEST(any_accesses_at_any_time)
{
	begin();
	srand(7);
	for (unsigned int i = 0; i < 300000; i++) {
		random_step();
		if (rand() % 4 == 0) {
			struct hvm_interrupt got = hvm_interrupt_pending(v);

			(void)hvm_interrupt_take(v, &got);
			vlapic_eoi(v->hvm->vlapic);
		}
		fake_time_pass(rand() % 3 ? rand() % 100000 : rand());
		CHECK(d->hvm->platform->pic[0].irq_base % 8 == 0);
		for (unsigned int gsi = 0; gsi < HVM_GSIS; gsi++)
			CHECK(d->hvm->platform->lines.count[gsi] <= 2);
	}
	end();
}
