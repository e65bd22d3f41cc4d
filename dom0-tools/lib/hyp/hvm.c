/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls on domains with hardware-assisted paging. States and policies are larger than the scratch
 * pages, so each travels in a buffer of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/hvm.h"
#include "hyp/internal.h"
#include "zendo.h"

/* Far above what 128 vCPUs need; bounds what a confused answer makes us allocate. */
#define CONTEXT_MAX (64UL << 20)
#define POLICY_MAX  4096u

static int call_param(struct hyp *hyp, unsigned int cmd, domid_t domid, uint32_t index,
		      uint64_t value)
{
	struct xen_hvm_param *op = hyp->op;

	*op = (struct xen_hvm_param){.domid = domid, .index = index, .value = value};
	return (int)hyp_call(hyp, __HYPERVISOR_hvm_op, cmd, (uintptr_t)op, 0, 0, 0);
}

int hyp_hvm_set_param(struct hyp *hyp, domid_t domid, uint32_t index, uint64_t value)
{
	return call_param(hyp, HVMOP_set_param, domid, index, value);
}

int hyp_hvm_get_param(struct hyp *hyp, domid_t domid, uint32_t index, uint64_t *value)
{
	int error = call_param(hyp, HVMOP_get_param, domid, index, 0);

	if (!error)
		*value = ((struct xen_hvm_param *)hyp->op)->value;
	return error;
}

int hyp_hvm_get_exits(struct hyp *hyp, domid_t domid, uint32_t vcpu, struct zendo_exits *exits)
{
	struct zendo_exits *op = hyp->op;
	int error;

	*op = (struct zendo_exits){.domid = domid, .vcpu = vcpu};
	error = (int)hyp_call(hyp, ZENDO_HYPERCALL, ZENDO_OP_exits, (uintptr_t)op, 0, 0, 0);
	if (error)
		return error;
	*exits = *op;
	if (exits->kinds > ZENDO_EXIT_COUNTS)
		exits->kinds = ZENDO_EXIT_COUNTS;
	return 0;
}

int hyp_hvm_get_context(struct hyp *hyp, domid_t domid, void **data, size_t *size)
{
	struct xen_domctl op = {0};
	struct hyp_buf own;
	void *array;
	int error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_gethvmcontext, domid);

	if (error)
		return error;
	if (op.u.hvmcontext.size == 0 || op.u.hvmcontext.size > CONTEXT_MAX)
		return -EPROTO;
	array = hyp_array_get(hyp, &own, op.u.hvmcontext.size);
	if (!array)
		return -ENOMEM;
	*size = op.u.hvmcontext.size;
	set_xen_guest_handle(op.u.hvmcontext.buffer, (uint8_t *)array);
	error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_gethvmcontext, domid);
	if (!error && op.u.hvmcontext.size > *size)
		error = -EPROTO;
	if (error)
		goto free_own;
	*size = op.u.hvmcontext.size;
	*data = malloc(*size);
	if (*data)
		memcpy(*data, array, *size);
	else
		error = -ENOMEM;

free_own:
	hyp_buf_free(&own);
	return error;
}

int hyp_hvm_set_context(struct hyp *hyp, domid_t domid, const void *data, size_t size)
{
	struct xen_domctl op = {.u.hvmcontext.size = (uint32_t)size};
	struct hyp_buf own;
	void *array;
	int error;

	if (size == 0 || size > CONTEXT_MAX)
		return -EINVAL;
	array = hyp_array_get(hyp, &own, size);
	if (!array)
		return -ENOMEM;
	memcpy(array, data, size);
	set_xen_guest_handle(op.u.hvmcontext.buffer, (uint8_t *)array);
	error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_sethvmcontext, domid);
	hyp_buf_free(&own);
	return error;
}

int hyp_hvm_set_paging_pool(struct hyp *hyp, domid_t domid, uint64_t bytes)
{
	int error;

	/* A big pool is filled a slice at a time. */
	do {
		struct xen_domctl op = {.u.paging_mempool.size = bytes};

		error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_set_paging_mempool_size, domid);
	} while (error == -EAGAIN || error == -ERESTART || error == -EINTR);
	return error;
}

void hyp_policy_free(struct hyp_policy *policy)
{
	free(policy->leaves);
	free(policy->msrs);
	*policy = (struct hyp_policy){0};
}

/* Leaves at the start of the buffer, MSRs behind them. */
static int policy_buffer(struct hyp *hyp, const struct hyp_policy *policy, struct hyp_buf *buf)
{
	size_t size = policy->nr_leaves * sizeof(*policy->leaves) +
		      policy->nr_msrs * sizeof(*policy->msrs);

	if (policy->nr_leaves > POLICY_MAX || policy->nr_msrs > POLICY_MAX)
		return -E2BIG;
	return hyp_buf_alloc(hyp, buf, size ? size : 1);
}

static int policy_read(struct hyp *hyp, uint32_t index, struct hyp_policy *policy,
		       const struct hyp_buf *buf)
{
	xen_cpuid_leaf_t *leaves = buf->data;
	xen_msr_entry_t *msrs = (xen_msr_entry_t *)(leaves + policy->nr_leaves);
	struct xen_sysctl op = {.u.cpu_policy = {
					.index = index,
					.nr_leaves = policy->nr_leaves,
					.nr_msrs = policy->nr_msrs,
				}};
	int error;

	set_xen_guest_handle(op.u.cpu_policy.leaves, leaves);
	set_xen_guest_handle(op.u.cpu_policy.msrs, msrs);
	error = hyp_run_sysctl(hyp, &op, XEN_SYSCTL_get_cpu_policy);
	if (error)
		return error;
	if (op.u.cpu_policy.nr_leaves > policy->nr_leaves ||
	    op.u.cpu_policy.nr_msrs > policy->nr_msrs)
		return -EPROTO;
	policy->nr_leaves = op.u.cpu_policy.nr_leaves;
	policy->nr_msrs = op.u.cpu_policy.nr_msrs;
	policy->leaves = calloc(policy->nr_leaves + 1, sizeof(*leaves));
	policy->msrs = calloc(policy->nr_msrs + 1, sizeof(*msrs));
	if (!policy->leaves || !policy->msrs) {
		hyp_policy_free(policy);
		return -ENOMEM;
	}
	memcpy(policy->leaves, leaves, policy->nr_leaves * sizeof(*leaves));
	memcpy(policy->msrs, msrs, policy->nr_msrs * sizeof(*msrs));
	return 0;
}

int hyp_policy_get(struct hyp *hyp, uint32_t index, struct hyp_policy *policy)
{
	struct xen_sysctl op = {.u.cpu_policy.index = index};
	struct hyp_buf buf;
	int error = hyp_run_sysctl(hyp, &op, XEN_SYSCTL_get_cpu_policy);

	if (error)
		return error;
	*policy = (struct hyp_policy){
		.nr_leaves = op.u.cpu_policy.nr_leaves,
		.nr_msrs = op.u.cpu_policy.nr_msrs,
	};
	error = policy_buffer(hyp, policy, &buf);
	if (error)
		return error;
	error = policy_read(hyp, index, policy, &buf);
	hyp_buf_free(&buf);
	return error;
}

int hyp_domain_set_policy(struct hyp *hyp, domid_t domid, const struct hyp_policy *policy,
			  uint32_t *bad_leaf)
{
	struct xen_domctl op = {.u.cpu_policy = {
					.nr_leaves = policy->nr_leaves,
					.nr_msrs = policy->nr_msrs,
					.err_leaf = UINT32_MAX,
				}};
	struct hyp_buf buf;
	xen_cpuid_leaf_t *leaves;
	xen_msr_entry_t *msrs;
	int error = policy_buffer(hyp, policy, &buf);

	if (error)
		return error;
	leaves = buf.data;
	msrs = (xen_msr_entry_t *)(leaves + policy->nr_leaves);
	if (policy->nr_leaves)
		memcpy(leaves, policy->leaves, policy->nr_leaves * sizeof(*leaves));
	if (policy->nr_msrs)
		memcpy(msrs, policy->msrs, policy->nr_msrs * sizeof(*msrs));
	set_xen_guest_handle(op.u.cpu_policy.leaves, leaves);
	set_xen_guest_handle(op.u.cpu_policy.msrs, msrs);
	error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_set_cpu_policy, domid);
	*bad_leaf = op.u.cpu_policy.err_leaf;
	hyp_buf_free(&buf);
	return error;
}
