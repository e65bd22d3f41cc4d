/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's timer (Intel SDM vol. 3, "APIC Timer"): one-shot, periodic and
 * TSC deadline.  It counts at 100 MHz, which stock Xen's guests measure too.
 * Periods that passed while nobody could take their interrupts are one interrupt.
 */
#include "hvm/vlapic_state.h"
#include "time/time.h"

#define BUS_CYCLE_NS 10
/* No guest has the hypervisor tick faster than this, whatever it asks for. */
#define PERIOD_MIN_NS 50000
/* TSC cycles (weeks) up to which a deadline is reckoned; a later one is looked at again then. */
#define DEADLINE_AHEAD_MAX (1UL << 53)

static bool is_deadline_mode(const struct vlapic *l)
{
	return (vlapic_get(l, APIC_LVTT) & LVTT_MODE) == LVTT_TSCDEADLINE;
}

/* SDM vol. 3, "Divide Configuration Register": bits 3, 1, 0; 7 divides by 1, 0 by 2.. */
unsigned int vlapic_timer_divisor(const struct vlapic *l)
{
	uint32_t tdcr = vlapic_get(l, APIC_TDCR), n = (tdcr & 3) | (tdcr >> 1 & 4);

	return 1U << ((n + 1) & 7);
}

static uint64_t unit_ns(const struct vlapic *l)
{
	return (uint64_t)BUS_CYCLE_NS * vlapic_timer_divisor(l);
}

static uint64_t period_ns(const struct vlapic *l)
{
	return MAX(vlapic_get(l, APIC_TMICT) * unit_ns(l), PERIOD_MIN_NS);
}

/* Under timer_lock. True: the deadline is reached (and gone); else the timer waits for it. */
static bool deadline_is_reached(struct vlapic *l)
{
	uint64_t now = tsc_read() + l->vcpu->hvm->tsc_offset, ahead;

	if (l->deadline <= now) {
		l->deadline = 0;
		return true;
	}
	ahead = MIN(l->deadline - now, DEADLINE_AHEAD_MAX);
	timer_set(&l->timer, time_now() + tsc_scale_apply(time_scale(), ahead) + 1);
	return false;
}

/* Under timer_lock. The count is 0 at l->ends, which has come: what now? */
static void count_ended(struct vlapic *l, uint64_t now)
{
	uint64_t period = period_ns(l);

	if (vlapic_get(l, APIC_LVTT) & LVTT_PERIODIC) {
		l->ends = now + period - (now - l->ends) % period;
		timer_set(&l->timer, l->ends);
	} else {
		l->ends = 0;
	}
}

static void timer_fired(void *arg)
{
	struct vlapic *l = arg;
	uint64_t now = time_now();
	bool is_due = false;

	spin_lock(&l->timer_lock);
	if (is_deadline_mode(l)) {
		is_due = l->deadline && deadline_is_reached(l);
	} else if (l->ends && l->ends <= now) {
		is_due = true;
		count_ended(l, now);
	} else if (l->ends) {
		timer_set(&l->timer, l->ends);
	}
	spin_unlock(&l->timer_lock);
	if (is_due)
		vlapic_lvt_raise(l, APIC_LVTT);
}

void vlapic_timer_init(struct vlapic *l)
{
	timer_init(&l->timer, timer_fired, l, l->vcpu->sched.cpu);
}

static void stop(struct vlapic *l)
{
	l->ends = 0;
	l->deadline = 0;
	timer_stop(&l->timer);
}

static void count_from(struct vlapic *l, uint32_t count)
{
	stop(l);
	if (!count || is_deadline_mode(l))
		return;
	l->ends = time_now() + count * unit_ns(l);
	timer_set(&l->timer, l->ends);
}

void vlapic_timer_start(struct vlapic *l, uint32_t count)
{
	spin_lock(&l->timer_lock);
	count_from(l, count);
	spin_unlock(&l->timer_lock);
}

static uint32_t count_get(const struct vlapic *l)
{
	uint64_t now = time_now(), period = period_ns(l);

	if (!l->ends)
		return 0;
	if (now < l->ends)
		return DIV_ROUND_UP(l->ends - now, unit_ns(l));
	/* It has ended, and its callback is not here yet. */
	if (vlapic_get(l, APIC_LVTT) & LVTT_PERIODIC)
		return (period - (now - l->ends) % period) / unit_ns(l);
	return 0;
}

uint32_t vlapic_timer_count(struct vlapic *l)
{
	uint32_t count;

	spin_lock(&l->timer_lock);
	count = count_get(l);
	spin_unlock(&l->timer_lock);
	return count;
}

void vlapic_timer_lvt_set(struct vlapic *l, uint32_t lvtt)
{
	uint32_t changed = vlapic_get(l, APIC_LVTT) ^ lvtt;

	spin_lock(&l->timer_lock);
	/* "TSC-Deadline Mode": going there or leaving disarms; the other two share the count */
	if (changed & LVTT_TSCDEADLINE)
		stop(l);
	vlapic_put(l, APIC_LVTT, lvtt);
	spin_unlock(&l->timer_lock);
}

void vlapic_timer_divide_set(struct vlapic *l, uint32_t tdcr)
{
	spin_lock(&l->timer_lock);
	if (is_deadline_mode(l)) {
		vlapic_put(l, APIC_TDCR, tdcr);
	} else {
		uint32_t count = count_get(l);

		vlapic_put(l, APIC_TDCR, tdcr);
		count_from(l, count);
	}
	spin_unlock(&l->timer_lock);
}

uint64_t vlapic_deadline_get(struct vlapic *l)
{
	uint64_t deadline;

	spin_lock(&l->timer_lock);
	deadline = is_deadline_mode(l) ? l->deadline : 0;
	spin_unlock(&l->timer_lock);
	return deadline;
}

/* A count above its start is none that it can have: it is taken for the start. */
void vlapic_timer_resume(struct vlapic *l, uint32_t count, uint64_t deadline)
{
	bool is_due = false;

	spin_lock(&l->timer_lock);
	count_from(l, MIN(count, vlapic_get(l, APIC_TMICT)));
	l->deadline = deadline;
	if (is_deadline_mode(l) && deadline)
		is_due = deadline_is_reached(l);
	spin_unlock(&l->timer_lock);
	if (is_due)
		vlapic_lvt_raise(l, APIC_LVTT);
}

void vlapic_deadline_set(struct vlapic *l, uint64_t tsc)
{
	bool is_due = false;

	spin_lock(&l->timer_lock);
	if (is_deadline_mode(l)) {
		stop(l);
		l->deadline = tsc;
		is_due = tsc && deadline_is_reached(l);
	}
	spin_unlock(&l->timer_lock);
	if (is_due)
		vlapic_lvt_raise(l, APIC_LVTT);
}
