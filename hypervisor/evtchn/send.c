/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending: from the hypercall, from virtual interrupts and from hardware's,
 * down to the upcall flag of a vCPU and waking it.  The first is the hottest
 * path there is between domains.
 */
#include "evtchn/port.h"
#include "hvm/hvm.h"
#include "lib/errno.h"

/* A domain other than dom0 that handles a global virq, held; NULL: dom0. */
static struct domain *virq_handlers[VIRQ_COUNT];
static struct spinlock virq_handlers_lock; /* irq-safe; outside virq_lock */

void vcpu_mark_events_pending(struct vcpu *v)
{
	struct vcpu_info *info = READ_ONCE(v->info);

	if (!info || __atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
		return;
	if (v->domain->type == DOMAIN_HVM)
		hvm_upcall_raise(v);
	else
		vcpu_kick(v);
}

bool vcpu_has_upcall(const struct vcpu *v)
{
	const struct vcpu_info *info = READ_ONCE(v->info);

	return info && READ_ONCE(info->evtchn_upcall_pending) &&
	       !READ_ONCE(info->evtchn_upcall_mask);
}

void evtchn_vcpu_info_moved(struct vcpu *v)
{
	struct vcpu_info *info = READ_ONCE(v->info);

	if (!info)
		return;
	/* A sender may have set these in the old place at any time up to now. */
	__atomic_store_n(&info->evtchn_pending_sel, ~0UL, __ATOMIC_SEQ_CST);
	__atomic_store_n(&info->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
	vcpu_mark_events_pending(v);
}

/* vCPUs in sched_op poll wait for the port itself, masked or not. */
static void pollers_wake(struct domain *d, port_t port)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		uint32_t waits_for;

		if (!bit_test(&v->flags, VCPU_F_POLLING))
			continue;
		waits_for = READ_ONCE(v->evtchn.poll_port);
		if (waits_for == port || waits_for == POLL_PORT_MANY)
			vcpu_unblock(v);
	}
}

void evtchn_deliver(struct domain *d, struct evtchn *ch)
{
	struct vcpu *v = evtchn_vcpu(d, READ_ONCE(ch->notify_vcpu));

	if (unlikely(!v))
		return;
	if (ch->is_io) {
		vcpu_io_wake(v);
		return;
	}
	READ_ONCE(d->evtchn.ops)->set_pending(v, ch);
	pollers_wake(d, ch->port);
}

int evtchn_send(struct domain *d, port_t port)
{
	struct evtchn *ch = evtchn_lookup(d, port);
	uint64_t flags;
	int rc = 0;

	if (unlikely(!ch))
		return -EINVAL;
	flags = spin_lock_irq(&ch->lock);
	switch (ch->state) {
	case EVTCHNSTAT_interdomain:
		evtchn_deliver(ch->remote, evtchn_lookup(ch->remote, ch->arg));
		break;
	case EVTCHNSTAT_ipi:
		evtchn_deliver(d, ch);
		break;
	case EVTCHNSTAT_unbound: /* nobody listens yet, or any more */
		break;
	default:
		rc = -EINVAL;
	}
	spin_unlock_irq(&ch->lock, flags);
	return rc;
}

void evtchn_send_virq(struct vcpu *v, unsigned int virq)
{
	struct domain *d = v->domain;
	uint64_t flags;
	struct evtchn *ch;

	if (virq >= VIRQ_COUNT)
		return;
	flags = spin_lock_irq(&v->evtchn.virq_lock);
	ch = evtchn_lookup(d, v->evtchn.virq_port[virq]);
	if (ch) {
		spin_lock(&ch->lock);
		if (ch->state == EVTCHNSTAT_virq && ch->arg == virq)
			evtchn_deliver(d, ch);
		spin_unlock(&ch->lock);
	}
	spin_unlock_irq(&v->evtchn.virq_lock, flags);
}

void evtchn_send_global_virq(unsigned int virq)
{
	uint64_t flags;
	struct domain *d;

	if (virq >= VIRQ_COUNT)
		return;
	flags = spin_lock_irq(&virq_handlers_lock);
	d = virq_handlers[virq] ? virq_handlers[virq] : dom0;
	if (d && d->vcpus[0])
		evtchn_send_virq(d->vcpus[0], virq);
	spin_unlock_irq(&virq_handlers_lock, flags);
}

int evtchn_set_virq_handler(struct domain *d, unsigned int virq)
{
	struct domain *old = d;
	uint64_t flags;
	int rc = -EINVAL;

	if (virq >= VIRQ_COUNT || !virq_is_global(virq) || !domain_hold(d))
		return -EINVAL;
	flags = spin_lock_irq(&virq_handlers_lock);
	/* Once it is closed its handlers may have been dropped already. */
	if (!READ_ONCE(d->evtchn.closed)) {
		old = virq_handlers[virq];
		virq_handlers[virq] = d;
		rc = 0;
	}
	spin_unlock_irq(&virq_handlers_lock, flags);
	if (old)
		domain_put(old);
	return rc;
}

void evtchn_virq_handlers_drop(struct domain *d)
{
	for (unsigned int virq = 0; virq < VIRQ_COUNT; virq++) {
		uint64_t flags = spin_lock_irq(&virq_handlers_lock);
		bool drop = virq_handlers[virq] == d;

		if (drop)
			virq_handlers[virq] = NULL;
		spin_unlock_irq(&virq_handlers_lock, flags);
		if (drop)
			domain_put(d);
	}
}

void evtchn_send_pirq(struct domain *d, port_t port)
{
	struct evtchn *ch = evtchn_lookup(d, port);
	uint64_t flags;

	if (!ch)
		return;
	flags = spin_lock_irq(&ch->lock);
	if (ch->state == EVTCHNSTAT_pirq)
		evtchn_deliver(d, ch);
	spin_unlock_irq(&ch->lock, flags);
}

int evtchn_is_pending(struct domain *d, port_t port)
{
	struct evtchn *ch = evtchn_lookup(d, port);
	uint64_t flags;
	int rc = 0;

	if (!ch)
		return -EINVAL;
	flags = spin_lock_irq(&ch->lock);
	if (ch->state != EVTCHNSTAT_closed)
		rc = d->evtchn.ops->is_pending(d, ch);
	spin_unlock_irq(&ch->lock, flags);
	return rc;
}
