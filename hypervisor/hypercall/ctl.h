/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by domctl*.c and sysctl*.c only: what both report, and sets of CPUs
 * in the ABI's form.
 */
#ifndef HYPERCALL_CTL_H
#define HYPERCALL_CTL_H

#include "domain/domain.h"
#include "hypercall/hypercall.h"

#include <xen/domctl.h>
#include <xen/sysctl.h>

/* The scheduler is of our own make; its parameters are those of this one. */
#define CTL_SCHEDULER XEN_SCHEDULER_CREDIT

/* One domctl: 0, -E, or -ERESTART to be called again with the same arguments. */
typedef int (*domctl_fn)(struct domain *d, struct xen_domctl *op);

int domctl_destroydomain(struct domain *d, struct xen_domctl *op);
int domctl_pausedomain(struct domain *d, struct xen_domctl *op);
int domctl_unpausedomain(struct domain *d, struct xen_domctl *op);
int domctl_getdomaininfo(struct domain *d, struct xen_domctl *op);
int domctl_max_mem(struct domain *d, struct xen_domctl *op);
int domctl_max_vcpus(struct domain *d, struct xen_domctl *op);
int domctl_scheduler_op(struct domain *d, struct xen_domctl *op);
int domctl_setdomainhandle(struct domain *d, struct xen_domctl *op);
int domctl_settimeoffset(struct domain *d, struct xen_domctl *op);
int domctl_set_address_size(struct domain *d, struct xen_domctl *op);
int domctl_get_address_size(struct domain *d, struct xen_domctl *op);
int domctl_gettscinfo(struct domain *d, struct xen_domctl *op);
int domctl_settscinfo(struct domain *d, struct xen_domctl *op);
int domctl_setnodeaffinity(struct domain *d, struct xen_domctl *op);
int domctl_getnodeaffinity(struct domain *d, struct xen_domctl *op);

int domctl_setvcpuaffinity(struct domain *d, struct xen_domctl *op);
int domctl_getvcpuaffinity(struct domain *d, struct xen_domctl *op);
int domctl_setvcpucontext(struct domain *d, struct xen_domctl *op);
int domctl_getvcpucontext(struct domain *d, struct xen_domctl *op);
int domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op);
int domctl_sendtrigger(struct domain *d, struct xen_domctl *op);

int domctl_irq_permission(struct domain *d, struct xen_domctl *op);
int domctl_iomem_permission(struct domain *d, struct xen_domctl *op);
int domctl_ioport_permission(struct domain *d, struct xen_domctl *op);
int domctl_hypercall_init(struct domain *d, struct xen_domctl *op);
int domctl_set_target(struct domain *d, struct xen_domctl *op);
int domctl_set_virq_handler(struct domain *d, struct xen_domctl *op);

int domctl_gethvmcontext(struct domain *d, struct xen_domctl *op);
int domctl_sethvmcontext(struct domain *d, struct xen_domctl *op);
int domctl_gethvmcontext_partial(struct domain *d, struct xen_domctl *op);

int domctl_get_paging_mempool_size(struct domain *d, struct xen_domctl *op);
int domctl_set_paging_mempool_size(struct domain *d, struct xen_domctl *op);
int domctl_shadow_op(struct domain *d, struct xen_domctl *op);

int domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op);
int domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op);

int sysctl_cputopoinfo(struct xen_sysctl *op);
int sysctl_numainfo(struct xen_sysctl *op);
int sysctl_pcitopoinfo(struct xen_sysctl *op);
int sysctl_cpupool_op(struct xen_sysctl *op);
int sysctl_scheduler_op(struct xen_sysctl *op);
int sysctl_get_cpu_levelling_caps(struct xen_sysctl *op);
int sysctl_get_cpu_featureset(struct xen_sysctl *op);
int sysctl_get_cpu_policy(struct xen_sysctl *op);
void ctl_hw_cap(uint32_t cap[8]); /* physinfo's */

/* XEN_DOMCTL_getdomaininfo's structure, every byte of it. */
void domain_info_get(struct domain *d, struct xen_domctl_getdomaininfo *info);

/* CPUs beyond what the other side has room for are left out (out), or ignored (in). 0 or -EFAULT */
must_check int ctl_cpumask_in(struct cpumask *cpus, const struct xenctl_bitmap *map);
must_check int ctl_cpumask_out(const struct xenctl_bitmap *map, const struct cpumask *cpus);

#endif
