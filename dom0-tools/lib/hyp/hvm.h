/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzhyp: what only domains with hardware-assisted paging have: parameters (xen/hvm/params.h),
 * the saved state of their virtual machine (xen/hvm/save.h), the pool for their nested page tables
 * and their CPUID policy. See hyp/hyp.h for the rules; -EINVAL for a PV domain.
 */
#ifndef ZENDO_HYP_HVM_H
#define ZENDO_HYP_HVM_H

#include <stddef.h>
#include <stdint.h>

#include "hyp/abi.h"

struct hyp;
struct zendo_exits;

/* `index` is HVM_PARAM_*. */
int hyp_hvm_set_param(struct hyp *hyp, domid_t domid, uint32_t index, uint64_t value);
int hyp_hvm_get_param(struct hyp *hyp, domid_t domid, uint32_t index, uint64_t *value);

/*
 * The domain's state as records, each behind a struct hvm_save_descriptor. *data is malloc()ed;
 * the caller frees it.
 */
int hyp_hvm_get_context(struct hyp *hyp, domid_t domid, void **data, size_t *size);
/* Records that are not there leave their part of the machine as it is. */
int hyp_hvm_set_context(struct hyp *hyp, domid_t domid, const void *data, size_t size);

/* How much of the machine's memory its nested page tables may take, in bytes, whole pages. */
int hyp_hvm_set_paging_pool(struct hyp *hyp, domid_t domid, uint64_t bytes);

/*
 * How often a vCPU came into the hypervisor, and what for: zendo.h's own operation, into *exits.
 * -ENOSYS on another hypervisor; -ENOENT: no such vCPU.
 */
int hyp_hvm_get_exits(struct hyp *hyp, domid_t domid, uint32_t vcpu, struct zendo_exits *exits);

/* CPUID leaves and MSRs, as the ABI lists them. */
struct hyp_policy {
	xen_cpuid_leaf_t *leaves;
	uint32_t nr_leaves;
	xen_msr_entry_t *msrs;
	uint32_t nr_msrs;
};

/* One of XEN_SYSCTL_cpu_policy_*; free with hyp_policy_free(). */
int hyp_policy_get(struct hyp *hyp, uint32_t index, struct hyp_policy *policy);
void hyp_policy_free(struct hyp_policy *policy);

/* Before the domain first runs. *bad_leaf: the leaf that was refused, or -1 when none is named. */
int hyp_domain_set_policy(struct hyp *hyp, domid_t domid, const struct hyp_policy *policy,
			  uint32_t *bad_leaf);

#endif
