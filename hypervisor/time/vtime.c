/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time as a guest sees it (struct vcpu_time_info of xen/xen.h): it computes
 * system time from RDTSC itself, by the numbers published here.  While all
 * CPUs' TSCs agree these are the same for every vCPU and never change, so
 * that time cannot go backwards between two of them.
 */
#include "time/vtime.h"

#include "domain/domain.h"
#include "hvm/state.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "time/time.h"

static void singleshot_fired(void *arg)
{
	evtchn_send_virq(arg, VIRQ_TIMER);
}

/* Ticks missed while nobody could take them are one tick. */
static void periodic_fired(void *arg)
{
	struct vcpu *v = arg;
	uint64_t period = READ_ONCE(v->time.period), now = time_now();
	uint64_t late = now - v->time.periodic.expires;

	evtchn_send_virq(v, VIRQ_TIMER);
	if (period)
		timer_set(&v->time.periodic, now + period - late % period);
}

void vtime_vcpu_init(struct vcpu *v)
{
	timer_init(&v->time.singleshot, singleshot_fired, v, v->sched.cpu);
	timer_init(&v->time.periodic, periodic_fired, v, v->sched.cpu);
}

void vtime_vcpu_fini(struct vcpu *v)
{
	timer_kill(&v->time.singleshot);
	timer_kill(&v->time.periodic);
}

void vtime_vcpu_scheduled(struct vcpu *v, unsigned int cpu)
{
	timer_migrate(&v->time.singleshot, cpu);
	timer_migrate(&v->time.periodic, cpu);
}

void vtime_singleshot_set(struct vcpu *v, uint64_t expires)
{
	if (expires > time_now()) {
		timer_set(&v->time.singleshot, expires);
		return;
	}
	timer_stop(&v->time.singleshot);
	evtchn_send_virq(v, VIRQ_TIMER);
}

void vtime_singleshot_stop(struct vcpu *v)
{
	timer_stop(&v->time.singleshot);
}

void vtime_periodic_set(struct vcpu *v, uint64_t period)
{
	WRITE_ONCE(v->time.period, period);
	if (period)
		timer_set(&v->time.periodic, time_now() + period);
	else
		timer_stop(&v->time.periodic);
}

/* The TSC is v's own: an HVM vCPU's is the CPU's and an offset. */
static void time_info_fill(const struct vcpu *v, struct vcpu_time_info *t, uint32_t version)
{
	const struct time_base *base = time_base();
	const struct tsc_scale *scale = time_scale();

	memset(t, 0, sizeof(*t));
	t->version = version;
	t->tsc_timestamp = base->tsc + (v->domain->type == DOMAIN_HVM ? v->hvm->tsc_offset : 0);
	t->system_time = base->ns;
	t->tsc_to_system_mul = scale->mul;
	t->tsc_shift = scale->shift;
	t->flags = time_is_stable() ? XEN_PVCLOCK_TSC_STABLE_BIT : 0;
}

static void barrier(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST); /* the CPU keeps stores in order itself */
}

/* In shared_info or a page of the guest's: nothing there is believed. */
static void info_write(struct vcpu_time_info *dst, const struct vcpu_time_info *t)
{
	WRITE_ONCE(dst->version, t->version - 1);
	barrier();
	dst->tsc_timestamp = t->tsc_timestamp;
	dst->system_time = t->system_time;
	dst->tsc_to_system_mul = t->tsc_to_system_mul;
	dst->tsc_shift = t->tsc_shift;
	dst->flags = t->flags;
	barrier();
	WRITE_ONCE(dst->version, t->version);
}

static void area_write(struct vcpu_area *area, const struct vcpu_time_info *t)
{
	uint32_t busy = t->version - 1;

	if (!vcpu_area_is_set(area))
		return;
	vcpu_area_write(area, offsetof(struct vcpu_time_info, version), &busy, sizeof(busy));
	vcpu_area_write(area, sizeof(uint32_t), (const char *)t + sizeof(uint32_t),
			sizeof(*t) - sizeof(uint32_t));
	vcpu_area_write(area, offsetof(struct vcpu_time_info, version), &t->version,
			sizeof(t->version));
}

/* A guest that starts over clears its shared_info: firmware does before it starts a kernel. */
static bool is_cleared(const struct vcpu *v)
{
	return v->info && READ_ONCE(v->info->time.version) != v->time.version;
}

void vtime_update(struct vcpu *v)
{
	struct vcpu_time_info t;

	if (v->time.is_published && time_is_stable() && !is_cleared(v))
		return;
	v->time.version += 2;
	time_info_fill(v, &t, v->time.version);
	if (v->info)
		info_write(&v->info->time, &t);
	area_write(&v->time.area, &t);
	v->time.is_published = v->info;
}

int vtime_area_set(struct vcpu *v, const void *guest)
{
	struct vcpu_time_info t;
	int rc = vcpu_area_set(&v->time.area, guest, sizeof(t));

	if (rc)
		return rc;
	time_info_fill(v, &t, v->time.version ? v->time.version : 2);
	area_write(&v->time.area, &t);
	return 0;
}

void vtime_domain_init(struct domain *d)
{
	vtime_update_wallclock(d);
}

void vtime_update_wallclock(struct domain *d)
{
	static struct spinlock lock = SPINLOCK_INIT;
	struct shared_info *s = d->shared_info;
	uint64_t sec, flags;
	uint32_t nsec, version;

	if (!s)
		return;
	flags = spin_lock_irq(&lock);
	wallclock_get(&sec, &nsec);
	sec += d->wallclock_offset;
	/* The guest can write here; its version word only has to become odd and then even. */
	version = READ_ONCE(s->wc_version) | 1;
	WRITE_ONCE(s->wc_version, version);
	barrier();
	s->wc_sec = sec;
	s->wc_sec_hi = sec >> 32;
	s->wc_nsec = nsec;
	barrier();
	WRITE_ONCE(s->wc_version, version + 1);
	spin_unlock_irq(&lock, flags);
}

long hypercall_set_timer_op(const uint64_t *args)
{
	if (args[0])
		vtime_singleshot_set(current, args[0]);
	else
		vtime_singleshot_stop(current);
	return 0;
}
