/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: ports, their binding, and delivery through the 2-level and
 * FIFO ABIs of xen/event_channel.h.
 */
#ifndef EVTCHN_EVTCHN_H
#define EVTCHN_EVTCHN_H

#include "lib/spinlock.h"
#include "lib/types.h"

typedef uint32_t port_t; /* 0 = none */

struct evtchn;
struct evtchn_fifo;
struct evtchn_ops; /* 2-level or FIFO */

/* virq numbers < 24 (NR_VIRQS of xen.h) */
#define VIRQ_COUNT 24

struct evtchn_vcpu {
	/* protected by virq_lock */
	struct spinlock virq_lock;
	uint32_t virq_port[VIRQ_COUNT];
	struct evtchn_fifo_vcpu *fifo;
	/* sched_op poll: the ports waited for are checked by evtchn_is_pending */
	uint32_t poll_port; /* 0: not polling; ~0: several */
};

struct evtchn_domain {
	struct spinlock lock; /* ports: allocation, binding, closing; irq-safe */
	struct evtchn **buckets; /* of EVTCHNS_PER_BUCKET ports; grown, never shrunk before destroy */
	uint32_t ports;      /* allocated so far (bucket granularity) */
	uint32_t active;
	uint32_t max_ports;  /* domctl's limit */
	const struct evtchn_ops *ops;
	struct evtchn_fifo *fifo;
	uint32_t destroy_cursor;
};

must_check int evtchn_domain_init(struct domain *d, uint32_t max_ports);
must_check int evtchn_domain_destroy(struct domain *d); /* closes all ports; 0 or -ERESTART */
void evtchn_domain_free(struct domain *d);
void evtchn_vcpu_init(struct vcpu *v);

/* HYPERVISOR_event_channel_op */
long hypercall_event_channel_op(const uint64_t *args);

/* Any context. To one vCPU, or (global virqs) to the domain that bound them: dom0 unless set by domctl. */
void evtchn_send_virq(struct vcpu *v, unsigned int virq);
void evtchn_send_global_virq(unsigned int virq);
/* XEN_DOMCTL_set_virq_handler */
must_check int evtchn_set_virq_handler(struct domain *d, unsigned int virq);

/* A hardware interrupt of this domain's pirq arrived: mark its port pending. Interrupt context. */
void evtchn_send_pirq(struct domain *d, port_t port);

/* For sched_op poll and for ioreq servers: is the port pending?  -EINVAL for a bad port. */
must_check int evtchn_is_pending(struct domain *d, port_t port);

/* Domain builder: allocate an unbound port of d for remote; the port or -E. */
must_check int evtchn_alloc_unbound(struct domain *d, domid_t remote);

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
