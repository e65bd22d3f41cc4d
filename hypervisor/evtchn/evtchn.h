/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: ports, their binding, and delivery through the 2-level and
 * FIFO ABIs of xen/event_channel.h.
 *
 * Locks, outermost first:
 *   d->evtchn.lock    changes of the state of d's ports; of two domains, the
 *                     lower address first.  Never taken in interrupt context.
 *   virq_lock         irq-safe; keeps the port a virq is bound to
 *   a port's lock     irq-safe; of two ports, the lower address first.  A port
 *                     changes state under it as well, so that a sender, who
 *                     holds it alone, finds the peer and the peer's domain
 *                     alive for as long as it does.
 *   the FIFO's lock   irq-safe; tails, heads and last queues
 */
#ifndef EVTCHN_EVTCHN_H
#define EVTCHN_EVTCHN_H

#include "lib/spinlock.h"
#include "lib/types.h"

typedef uint32_t port_t; /* 0 = none */

struct evtchn;
struct evtchn_fifo;
struct evtchn_fifo_vcpu;
struct evtchn_ops; /* 2-level or FIFO */

/* virq numbers < 24 (NR_VIRQS of xen.h) */
#define VIRQ_COUNT     24

#define POLL_PORT_MANY (~0U)

struct evtchn_vcpu {
	/* protected by virq_lock */
	struct spinlock virq_lock;
	uint32_t virq_port[VIRQ_COUNT];
	/* written under domain->evtchn.lock while no port can be sent to, or once */
	struct evtchn_fifo_vcpu *fifo;
	/*
	 * sched_op poll: 0: not polling; POLL_PORT_MANY: several ports, each
	 * checked by evtchn_is_pending.  Set with VCPU_F_POLLING before that check.
	 */
	uint32_t poll_port;
};

struct evtchn_domain {
	/* protected by lock */
	struct spinlock lock;
	uint32_t active;
	uint32_t io_ports;   /* of these, the hypervisor's own (is_io) */
	uint32_t first_free; /* no port below it is free */
	uint32_t cursor;     /* how far a reset or the destruction has come */
	bool closed;	     /* destruction has begun: no port is given out any more */
	/* written under lock, read by senders without */
	uint32_t ports; /* that have memory */
	const struct evtchn_ops *ops;
	struct evtchn_fifo *fifo;
	/* constant after create */
	uint32_t max_ports;
	struct evtchn **buckets; /* of EVTCHNS_PER_BUCKET ports each; filled in order */
};

/* max_port: the highest port number it may have (createdomain's max_evtchn_port); clamped. */
must_check int evtchn_domain_init(struct domain *d, uint32_t max_port);
/* Memory for so many ports now, where it would come with their first use; 0 or -ENOMEM. */
must_check int evtchn_domain_reserve(struct domain *d, uint32_t ports);
must_check int evtchn_domain_destroy(struct domain *d); /* closes all ports; 0 or -ERESTART */
void evtchn_domain_free(struct domain *d);
void evtchn_vcpu_init(struct vcpu *v);

/* HYPERVISOR_event_channel_op */
long hypercall_event_channel_op(const uint64_t *args);

/* Any context. To one vCPU, or (global virqs) to the domain that handles it: dom0 unless set. */
void evtchn_send_virq(struct vcpu *v, unsigned int virq);
void evtchn_send_global_virq(unsigned int virq);
/* XEN_DOMCTL_set_virq_handler */
must_check int evtchn_set_virq_handler(struct domain *d, unsigned int virq);

/* A hardware interrupt of this domain's pirq arrived: mark its port pending. Interrupt context. */
void evtchn_send_pirq(struct domain *d, port_t port);

/* For sched_op poll and for ioreq servers: is the port pending?  -EINVAL for a bad port. */
must_check int evtchn_is_pending(struct domain *d, port_t port);

/* Allocate an unbound port of d that `remote` may bind: the port or -E. */
must_check int evtchn_alloc_unbound(struct domain *d, domid_t remote);

/*
 * The same of a port that the hypervisor itself listens on: an event on it is
 * vcpu_io_wake of that vCPU.  Its domain can neither use nor close it.
 */
must_check int evtchn_alloc_io(struct domain *d, unsigned int vcpu, domid_t remote);
void evtchn_close_io(struct domain *d, port_t port);

/* Send on an interdomain or IPI port of d, as EVTCHNOP_send of its own would. 0 or -EINVAL */
must_check int evtchn_send(struct domain *d, port_t port);

/*
 * Before a return to the guest: must it be upcalled?  True when a channel is
 * pending and the vCPU does not mask upcalls.
 */
bool vcpu_has_upcall(const struct vcpu *v);

/* Set the vcpu's upcall-pending byte and, if it was clear, wake or kick it. */
void vcpu_mark_events_pending(struct vcpu *v);
/* vcpu_info was moved (register_vcpu_info): re-deliver what may have been lost. */
void evtchn_vcpu_info_moved(struct vcpu *v);

/* debug key 'e' */
void evtchn_dump(struct domain *d);

#endif
