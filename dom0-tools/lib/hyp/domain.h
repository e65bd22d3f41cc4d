/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzhyp: domains and their vCPUs. One function for each domctl (xen/domctl.h) that a PV
 * toolstack uses, and the event channels made on a domain's behalf. See hyp/hyp.h for the rules.
 * Needs a privileged domain: -EPERM elsewhere. -ESRCH: no such domain.
 */
#ifndef ZENDO_HYP_DOMAIN_H
#define ZENDO_HYP_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hyp/abi.h"

struct hyp;

/*
 * Make an empty, paused domain. *domid is IN/OUT: a number asked for, or 0 for "the next free
 * one". -EEXIST: the number is taken; -EINVAL: a field of `cfg` is refused.
 */
int hyp_domain_create(struct hyp *hyp, const struct xen_domctl_createdomain *cfg, domid_t *domid);

/*
 * Take a domain and all its memory away. Repeats the call for as long as the hypervisor asks for
 * continuation, so it may take long for a big domain. A dead domain stays listed as dying until
 * the last foreign map of its pages is gone.
 */
int hyp_domain_destroy(struct hyp *hyp, domid_t domid);

int hyp_domain_pause(struct hyp *hyp, domid_t domid);
int hyp_domain_unpause(struct hyp *hyp, domid_t domid);

/* -ESRCH unless `domid` itself exists. */
int hyp_domain_get_info(struct hyp *hyp, domid_t domid, struct xen_domctl_getdomaininfo *info);

/*
 * Fill up to `max` entries with the domains numbered `first` and up, in rising order; returns how
 * many (sysctl 6). Fewer than `max` means that there are no more.
 */
int hyp_domain_list(struct hyp *hyp, domid_t first, struct xen_domctl_getdomaininfo *info,
		    unsigned int max);

/* The ceiling on the memory a domain may hold, in KiB. Lowering it takes no page away. */
int hyp_domain_set_max_mem(struct hyp *hyp, domid_t domid, uint64_t kib);
/* Must equal the createdomain value (domctl.h): allocates the vCPUs themselves. */
int hyp_domain_set_max_vcpus(struct hyp *hyp, domid_t domid, uint32_t vcpus);
/* Width of a PV guest in bits, 64 only here. Allowed only while the domain has no memory. */
int hyp_domain_set_address_size(struct hyp *hyp, domid_t domid, uint32_t bits);
int hyp_domain_set_handle(struct hyp *hyp, domid_t domid, const xen_domain_handle_t handle);
/* Added to the domain's wall clock, in seconds. */
int hyp_domain_set_time_offset(struct hyp *hyp, domid_t domid, int64_t seconds);
/* Fill the frame `gmfn` with the hypercall page that ELF note 2 asks for. */
int hyp_domain_init_hypercall_page(struct hyp *hyp, domid_t domid, uint64_t gmfn);
/* Virtualised-TSC mode: tsc_mode 0 default, 1 always emulate, 2 native (xl.cfg tsc_mode). */
int hyp_domain_set_tsc(struct hyp *hyp, domid_t domid, uint32_t mode);
/* `trigger` is XEN_DOMCTL_SENDTRIGGER_*. */
int hyp_domain_send_trigger(struct hyp *hyp, domid_t domid, uint32_t trigger, uint32_t vcpu);
/* Force shutdown with a SHUTDOWN_* reason (sched_op remote_shutdown). */
int hyp_domain_shutdown(struct hyp *hyp, domid_t domid, uint32_t reason);

/* Rights of a domain to hardware. Frames are machine frames. */
int hyp_domain_set_iomem_permission(struct hyp *hyp, domid_t domid, uint64_t first_mfn,
				    uint64_t nr_mfns, bool allow);
int hyp_domain_set_ioport_permission(struct hyp *hyp, domid_t domid, uint32_t first_port,
				     uint32_t nr_ports, bool allow);
int hyp_domain_set_irq_permission(struct hyp *hyp, domid_t domid, uint32_t pirq, bool allow);

/*
 * Scheduling weight and cap (percent of one CPU, 0: none) for the credit and credit2 schedulers;
 * `sched_id` as hyp_system_get_sched_id() gives it. -EOPNOTSUPP for another scheduler.
 */
int hyp_domain_get_sched(struct hyp *hyp, domid_t domid, uint32_t sched_id, uint16_t *weight,
			 uint16_t *cap);
int hyp_domain_set_sched(struct hyp *hyp, domid_t domid, uint32_t sched_id, uint16_t weight,
			 uint16_t cap);

/* `context` is copied; it need not be in a hypercall buffer. */
int hyp_vcpu_set_context(struct hyp *hyp, domid_t domid, uint32_t vcpu,
			 const struct vcpu_guest_context *context);
int hyp_vcpu_get_context(struct hyp *hyp, domid_t domid, uint32_t vcpu,
			 struct vcpu_guest_context *context);
int hyp_vcpu_get_info(struct hyp *hyp, domid_t domid, uint32_t vcpu,
		      struct xen_domctl_getvcpuinfo *info);

/*
 * Affinity maps are bit arrays, bit N (of byte N / 8) for CPU N, `nr_bits` long. Either map may be
 * NULL when it is not to be set or read. Setting writes the effective map back into the arrays.
 */
int hyp_vcpu_set_affinity(struct hyp *hyp, domid_t domid, uint32_t vcpu, uint8_t *hard,
			  uint8_t *soft, uint32_t nr_bits);
int hyp_vcpu_get_affinity(struct hyp *hyp, domid_t domid, uint32_t vcpu, uint8_t *hard,
			  uint8_t *soft, uint32_t nr_bits);

/* An event channel of `domid`, unbound, that `remote` may bind to; returns the port or -E. */
int hyp_event_alloc_unbound(struct hyp *hyp, domid_t domid, domid_t remote);

#endif
