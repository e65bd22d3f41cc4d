/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine and the hypervisor: one function for each sysctl, and the list of domains, which is
 * one too. Arrays travel in resident memory and are copied once.
 */
#include <errno.h>
#include <string.h>

#include "hyp/domain.h"
#include "hyp/internal.h"
#include "hyp/system.h"

int hyp_run_sysctl(struct hyp *hyp, struct xen_sysctl *op, uint32_t cmd)
{
	long result;

	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	memcpy(hyp->op, op, sizeof(*op));
	result = hyp_call(hyp, __HYPERVISOR_sysctl, (uintptr_t)hyp->op, 0, 0, 0, 0);
	memcpy(op, hyp->op, sizeof(*op));
	return result < 0 ? (int)result : 0;
}

int hyp_system_get_physinfo(struct hyp *hyp, struct xen_sysctl_physinfo *info)
{
	struct xen_sysctl op = {0};
	int error = hyp_run_sysctl(hyp, &op, XEN_SYSCTL_physinfo);

	if (!error)
		*info = op.u.physinfo;
	return error;
}

int hyp_system_get_cpu_topology(struct hyp *hyp, struct xen_sysctl_cputopo *topo, uint32_t max)
{
	struct xen_sysctl op = {.u.cputopoinfo.num_cpus = max};
	struct hyp_buf own;
	void *array = hyp_array_get(hyp, &own, max * sizeof(*topo));
	uint32_t filled;
	int error;

	if (!array)
		return -ENOMEM;
	set_xen_guest_handle(op.u.cputopoinfo.cputopo, (xen_sysctl_cputopo_t *)array);
	error = hyp_run_sysctl(hyp, &op, XEN_SYSCTL_cputopoinfo);
	if (!error) {
		/* The answer is what the machine has, which may be more than we asked for. */
		filled = op.u.cputopoinfo.num_cpus < max ? op.u.cputopoinfo.num_cpus : max;
		memcpy(topo, array, filled * sizeof(*topo));
	}
	hyp_buf_free(&own);
	return error ? error : (int)op.u.cputopoinfo.num_cpus;
}

int hyp_system_get_cpu_idle(struct hyp *hyp, struct xen_sysctl_cpuinfo *info, uint32_t max)
{
	struct xen_sysctl op = {.u.getcpuinfo.max_cpus = max};
	struct hyp_buf own;
	void *array = hyp_array_get(hyp, &own, max * sizeof(*info));
	int error;

	if (!array)
		return -ENOMEM;
	set_xen_guest_handle(op.u.getcpuinfo.info, (xen_sysctl_cpuinfo_t *)array);
	error = hyp_run_sysctl(hyp, &op, XEN_SYSCTL_getcpuinfo);
	if (!error && op.u.getcpuinfo.nr_cpus > max)
		error = -EPROTO;
	if (!error)
		memcpy(info, array, op.u.getcpuinfo.nr_cpus * sizeof(*info));
	hyp_buf_free(&own);
	return error ? error : (int)op.u.getcpuinfo.nr_cpus;
}

int hyp_system_get_sched_id(struct hyp *hyp, uint32_t *sched_id)
{
	struct xen_sysctl op = {0};
	int error = hyp_run_sysctl(hyp, &op, XEN_SYSCTL_sched_id);

	if (!error)
		*sched_id = op.u.sched_id.sched_id;
	return error;
}

int hyp_system_read_console(struct hyp *hyp, char *buf, size_t size, uint32_t *index, bool clear)
{
	struct xen_sysctl op = {.u.readconsole = {
					.clear = clear,
					.incremental = index != NULL,
					.index = index ? *index : 0,
				}};
	struct hyp_buf own;
	void *array;
	int error;

	if (size == 0 || size > INT32_MAX)
		return -EINVAL;
	array = hyp_array_get(hyp, &own, size);
	if (!array)
		return -ENOMEM;
	set_xen_guest_handle(op.u.readconsole.buffer, (char *)array);
	op.u.readconsole.count = (uint32_t)size;
	error = hyp_run_sysctl(hyp, &op, XEN_SYSCTL_readconsole);
	if (!error && op.u.readconsole.count > size)
		error = -EPROTO;
	if (!error) {
		memcpy(buf, array, op.u.readconsole.count);
		if (index)
			*index = op.u.readconsole.index;
	}
	hyp_buf_free(&own);
	return error ? error : (int)op.u.readconsole.count;
}

int hyp_system_send_debug_keys(struct hyp *hyp, const char *keys)
{
	struct xen_sysctl op = {0};
	size_t nr = strlen(keys);

	if (nr == 0 || nr > hyp->array_size)
		return -EINVAL;
	memcpy(hyp->array, keys, nr);
	set_xen_guest_handle(op.u.debug_keys.keys, (char *)hyp->array);
	op.u.debug_keys.nr_keys = (uint32_t)nr;
	return hyp_run_sysctl(hyp, &op, XEN_SYSCTL_debug_keys);
}

int hyp_domain_list(struct hyp *hyp, domid_t first, struct xen_domctl_getdomaininfo *info,
		    unsigned int max)
{
	struct xen_sysctl op = {.u.getdomaininfolist = {.first_domain = first, .max_domains = max}};
	struct hyp_buf own;
	void *array = hyp_array_get(hyp, &own, max * sizeof(*info));
	int error;

	if (!array)
		return -ENOMEM;
	set_xen_guest_handle(op.u.getdomaininfolist.buffer, (xen_domctl_getdomaininfo_t *)array);
	error = hyp_run_sysctl(hyp, &op, XEN_SYSCTL_getdomaininfolist);
	if (!error && op.u.getdomaininfolist.num_domains > max)
		error = -EPROTO;
	if (!error)
		memcpy(info, array, op.u.getdomaininfolist.num_domains * sizeof(*info));
	hyp_buf_free(&own);
	return error ? error : (int)op.u.getdomaininfolist.num_domains;
}
