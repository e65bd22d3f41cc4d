/* SPDX-License-Identifier: BSD-2-Clause */
/* HYPERVISOR_sched_op (xen/sched.h): what a guest asks of the scheduler for itself. */
#include "cpu/softirq.h"
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "sched/runqueue.h"
#include "sched/sched.h"
#include "time/time.h"

#include <xen/sched.h>

#define POLL_PORTS_MAX 128 /* enough for any caller, and bounds the time */
#define NS_PER_S       1000000000UL

static long op_yield(const void *arg)
{
	(void)arg;
	vcpu_yield();
	return 0;
}

static long op_block(const void *arg)
{
	(void)arg;
	WRITE_ONCE(current->info->evtchn_upcall_mask, 0);
	vcpu_block();
	return 0;
}

static long op_shutdown(const void *arg)
{
	struct sched_shutdown shutdown;

	if (copy_in(&shutdown, arg, sizeof(shutdown)))
		return -EFAULT;
	if (shutdown.reason > SHUTDOWN_MAX)
		return -EINVAL;
	domain_shutdown(current->domain, shutdown.reason);
	return 0;
}

/* The code a later shutdown reports, whatever that says. */
static long op_shutdown_code(const void *arg)
{
	struct sched_shutdown shutdown;
	struct domain *d = current->domain;

	if (copy_in(&shutdown, arg, sizeof(shutdown)))
		return -EFAULT;
	if (shutdown.reason > SHUTDOWN_MAX)
		return -EINVAL;
	spin_lock(&d->lock);
	if (!d->is_shutting_down) {
		d->shutdown_code = shutdown.reason;
		d->has_shutdown_code = true;
	}
	spin_unlock(&d->lock);
	return 0;
}

static void poll_end(struct vcpu *v)
{
	atomic_bit_clear(&v->flags, VCPU_F_POLLING);
	WRITE_ONCE(v->evtchn.poll_port, 0);
}

/* 1 if one is pending already, 0, or -EINVAL, -EFAULT */
static int poll_ports_check(const port_t *ports, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int rc = evtchn_is_pending(current->domain, ports[i]);

		if (rc)
			return rc;
	}
	return 0;
}

static long op_poll(const void *arg)
{
	struct vcpu *v = current;
	port_t ports[POLL_PORTS_MAX];
	struct sched_poll poll;
	int rc;

	if (copy_in(&poll, arg, sizeof(poll)))
		return -EFAULT;
	if (poll.nr_ports > POLL_PORTS_MAX)
		return -EINVAL;
	if (poll.nr_ports && copy_in(ports, poll.ports.p, poll.nr_ports * sizeof(ports[0])))
		return -EFAULT;
	timer_stop(&v->sched.poll_timer);
	/* Set before the look: an event that comes after it finds us polling and wakes us. */
	WRITE_ONCE(v->evtchn.poll_port, poll.nr_ports == 1 ? ports[0] : POLL_PORT_MANY);
	atomic_bit_set(&v->flags, VCPU_F_POLLING);
	rc = poll_ports_check(ports, poll.nr_ports);
	if (rc || vcpu_has_wakeup(v)) {
		poll_end(v);
		return rc < 0 ? rc : 0;
	}
	if (poll.timeout) {
		timer_migrate(&v->sched.poll_timer, cpu_id());
		timer_set(&v->sched.poll_timer, poll.timeout);
	}
	softirq_raise(SOFTIRQ_SCHED);
	return 0;
}

static long op_remote_shutdown(const void *arg)
{
	struct sched_remote_shutdown shutdown;
	struct domain *d;
	long rc;

	if (copy_in(&shutdown, arg, sizeof(shutdown)))
		return -EFAULT;
	if (shutdown.reason > SHUTDOWN_MAX)
		return -EINVAL;
	rc = domain_get_controlled(shutdown.domain_id, &d);
	if (rc)
		return rc;
	rc = -EPERM; /* of itself there is SCHEDOP_shutdown */
	if (d != current->domain) {
		domain_shutdown(d, shutdown.reason);
		rc = 0;
	}
	domain_put(d);
	return rc;
}

static void watchdog_fired(void *arg)
{
	domain_shutdown(arg, SHUTDOWN_watchdog);
}

/* Slots are armed and freed under d->lock; ids are slot + 1. */
static long watchdog_start(struct domain *d, uint32_t timeout)
{
	for (unsigned int i = 0; i < SCHED_WATCHDOGS; i++) {
		if (d->sched.watchdog_used[i])
			continue;
		d->sched.watchdog_used[i] = true;
		timer_set(&d->sched.watchdogs[i], time_now() + timeout * NS_PER_S);
		return i + 1;
	}
	return -ENOSPC;
}

static long watchdog_change(struct domain *d, unsigned int slot, uint32_t timeout)
{
	if (slot >= SCHED_WATCHDOGS || !d->sched.watchdog_used[slot])
		return -EINVAL;
	if (timeout) {
		timer_set(&d->sched.watchdogs[slot], time_now() + timeout * NS_PER_S);
	} else {
		timer_stop(&d->sched.watchdogs[slot]);
		d->sched.watchdog_used[slot] = false;
	}
	return 0;
}

static long op_watchdog(const void *arg)
{
	struct domain *d = current->domain;
	struct sched_watchdog dog;
	long rc;

	if (copy_in(&dog, arg, sizeof(dog)))
		return -EFAULT;
	if (!dog.id && !dog.timeout)
		return -EINVAL;
	spin_lock(&d->lock);
	rc = dog.id ? watchdog_change(d, dog.id - 1, dog.timeout) : watchdog_start(d, dog.timeout);
	spin_unlock(&d->lock);
	return rc;
}

void sched_watchdogs_init(struct domain *d)
{
	for (unsigned int i = 0; i < SCHED_WATCHDOGS; i++)
		timer_init(&d->sched.watchdogs[i], watchdog_fired, d, cpumask_first(&cpu_online));
}

static long op_pin_override(const void *arg)
{
	struct sched_pin_override pin;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_in(&pin, arg, sizeof(pin)))
		return -EFAULT;
	return sched_pin_override(current, pin.pcpu < 0 ? -1 : pin.pcpu);
}

static long (*const ops[])(const void *arg) = {
	[SCHEDOP_yield] = op_yield,
	[SCHEDOP_block] = op_block,
	[SCHEDOP_shutdown] = op_shutdown,
	[SCHEDOP_poll] = op_poll,
	[SCHEDOP_remote_shutdown] = op_remote_shutdown,
	[SCHEDOP_shutdown_code] = op_shutdown_code,
	[SCHEDOP_watchdog] = op_watchdog,
	[SCHEDOP_pin_override] = op_pin_override,
};

long hypercall_sched_op(const uint64_t *args)
{
	if (args[0] >= ARRAY_SIZE(ops))
		return -ENOSYS;
	return ops[args[0]]((const void *)args[1]);
}
