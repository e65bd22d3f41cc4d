/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside evtchn/ only: what a port is, and how the two delivery ABIs plug in. */
#ifndef EVTCHN_PORT_H
#define EVTCHN_PORT_H

#include "domain/domain.h"
#include "evtchn/evtchn.h"

#include <xen/event_channel.h>

/* One port.  Kept at 32 bytes: a page holds a bucket. */
struct evtchn {
	struct spinlock lock;
	/* protected by domain->evtchn.lock for writing, together with lock */
	uint8_t state : 7; /* EVTCHNSTAT_* */
	uint8_t is_io : 1; /* the hypervisor's: wakes a vCPU that waits for I/O; not the guest's to
			      use */
	uint8_t priority;  /* FIFO: of the queue it goes to next */
	/* protected by the FIFO's lock */
	uint8_t last_priority; /* FIFO: of the queue it was last put in */
	bool pending_early;    /* FIFO: raised before its event word existed */
	uint32_t port;	       /* constant */
	uint16_t notify_vcpu;
	uint16_t last_vcpu; /* FIFO: as last_priority */
	/* by state: the port of the peer, the peer's domid (unbound), the virq or the pirq */
	uint32_t arg;
	struct domain *remote; /* interdomain: the peer's domain */
};

_Static_assert(sizeof(struct evtchn) == 32, "a bucket fills a page");

#define EVTCHNS_PER_BUCKET (PAGE_SIZE / sizeof(struct evtchn))

/* A delivery ABI.  All but is_busy are called with the port's lock or (sending) its peer's. */
struct evtchn_ops {
	const char *name;
	uint32_t max_ports;
	void (*set_pending)(struct vcpu *v, struct evtchn *ch);
	void (*clear_pending)(struct domain *d, struct evtchn *ch);
	void (*unmask)(struct domain *d, struct evtchn *ch);
	bool (*is_pending)(const struct domain *d, const struct evtchn *ch);
	bool (*is_masked)(const struct domain *d, const struct evtchn *ch);
	/* Does the guest's side still refer to a closed port?  Then it is not given out. */
	bool (*is_busy)(const struct domain *d, const struct evtchn *ch);
};

extern const struct evtchn_ops evtchn_ops_two_level;
extern const struct evtchn_ops evtchn_ops_fifo;

/* NULL if the port has never been given out.  Port 0 is never given out. */
static inline struct evtchn *evtchn_lookup(const struct domain *d, port_t port)
{
	if (!port || port >= __atomic_load_n(&d->evtchn.ports, __ATOMIC_ACQUIRE))
		return NULL;
	return &d->evtchn.buckets[port / EVTCHNS_PER_BUCKET][port % EVTCHNS_PER_BUCKET];
}

/* The vCPU of d with that number, or NULL. */
static inline struct vcpu *evtchn_vcpu(const struct domain *d, uint32_t id)
{
	return id < d->max_vcpus ? d->vcpus[id] : NULL;
}

static inline bool virq_is_global(unsigned int virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF &&
	       virq != VIRQ_XENPMU;
}

/* --- port.c --- */
/* Both domains' locks; they may be the same. */
void evtchn_lock_two(struct domain *a, struct domain *b);
void evtchn_unlock_two(struct domain *a, struct domain *b);
/* The locks of a port and of the one that may be sending to it; d->evtchn.lock held. */
must_check uint64_t evtchn_quiesce(struct evtchn *ch);
void evtchn_release(struct evtchn *ch, uint64_t flags);
/* A free port with memory, not yet bound; d->evtchn.lock held. -EINVAL, -ENOSPC, -ENOMEM */
must_check int evtchn_port_alloc(struct domain *d, struct evtchn **out);
/* Bind it; d->evtchn.lock held. */
void evtchn_port_bind(struct domain *d, struct evtchn *ch, uint8_t state, uint32_t arg,
		      struct domain *remote, unsigned int vcpu);
/* The end of it, when nothing refers to the port any more; d->evtchn.lock held. */
void evtchn_port_free(struct domain *d, struct evtchn *ch);
/* 0 or -EINVAL (not open) */
must_check int evtchn_close(struct domain *d, port_t port);
/* Close all and go back to the 2-level ABI: 0, -ERESTART, -EAGAIN (ports opened meanwhile). */
must_check int evtchn_reset(struct domain *d);

/* --- send.c --- */
/* Deliver on d's port `ch`, which cannot close: the caller holds its lock or its peer's. */
void evtchn_deliver(struct domain *d, struct evtchn *ch);
void evtchn_virq_handlers_drop(struct domain *d);

/* --- fifo.c --- */
must_check int evtchn_fifo_init_control(struct domain *d, struct evtchn_init_control *op);
must_check int evtchn_fifo_expand_array(struct domain *d, const struct evtchn_expand_array *op);
must_check int evtchn_fifo_set_priority(struct domain *d, const struct evtchn_set_priority *op);
/* No port is open; d->evtchn.lock held. */
void evtchn_fifo_fini(struct domain *d);

#endif
