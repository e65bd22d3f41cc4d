/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real-time clock of a PC: time, alarm, periodic and update interrupts
 * (MC146818 data sheet, "Registers", "Interrupts").  Its flags are caught up with
 * system time when somebody looks; the timer runs only for interrupts that are
 * enabled.  CMOS memory behind its 14 registers is the device model's.
 */
#include "hvm/platform_state.h"

#include "dev/cmos.h"
#include "lib/errno.h"

#define RTC_HZ		 32768U
#define RTC_IRQ		 8
#define NS_PER_S	 1000000000UL
#define UPDATE_NS	 244000 /* before it: "Update Cycle" */

#define REG_SECOND	 0
#define REG_SECOND_ALARM 1
#define REG_MINUTE	 2
#define REG_MINUTE_ALARM 3
#define REG_HOUR	 4
#define REG_HOUR_ALARM	 5
#define REG_WEEKDAY	 6
#define REG_DAY		 7
#define REG_MONTH	 8
#define REG_YEAR	 9
#define REG_A		 10
#define REG_B		 11
#define REG_C		 12
#define REG_D		 13

#define A_UPDATING	 0x80
#define A_RATE		 0x0f
#define A_RESET		 0x26 /* 32768 Hz, a period of 1024 Hz */
#define B_24H		 0x02
#define B_BINARY	 0x04
#define B_SET		 0x80
#define FLAG_UPDATE	 0x10 /* in C, and in B that it interrupts */
#define FLAG_ALARM	 0x20
#define FLAG_PERIODIC	 0x40
#define FLAGS		 0x70
#define C_IRQ		 0x80
#define D_VALID		 0x80
#define ALARM_ANY	 0xc0

/* --- what time it is --- */

static uint64_t wall_ns(const struct hvm_platform *p, uint64_t *seconds)
{
	uint64_t sec, ns;
	uint32_t nsec;

	wallclock_get(&sec, &nsec);
	ns = time_now() + nsec;
	*seconds = sec + ns / NS_PER_S + p->domain->wallclock_offset + p->rtc.hw.rtc_offset;
	return ns % NS_PER_S;
}

static uint8_t encode(const struct vrtc *r, unsigned int n)
{
	return r->hw.cmos_data[REG_B] & B_BINARY ? n : n / 10 << 4 | n % 10;
}

static uint8_t encode_hour(const struct vrtc *r, unsigned int hour)
{
	if (r->hw.cmos_data[REG_B] & B_24H)
		return encode(r, hour);
	return encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? 0x80 : 0);
}

static void date_fill(struct vrtc *r, uint64_t days)
{
	/* Years that start in March, so that the leap day is the last: from 0000-03-01. */
	uint64_t day = (days + 719468) % 146097; /* of 400 years */
	unsigned int year = (day - day / 1460 + day / 36524 - day / 146096) / 365, month;

	day -= 365 * year + year / 4 - year / 100;
	month = (5 * day + 2) / 153;
	day -= (153 * month + 2) / 5;
	month += month < 10 ? 3 : -9;
	r->hw.cmos_data[REG_WEEKDAY] = encode(r, (days + 4) % 7 + 1);
	r->hw.cmos_data[REG_DAY] = encode(r, day + 1);
	r->hw.cmos_data[REG_MONTH] = encode(r, month);
	r->hw.cmos_data[REG_YEAR] = encode(r, (year + (month <= 2)) % 100);
}

/* The time registers say what it is; while SET holds them, what they were. */
static void time_fill(struct hvm_platform *p)
{
	struct vrtc *r = &p->rtc;
	uint64_t sec;

	if (r->hw.cmos_data[REG_B] & B_SET)
		return;
	(void)wall_ns(p, &sec);
	r->hw.cmos_data[REG_SECOND] = encode(r, sec % 60);
	r->hw.cmos_data[REG_MINUTE] = encode(r, sec / 60 % 60);
	r->hw.cmos_data[REG_HOUR] = encode_hour(r, sec / 3600 % 24);
	date_fill(r, sec / 86400);
}

/* The guest has set them: what differs from the time is its clock's offset. */
static void time_commit(struct hvm_platform *p)
{
	struct vrtc *r = &p->rtc;
	const uint8_t *reg = r->hw.cmos_data;
	struct cmos_time t = {
		.second = reg[REG_SECOND],
		.minute = reg[REG_MINUTE],
		.hour = reg[REG_HOUR],
		.day = reg[REG_DAY],
		.month = reg[REG_MONTH],
		.year = reg[REG_YEAR],
		.status_b = reg[REG_B],
	};
	uint64_t sec = cmos_time_decode(&t), was;

	if (!sec)
		return;
	(void)wall_ns(p, &was);
	r->hw.rtc_offset += sec - was;
	r->second = sec;
}

/* --- flags and interrupts --- */

/* 0: none.  "Periodic Interrupt Rate and Square Wave Output Frequency" */
static uint64_t period_ns(const struct vrtc *r)
{
	unsigned int rate = r->hw.cmos_data[REG_A] & A_RATE;

	if (rate && rate <= 2)
		rate += 7;
	return rate ? hvm_ns_from_ticks(1UL << (rate - 1), RTC_HZ) : 0;
}

static bool is_alarm(const struct vrtc *r)
{
	for (unsigned int reg = REG_SECOND; reg <= REG_HOUR; reg += 2) {
		uint8_t alarm = r->hw.cmos_data[reg + 1];

		if (alarm < ALARM_ANY && alarm != r->hw.cmos_data[reg])
			return false;
	}
	return true;
}

static void flags_catch_up(struct hvm_platform *p)
{
	struct vrtc *r = &p->rtc;
	uint8_t *flags = &r->hw.cmos_data[REG_C];
	uint64_t now = time_now(), period = period_ns(r), sec;

	if (period && now / period != r->looked / period)
		*flags |= FLAG_PERIODIC;
	r->looked = now;
	(void)wall_ns(p, &sec);
	if (sec == r->second || r->hw.cmos_data[REG_B] & B_SET)
		return;
	r->second = sec;
	time_fill(p);
	*flags |= FLAG_UPDATE | (is_alarm(r) ? FLAG_ALARM : 0);
}

static void irq_flag_set(struct vrtc *r)
{
	if (r->hw.cmos_data[REG_C] & r->hw.cmos_data[REG_B] & FLAGS)
		r->hw.cmos_data[REG_C] |= C_IRQ;
}

/* The line and the timer follow the flags. */
static void irq_update(struct hvm_platform *p)
{
	struct vrtc *r = &p->rtc;
	uint8_t enabled = r->hw.cmos_data[REG_B] & FLAGS;
	uint64_t period = period_ns(r), next = TIMER_NEVER, sec, ns;

	irq_flag_set(r);
	hvm_isa_irq_set(p->domain, RTC_IRQ, r->hw.cmos_data[REG_C] & C_IRQ && !vhpet_is_legacy(p));
	if (r->hw.cmos_data[REG_C] & C_IRQ)
		enabled = 0; /* nothing more happens until it is read */
	if (enabled & FLAG_PERIODIC && period)
		next = (r->looked / period + 1) * period;
	if (enabled & (FLAG_UPDATE | FLAG_ALARM) && !(r->hw.cmos_data[REG_B] & B_SET)) {
		ns = wall_ns(p, &sec);
		next = MIN(next, time_now() + NS_PER_S - ns);
	}
	if (next == TIMER_NEVER)
		timer_stop(&r->timer);
	else
		timer_set(&r->timer, next);
}

static void fired(void *arg)
{
	struct hvm_platform *p = arg;

	spin_lock(&p->rtc.lock);
	flags_catch_up(p);
	irq_update(p);
	spin_unlock(&p->rtc.lock);
}

/* --- the ports --- */

static uint8_t reg_read(struct hvm_platform *p, unsigned int reg)
{
	struct vrtc *r = &p->rtc;
	uint64_t sec;
	uint8_t val;

	switch (reg) {
	case REG_A:
		val = r->hw.cmos_data[REG_A];
		if (wall_ns(p, &sec) >= NS_PER_S - UPDATE_NS && !(r->hw.cmos_data[REG_B] & B_SET))
			val |= A_UPDATING;
		return val;
	case REG_C:
		flags_catch_up(p);
		irq_flag_set(r);
		val = r->hw.cmos_data[REG_C];
		r->hw.cmos_data[REG_C] = 0;
		irq_update(p);
		return val;
	case REG_D:
		return D_VALID;
	default:
		time_fill(p);
		return r->hw.cmos_data[reg];
	}
}

static void reg_write(struct hvm_platform *p, unsigned int reg, uint8_t val)
{
	struct vrtc *r = &p->rtc;
	uint8_t was_b = r->hw.cmos_data[REG_B];

	if (reg == REG_C || reg == REG_D)
		return;
	flags_catch_up(p);
	time_fill(p);
	r->hw.cmos_data[reg] = reg == REG_A ? val & (uint8_t)~A_UPDATING : val;
	if (reg == REG_B && was_b & B_SET && !(val & B_SET))
		time_commit(p);
	else if ((reg <= REG_HOUR && !(reg & 1)) || (reg >= REG_WEEKDAY && reg <= REG_YEAR))
		if (!(was_b & B_SET))
			time_commit(p);
	irq_update(p);
}

/* Registers past its own are selected here too, but answered elsewhere. */
bool vrtc_claims(struct hvm_platform *p, const struct hvm_io *io)
{
	if (io->size != 1)
		return false;
	if (io->addr & 1)
		return READ_ONCE(p->rtc.hw.cmos_index) < RTC_CMOS_SIZE;
	if (!io->is_write)
		return true;
	WRITE_ONCE(p->rtc.hw.cmos_index, io->data & 0x7f);
	return (io->data & 0x7f) < RTC_CMOS_SIZE;
}

uint64_t vrtc_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	unsigned int reg = READ_ONCE(p->rtc.hw.cmos_index);
	uint8_t val;

	if (!at || reg >= RTC_CMOS_SIZE)
		return 0xff;
	spin_lock(&p->rtc.lock);
	val = reg_read(p, reg);
	spin_unlock(&p->rtc.lock);
	return val;
}

void vrtc_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	unsigned int reg = READ_ONCE(p->rtc.hw.cmos_index);

	if (!at || reg >= RTC_CMOS_SIZE)
		return;
	spin_lock(&p->rtc.lock);
	reg_write(p, reg, val);
	spin_unlock(&p->rtc.lock);
}

void vrtc_init(struct hvm_platform *p)
{
	p->rtc.hw.cmos_data[REG_A] = A_RESET;
	p->rtc.hw.cmos_data[REG_B] = B_24H;
	timer_init(&p->rtc.timer, fired, p, cpu_info()->cpu);
}

int vrtc_save(struct domain *d, unsigned int instance, void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	struct hvm_hw_rtc *r = rec;

	if (!hvm_has_device(d, XEN_X86_EMU_RTC))
		return -ENODEV;
	spin_lock(&p->rtc.lock);
	flags_catch_up(p);
	*r = p->rtc.hw;
	spin_unlock(&p->rtc.lock);
	return 0;
}

/* The time goes on meanwhile: a clock that SET holds excepted, it is the wall clock's. */
int vrtc_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	const struct hvm_hw_rtc *r = rec;

	if (!hvm_has_device(d, XEN_X86_EMU_RTC))
		return -ENODEV;
	if (r->cmos_data[REG_A] & A_UPDATING || r->cmos_data[REG_C] & ~(FLAGS | C_IRQ) ||
	    r->cmos_index > 0x7f)
		return -EINVAL;
	spin_lock(&p->rtc.lock);
	p->rtc.hw = *r;
	p->rtc.looked = time_now();
	(void)wall_ns(p, &p->rtc.second);
	irq_update(p);
	spin_unlock(&p->rtc.lock);
	return 0;
}
