/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports of a domain: their memory, binding and closing, and the life of
 * a domain's part of event channels.  What the hypercalls check is ops.c's,
 * sending is send.c's.
 */
#include "evtchn/port.h"
#include "dev/irq.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "mm/alloc.h"

#define CLOSE_TRIES 8
#define CLOSE_BATCH 64 /* ports closed between two looks at the clock */

void evtchn_lock_two(struct domain *a, struct domain *b)
{
	struct domain *first = a < b ? a : b;
	struct domain *second = a < b ? b : a;

	spin_lock(&first->evtchn.lock);
	if (first != second)
		spin_lock(&second->evtchn.lock);
}

void evtchn_unlock_two(struct domain *a, struct domain *b)
{
	spin_unlock(&a->evtchn.lock);
	if (a != b)
		spin_unlock(&b->evtchn.lock);
}

static struct evtchn *port_peer(const struct evtchn *ch)
{
	struct evtchn *peer;

	if (ch->state != EVTCHNSTAT_interdomain)
		return NULL;
	peer = evtchn_lookup(ch->remote, ch->arg);
	return peer == ch ? NULL : peer;
}

uint64_t evtchn_quiesce(struct evtchn *ch)
{
	struct evtchn *peer = port_peer(ch);
	uint64_t flags = irq_save();

	if (peer && peer < ch)
		spin_lock(&peer->lock);
	spin_lock(&ch->lock);
	if (peer && peer > ch)
		spin_lock(&peer->lock);
	return flags;
}

void evtchn_release(struct evtchn *ch, uint64_t flags)
{
	struct evtchn *peer = port_peer(ch);

	if (peer)
		spin_unlock(&peer->lock);
	spin_unlock(&ch->lock);
	irq_restore(flags);
}

/* Gives the ports after the last bucket memory. */
static int bucket_add(struct domain *d)
{
	uint32_t base = d->evtchn.ports;
	struct evtchn *bucket = hyp_page_alloc_zeroed();

	if (!bucket)
		return -ENOMEM;
	for (uint32_t i = 0; i < EVTCHNS_PER_BUCKET; i++) {
		bucket[i].state = EVTCHNSTAT_closed;
		bucket[i].port = base + i;
		bucket[i].priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
		bucket[i].last_priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	}
	d->evtchn.buckets[base / EVTCHNS_PER_BUCKET] = bucket;
	__atomic_store_n(&d->evtchn.ports, base + EVTCHNS_PER_BUCKET, __ATOMIC_RELEASE);
	return 0;
}

int evtchn_port_alloc(struct domain *d, struct evtchn **out)
{
	uint32_t limit = MIN(d->evtchn.max_ports, d->evtchn.ops->max_ports);
	uint32_t first_closed = 0;
	struct evtchn *ch;
	int rc;

	if (d->evtchn.closed)
		return -EINVAL;
	for (uint32_t port = d->evtchn.first_free; port < limit; port++) {
		if (port >= d->evtchn.ports) {
			rc = bucket_add(d);
			if (rc)
				return rc;
		}
		ch = evtchn_lookup(d, port);
		if (ch->state != EVTCHNSTAT_closed)
			continue;
		if (!first_closed)
			first_closed = port;
		if (d->evtchn.ops->is_busy(d, ch))
			continue;
		d->evtchn.first_free = first_closed;
		*out = ch;
		return 0;
	}
	if (first_closed)
		d->evtchn.first_free = first_closed;
	return -ENOSPC;
}

void evtchn_port_bind(struct domain *d, struct evtchn *ch, uint8_t state, uint32_t arg,
		      struct domain *remote, unsigned int vcpu)
{
	uint64_t flags = spin_lock_irq(&ch->lock);

	if (ch->state == EVTCHNSTAT_closed) {
		ch->notify_vcpu = (uint16_t)vcpu;
		ch->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
		d->evtchn.active++;
		if (ch->port == d->evtchn.first_free)
			d->evtchn.first_free++;
	}
	ch->arg = arg;
	ch->remote = remote;
	ch->state = state;
	spin_unlock_irq(&ch->lock, flags);
}

/* Both ports' domains are locked; the peer waits for a new binding by the same domain. */
static void port_part(struct domain *d, struct evtchn *ch)
{
	uint64_t flags = evtchn_quiesce(ch);
	struct evtchn *peer = port_peer(ch);

	if (peer) {
		peer->state = EVTCHNSTAT_unbound;
		peer->arg = d->id;
		peer->remote = NULL;
		spin_unlock(&peer->lock);
	}
	ch->state = EVTCHNSTAT_unbound;
	ch->remote = NULL;
	spin_unlock(&ch->lock);
	irq_restore(flags);
}

static void virq_forget(struct domain *d, const struct evtchn *ch)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		uint64_t flags = spin_lock_irq(&v->evtchn.virq_lock);

		if (v->evtchn.virq_port[ch->arg] == ch->port)
			v->evtchn.virq_port[ch->arg] = 0;
		spin_unlock_irq(&v->evtchn.virq_lock, flags);
	}
}

void evtchn_port_free(struct domain *d, struct evtchn *ch)
{
	uint64_t flags = spin_lock_irq(&ch->lock);

	d->evtchn.ops->clear_pending(d, ch);
	ch->state = EVTCHNSTAT_closed;
	ch->arg = 0;
	ch->remote = NULL;
	d->evtchn.io_ports -= ch->is_io;
	ch->is_io = false;
	spin_unlock_irq(&ch->lock, flags);

	d->evtchn.active--;
	if (ch->port < d->evtchn.first_free)
		d->evtchn.first_free = ch->port;
}

/* Its domain is locked, and its peer's. */
static void port_close(struct domain *d, struct evtchn *ch)
{
	switch (ch->state) {
	case EVTCHNSTAT_interdomain:
		port_part(d, ch);
		break;
	case EVTCHNSTAT_virq:
		virq_forget(d, ch);
		break;
	case EVTCHNSTAT_pirq:
		pirq_unbind(d, ch->arg);
		break;
	}
	evtchn_port_free(d, ch);
}

/*
 * Locks the domain of the port's peer as well, d's being locked.  False: d's
 * lock had to be let go, and the port has changed since.
 */
static bool peer_domain_lock(struct domain *d, const struct evtchn *ch, struct domain **out)
{
	struct domain *remote = ch->remote;
	bool same;

	if (remote > d || spin_trylock(&remote->evtchn.lock)) {
		if (remote > d)
			spin_lock(&remote->evtchn.lock);
		*out = remote;
		return true;
	}
	/* The connection keeps it from being freed only while d is locked. */
	if (!domain_hold(remote))
		return false;
	spin_unlock(&d->evtchn.lock);
	evtchn_lock_two(d, remote);
	same = ch->state == EVTCHNSTAT_interdomain && ch->remote == remote;
	if (!same)
		evtchn_unlock_two(d, remote); /* this reference may be its last */
	domain_put(remote);
	if (!same)
		spin_lock(&d->evtchn.lock);
	*out = remote;
	return same;
}

int evtchn_close(struct domain *d, port_t port)
{
	struct evtchn *ch = evtchn_lookup(d, port);
	int rc = -EAGAIN;

	if (!ch)
		return -EINVAL;
	spin_lock(&d->evtchn.lock);
	for (unsigned int i = 0; i < CLOSE_TRIES; i++) {
		struct domain *remote = d;

		if (ch->state == EVTCHNSTAT_closed || (ch->is_io && !d->evtchn.closed)) {
			rc = -EINVAL;
			break;
		}
		if (ch->state == EVTCHNSTAT_interdomain && ch->remote != d &&
		    !peer_domain_lock(d, ch, &remote))
			continue;
		port_close(d, ch);
		if (remote != d)
			spin_unlock(&remote->evtchn.lock);
		rc = 0;
		break;
	}
	spin_unlock(&d->evtchn.lock);
	return rc;
}

void evtchn_close_io(struct domain *d, port_t port)
{
	struct evtchn *ch = evtchn_lookup(d, port);
	uint64_t flags;

	if (!ch)
		return;
	spin_lock(&d->evtchn.lock);
	flags = spin_lock_irq(&ch->lock);
	d->evtchn.io_ports -= ch->is_io;
	ch->is_io = false;
	spin_unlock_irq(&ch->lock, flags);
	spin_unlock(&d->evtchn.lock);
	while (evtchn_close(d, port) == -EAGAIN)
		cpu_relax();
}

/* From where the last call was interrupted. */
static int ports_close_all(struct domain *d)
{
	uint32_t end = READ_ONCE(d->evtchn.ports);

	for (uint32_t port = MAX(READ_ONCE(d->evtchn.cursor), 1U); port < end; port++) {
		if (evtchn_close(d, port) == -EAGAIN) {
			WRITE_ONCE(d->evtchn.cursor, port);
			return -ERESTART;
		}
		if (port % CLOSE_BATCH == 0 && hypercall_preempt_check()) {
			WRITE_ONCE(d->evtchn.cursor, port + 1);
			return -ERESTART;
		}
	}
	WRITE_ONCE(d->evtchn.cursor, 0);
	return 0;
}

int evtchn_reset(struct domain *d)
{
	int rc = ports_close_all(d);

	if (rc)
		return rc;
	spin_lock(&d->evtchn.lock);
	if (d->evtchn.active != d->evtchn.io_ports)
		rc = -EAGAIN;
	else
		evtchn_fifo_fini(d);
	spin_unlock(&d->evtchn.lock);
	return rc;
}

int evtchn_domain_init(struct domain *d, uint32_t max_port)
{
	uint32_t ports = MIN(max_port, (uint32_t)EVTCHN_FIFO_NR_CHANNELS - 1) + 1;

	d->evtchn.max_ports = ports;
	d->evtchn.first_free = 1;
	d->evtchn.ops = &evtchn_ops_two_level;
	d->evtchn.buckets = heap_alloc_array(DIV_ROUND_UP(ports, EVTCHNS_PER_BUCKET),
					     sizeof(d->evtchn.buckets[0]));
	return d->evtchn.buckets ? 0 : -ENOMEM;
}

int evtchn_domain_reserve(struct domain *d, uint32_t ports)
{
	int rc = 0;

	spin_lock(&d->evtchn.lock);
	while (!rc && d->evtchn.ports < MIN(ports, d->evtchn.max_ports))
		rc = bucket_add(d);
	spin_unlock(&d->evtchn.lock);
	return rc;
}

int evtchn_domain_destroy(struct domain *d)
{
	int rc;

	spin_lock(&d->evtchn.lock);
	if (!d->evtchn.closed)
		d->evtchn.cursor = 0; /* a reset of its own may have ended half way */
	d->evtchn.closed = true;
	spin_unlock(&d->evtchn.lock);

	rc = evtchn_reset(d);
	if (rc)
		return -ERESTART;
	evtchn_virq_handlers_drop(d);
	return 0;
}

void evtchn_domain_free(struct domain *d)
{
	if (!d->evtchn.buckets)
		return;
	for (uint32_t port = 0; port < d->evtchn.ports; port += EVTCHNS_PER_BUCKET)
		hyp_pages_free(d->evtchn.buckets[port / EVTCHNS_PER_BUCKET], 0);
	heap_free(d->evtchn.buckets);
	d->evtchn.buckets = NULL;
	d->evtchn.ports = 0;
}

void evtchn_vcpu_init(struct vcpu *v)
{
	v->evtchn = (struct evtchn_vcpu){0};
}

void evtchn_dump(struct domain *d)
{
	static const char *const states[] = {"closed", "unbound", "interdomain",
					     "pirq",   "virq",	  "ipi"};

	spin_lock(&d->evtchn.lock);
	printk("d%u: event channels, %s, %u of %u ports open\n", d->id, d->evtchn.ops->name,
	       d->evtchn.active, d->evtchn.max_ports);
	for (uint32_t port = 1; port < d->evtchn.ports; port++) {
		const struct evtchn *ch = evtchn_lookup(d, port);

		if (ch->state == EVTCHNSTAT_closed)
			continue;
		printk("  port %u: %s %u", port, states[ch->state], ch->arg);
		if (ch->remote)
			printk(" of d%u", ch->remote->id);
		printk(", vcpu %u%s%s\n", ch->notify_vcpu,
		       d->evtchn.ops->is_pending(d, ch) ? ", pending" : "",
		       d->evtchn.ops->is_masked(d, ch) ? ", masked" : "");
	}
	spin_unlock(&d->evtchn.lock);
}
