/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caps: a domain's vCPUs together get cap percent of one CPU in each period,
 * and are parked once they have had it.  What they took too much, because
 * several ran at once, counts against the next period.
 */
#include "domain/domain.h"
#include "lib/errno.h"
#include "sched/runqueue.h"
#include "sched/sched.h"
#include "time/time.h"

static uint64_t cap_quota(const struct domain *d)
{
	return SCHED_CAP_PERIOD * READ_ONCE(d->sched.cap) / 100;
}

static bool is_exhausted(const struct domain *d)
{
	return READ_ONCE(d->sched.cap) && READ_ONCE(d->sched.cap_used) >= cap_quota(d);
}

void cap_charge(struct domain *d, uint64_t ns, uint64_t now)
{
	if (!READ_ONCE(d->sched.cap))
		return;
	spin_lock(&d->sched.cap_lock);
	d->sched.cap_used += ns;
	if (!d->sched.is_cap_active) {
		d->sched.is_cap_active = true;
		timer_set(&d->sched.cap_timer, now + SCHED_CAP_PERIOD);
	}
	spin_unlock(&d->sched.cap_lock);
}

uint64_t cap_budget(const struct domain *d)
{
	uint64_t quota = cap_quota(d), used = READ_ONCE(d->sched.cap_used);

	if (!READ_ONCE(d->sched.cap))
		return ~0UL;
	return quota > used ? quota - used : 0;
}

bool cap_park(struct vcpu *v)
{
	struct domain *d = v->domain;

	if (!is_exhausted(d))
		return false;
	/*
	 * Again under the lock: the end of the period either comes before, and we
	 * do not park, or after, and finds us parked once we let go of the queue.
	 */
	spin_lock(&d->sched.cap_lock);
	v->sched.is_parked = d->sched.is_cap_active && is_exhausted(d);
	spin_unlock(&d->sched.cap_lock);
	return v->sched.is_parked;
}

void cap_unpark_all(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		uint64_t flags;
		struct runqueue *rq = runqueue_lock(v, &flags);
		bool was_parked = v->sched.is_parked;

		v->sched.is_parked = false;
		runqueue_unlock(rq, flags);
		if (was_parked)
			vcpu_wake(v);
	}
}

static void cap_period_ended(void *arg)
{
	struct domain *d = arg;
	uint64_t flags = spin_lock_irq(&d->sched.cap_lock), quota = cap_quota(d);

	if (d->sched.cap && d->sched.cap_used) {
		d->sched.cap_used -= MIN(d->sched.cap_used, quota);
		timer_set(&d->sched.cap_timer, d->sched.cap_timer.expires + SCHED_CAP_PERIOD);
	} else {
		d->sched.cap_used = 0;
		d->sched.is_cap_active = false;
	}
	spin_unlock_irq(&d->sched.cap_lock, flags);
	cap_unpark_all(d);
}

void sched_domain_init(struct domain *d)
{
	d->sched.weight = SCHED_WEIGHT_DEFAULT;
	timer_init(&d->sched.cap_timer, cap_period_ended, d, cpumask_first(&cpu_online));
	sched_watchdogs_init(d);
}

int sched_set_params(struct domain *d, uint16_t weight, uint16_t cap)
{
	uint64_t flags;

	if (!weight || cap > 100 * cpumask_weight(&cpu_online))
		return -EINVAL;
	flags = spin_lock_irq(&d->sched.cap_lock);
	WRITE_ONCE(d->sched.weight, weight);
	WRITE_ONCE(d->sched.cap, cap);
	spin_unlock_irq(&d->sched.cap_lock, flags);
	cap_unpark_all(d);
	return 0;
}
