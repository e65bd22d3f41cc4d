/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The HPET: a 64-bit counter of 16 ns and three comparators (IA-PC HPET
 * Specification, "Register Overview", "Theory Of Operation"), which may take
 * the place of the PIT's and the RTC's interrupts.  No FSB delivery.
 */
#include "hvm/platform_state.h"
#include "lib/errno.h"

#define TICK_NS	     16
#define TICK_FS	     (TICK_NS * 1000000UL)
#define GSI_CAP	     0xf00000UL /* 20..23, whose pins no ISA device has */
#define TICKS_FAR    BIT(58)	/* years: no timer is set for what is further away */

#define REG_CAP	     0x000
#define REG_CONFIG   0x010
#define REG_ISR	     0x020
#define REG_COUNT    0x0f0
#define REG_TIMERS   0x100 /* 32 bytes each */
#define TIMER_CONFIG 0x00
#define TIMER_CMP    0x08

#define CAP_VALUE \
	(TICK_FS << 32 | 0x8086UL << 16 | 1U << 15 | 1U << 13 | 1 | (HPET_TIMER_NUM - 1) << 8)
#define CONFIG_ENABLE 1UL
#define CONFIG_LEGACY 2UL

#define TN_LEVEL      BIT(1)
#define TN_ENABLE     BIT(2)
#define TN_PERIODIC   BIT(3)
#define TN_SETVAL     BIT(6)
#define TN_32BIT      BIT(8)
#define TN_ROUTE(c)   ((c) >> 9 & 31)
#define TN_WRITABLE   0x3f4eUL
#define TN_CAP	      (GSI_CAP << 32 | BIT(5) | BIT(4)) /* 64 bits, periodic */

static bool is_running(const struct vhpet *t)
{
	return t->hw.config & CONFIG_ENABLE;
}

static uint64_t count_get(const struct vhpet *t)
{
	return is_running(t) ? time_now() / TICK_NS + t->base : t->hw.mc64;
}

bool vhpet_is_legacy(const struct hvm_platform *p)
{
	return READ_ONCE(p->hpet.hw.config) & CONFIG_LEGACY;
}

/* --- comparators --- */

static unsigned int gsi_of(const struct vhpet *t, unsigned int n)
{
	return TN_ROUTE(t->hw.timers[n].config);
}

static void line_set(struct hvm_platform *p, unsigned int n, bool level)
{
	if (p->hpet.lines & 1U << n && !level) {
		hvm_gsi_set(p->domain, p->hpet.line_gsi[n], false);
		p->hpet.lines &= ~(1U << n);
	} else if (level && GSI_CAP & BIT(gsi_of(&p->hpet, n))) {
		p->hpet.line_gsi[n] = gsi_of(&p->hpet, n);
		p->hpet.lines |= 1U << n;
		hvm_gsi_set(p->domain, p->hpet.line_gsi[n], true);
	}
}

static void interrupt(struct hvm_platform *p, unsigned int n)
{
	struct vhpet *t = &p->hpet;
	uint64_t config = t->hw.timers[n].config;

	if (config & TN_LEVEL)
		t->hw.isr |= BIT(n);
	if (!(config & TN_ENABLE))
		return;
	if (t->hw.config & CONFIG_LEGACY && n < 2) {
		hvm_isa_irq_pulse(p, n ? 8 : 0);
		return;
	}
	line_set(p, n, true);
	if (!(config & TN_LEVEL))
		line_set(p, n, false);
}

/* Ticks until the comparator matches. */
static uint64_t ticks_left(const struct vhpet *t, unsigned int n)
{
	uint64_t left = t->hw.timers[n].cmp - count_get(t);

	return t->hw.timers[n].config & TN_32BIT ? (uint32_t)left : left;
}

static uint64_t period_get(const struct vhpet *t, unsigned int n)
{
	return t->hw.timers[n].config & TN_PERIODIC ? t->hw.period[n] : 0;
}

static void arm(struct vhpet *t, unsigned int n)
{
	uint64_t left = ticks_left(t, n);

	t->due[n] = 0;
	if (!is_running(t) || left > TICKS_FAR) {
		timer_stop(&t->timers[n].timer);
		return;
	}
	t->due[n] = time_now() + left * TICK_NS;
	timer_set(&t->timers[n].timer, t->due[n]);
}

/* It has matched: a periodic one's next is a whole number of periods on. */
static void match(struct vhpet *t, unsigned int n, uint64_t now)
{
	uint64_t period = period_get(t, n), passed;

	t->due[n] = 0;
	if (!period)
		return;
	passed = (count_get(t) - t->hw.timers[n].cmp) / period + 1;
	if (t->hw.timers[n].config & TN_32BIT)
		passed = (uint32_t)(count_get(t) - t->hw.timers[n].cmp) / period + 1;
	t->hw.timers[n].cmp += passed * period;
	if (t->hw.timers[n].config & TN_32BIT)
		t->hw.timers[n].cmp = (uint32_t)t->hw.timers[n].cmp;
	t->due[n] = now + MAX(ticks_left(t, n) * TICK_NS, HVM_PERIOD_MIN_NS);
	timer_set(&t->timers[n].timer, t->due[n]);
}

static void fired(void *arg)
{
	struct vhpet_timer *timer = arg;
	struct hvm_platform *p = timer->platform;
	unsigned int n = timer - p->hpet.timers;
	uint64_t now = time_now();

	spin_lock(&p->hpet.lock);
	if (p->hpet.due[n] && p->hpet.due[n] <= now) {
		interrupt(p, n);
		match(&p->hpet, n, now);
	}
	spin_unlock(&p->hpet.lock);
}

/* --- registers --- */

static uint64_t reg_get(const struct vhpet *t, unsigned int reg)
{
	unsigned int n = (reg - REG_TIMERS) / 32;

	switch (reg) {
	case REG_CAP:
		return CAP_VALUE;
	case REG_CONFIG:
		return t->hw.config;
	case REG_ISR:
		return t->hw.isr;
	case REG_COUNT:
		return count_get(t);
	default:
		if (reg < REG_TIMERS || n >= HPET_TIMER_NUM)
			return 0;
		return reg % 32 == TIMER_CONFIG ? t->hw.timers[n].config | TN_CAP
		       : reg % 32 == TIMER_CMP	? t->hw.timers[n].cmp
						: 0;
	}
}

static void config_write(struct vhpet *t, uint64_t val)
{
	uint64_t count = count_get(t);

	WRITE_ONCE(t->hw.config, val & (CONFIG_ENABLE | CONFIG_LEGACY));
	t->hw.mc64 = count;
	t->base = count - time_now() / TICK_NS;
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++)
		arm(t, n);
}

static void isr_write(struct hvm_platform *p, uint64_t val)
{
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++) {
		if (!(val & p->hpet.hw.isr & BIT(n)))
			continue;
		p->hpet.hw.isr &= ~BIT(n);
		line_set(p, n, false);
	}
}

static void count_write(struct vhpet *t, uint64_t val)
{
	t->hw.mc64 = val;
	t->base = val - time_now() / TICK_NS;
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++)
		arm(t, n);
}

static void timer_config_write(struct hvm_platform *p, unsigned int n, uint64_t val)
{
	struct vhpet *t = &p->hpet;

	line_set(p, n, false);
	t->hw.timers[n].config = val & TN_WRITABLE;
	if (!(val & TN_LEVEL))
		t->hw.isr &= ~BIT(n);
	if (val & TN_32BIT) {
		t->hw.timers[n].cmp = (uint32_t)t->hw.timers[n].cmp;
		t->hw.period[n] = (uint32_t)t->hw.period[n];
	}
	arm(t, n);
}

/* "Timer N Comparator Value Register": a periodic one's is the period, and what it starts at
 * only by SETVAL. */
static void cmp_write(struct vhpet *t, unsigned int n, uint64_t val)
{
	uint64_t config = t->hw.timers[n].config;

	if (config & TN_32BIT)
		val = (uint32_t)val;
	if (!(config & TN_PERIODIC) || config & TN_SETVAL)
		t->hw.timers[n].cmp = val;
	if (config & TN_PERIODIC)
		t->hw.period[n] = val;
	t->hw.timers[n].config &= ~TN_SETVAL;
	arm(t, n);
}

static void reg_set(struct hvm_platform *p, unsigned int reg, uint64_t val)
{
	unsigned int n = (reg - REG_TIMERS) / 32;

	switch (reg) {
	case REG_CONFIG:
		config_write(&p->hpet, val);
		return;
	case REG_ISR:
		isr_write(p, val);
		return;
	case REG_COUNT:
		count_write(&p->hpet, val);
		return;
	default:
		if (reg < REG_TIMERS || n >= HPET_TIMER_NUM)
			return;
		if (reg % 32 == TIMER_CONFIG)
			timer_config_write(p, n, val);
		else if (reg % 32 == TIMER_CMP)
			cmp_write(&p->hpet, n, val);
	}
}

/* 32 or 64 bits, aligned; others are not defined ("Register Access Rules"). */
static bool is_valid(unsigned int at, unsigned int size)
{
	return size >= 4 && !(at % size);
}

uint64_t vhpet_read(struct hvm_platform *p, unsigned int at, unsigned int size)
{
	uint64_t val;

	if (!is_valid(at, size))
		return ~0UL;
	spin_lock(&p->hpet.lock);
	val = reg_get(&p->hpet, at & ~7U);
	spin_unlock(&p->hpet.lock);
	return val >> (at & 7) * 8;
}

void vhpet_write(struct hvm_platform *p, unsigned int at, unsigned int size, uint64_t val)
{
	unsigned int reg = at & ~7U;

	if (!is_valid(at, size))
		return;
	spin_lock(&p->hpet.lock);
	if (size == 4) {
		/* The half that is not written stays; of the ISR, where ones clear, it is none. */
		uint64_t old = reg == REG_ISR ? 0 : reg_get(&p->hpet, reg);

		val = at & 4 ? (uint32_t)old | val << 32 : (old & ~0xffffffffUL) | val;
	}
	reg_set(p, reg, val);
	spin_unlock(&p->hpet.lock);
}

void vhpet_init(struct hvm_platform *p)
{
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++) {
		p->hpet.hw.timers[n].cmp = ~0UL;
		p->hpet.timers[n].platform = p;
		timer_init(&p->hpet.timers[n].timer, fired, &p->hpet.timers[n], cpu_info()->cpu);
	}
}

int vhpet_save(struct domain *d, unsigned int instance, void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	struct hvm_hw_hpet *r = rec;

	if (!hvm_has_device(d, XEN_X86_EMU_HPET))
		return -ENODEV;
	spin_lock(&p->hpet.lock);
	*r = p->hpet.hw;
	r->capability = CAP_VALUE;
	r->mc64 = count_get(&p->hpet);
	spin_unlock(&p->hpet.lock);
	return 0;
}

static bool timer_is_valid(const struct hvm_hw_hpet *r, unsigned int n)
{
	uint64_t config = r->timers[n].config;

	if (config & ~(TN_WRITABLE | TN_CAP) || (r->isr & BIT(n) && !(config & TN_LEVEL)))
		return false;
	return !(config & TN_32BIT) || !((r->timers[n].cmp | r->period[n]) >> 32);
}

int vhpet_load(struct domain *d, unsigned int instance, const void *rec)
{
	struct hvm_platform *p = d->hvm->platform;
	const struct hvm_hw_hpet *r = rec;

	if (!hvm_has_device(d, XEN_X86_EMU_HPET))
		return -ENODEV;
	if (r->config & ~(CONFIG_ENABLE | CONFIG_LEGACY) || r->isr >> HPET_TIMER_NUM)
		return -EINVAL;
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++)
		if (!timer_is_valid(r, n))
			return -EINVAL;
	spin_lock(&p->hpet.lock);
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++) {
		line_set(p, n, false);
		p->hpet.hw.timers[n].config = r->timers[n].config & TN_WRITABLE;
		p->hpet.hw.timers[n].cmp = r->timers[n].cmp;
		p->hpet.hw.period[n] = r->period[n];
		if (r->isr & BIT(n) && r->timers[n].config & TN_ENABLE)
			line_set(p, n, true);
	}
	p->hpet.hw.isr = r->isr;
	WRITE_ONCE(p->hpet.hw.config, r->config);
	count_write(&p->hpet, r->mc64);
	spin_unlock(&p->hpet.lock);
	return 0;
}
