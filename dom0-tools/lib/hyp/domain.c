/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains and vCPUs: one function for each domctl, and event channels on a domain's behalf.
 * Each fills a struct xen_domctl, which hyp_run_domctl() copies to and from resident memory.
 */
#include <errno.h>
#include <string.h>

#include "hyp/domain.h"
#include "hyp/internal.h"

int hyp_run_domctl(struct hyp *hyp, struct xen_domctl *op, uint32_t cmd, domid_t domid)
{
	long result;

	op->cmd = cmd;
	op->domain = domid;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	memcpy(hyp->op, op, sizeof(*op));
	result = hyp_call(hyp, __HYPERVISOR_domctl, (uintptr_t)hyp->op, 0, 0, 0, 0);
	memcpy(op, hyp->op, sizeof(*op));
	return result < 0 ? (int)result : 0;
}

int hyp_domain_create(struct hyp *hyp, const struct xen_domctl_createdomain *cfg, domid_t *domid)
{
	struct xen_domctl op = {.u.createdomain = *cfg};
	int error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_createdomain, *domid);

	if (!error)
		*domid = op.domain;
	return error;
}

int hyp_domain_destroy(struct hyp *hyp, domid_t domid)
{
	int error;

	/* The hypervisor frees a slice at a time, then lets us breathe; -ERESTART is 85. */
	do {
		struct xen_domctl op = {0};

		error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_destroydomain, domid);
	} while (error == -EAGAIN || error == -ERESTART || error == -EINTR);
	return error;
}

int hyp_domain_pause(struct hyp *hyp, domid_t domid)
{
	struct xen_domctl op = {0};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_pausedomain, domid);
}

int hyp_domain_unpause(struct hyp *hyp, domid_t domid)
{
	struct xen_domctl op = {0};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_unpausedomain, domid);
}

int hyp_domain_get_info(struct hyp *hyp, domid_t domid, struct xen_domctl_getdomaininfo *info)
{
	struct xen_domctl op = {0};
	int error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_getdomaininfo, domid);

	if (error)
		return error;
	/* Some hypervisors answer with the next domain when this one does not exist. */
	if (op.u.getdomaininfo.domain != domid)
		return -ESRCH;
	*info = op.u.getdomaininfo;
	return 0;
}

int hyp_domain_set_max_mem(struct hyp *hyp, domid_t domid, uint64_t kib)
{
	struct xen_domctl op = {.u.max_mem.max_memkb = kib};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_max_mem, domid);
}

int hyp_domain_set_max_vcpus(struct hyp *hyp, domid_t domid, uint32_t vcpus)
{
	struct xen_domctl op = {.u.max_vcpus.max = vcpus};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_max_vcpus, domid);
}

int hyp_domain_set_address_size(struct hyp *hyp, domid_t domid, uint32_t bits)
{
	struct xen_domctl op = {.u.address_size.size = bits};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_set_address_size, domid);
}

int hyp_domain_set_handle(struct hyp *hyp, domid_t domid, const xen_domain_handle_t handle)
{
	struct xen_domctl op = {0};

	memcpy(op.u.setdomainhandle.handle, handle, sizeof(op.u.setdomainhandle.handle));
	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_setdomainhandle, domid);
}

int hyp_domain_set_time_offset(struct hyp *hyp, domid_t domid, int64_t seconds)
{
	struct xen_domctl op = {.u.settimeoffset.time_offset_seconds = seconds};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_settimeoffset, domid);
}

int hyp_domain_init_hypercall_page(struct hyp *hyp, domid_t domid, uint64_t gmfn)
{
	struct xen_domctl op = {.u.hypercall_init.gmfn = gmfn};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_hypercall_init, domid);
}

int hyp_domain_set_tsc(struct hyp *hyp, domid_t domid, uint32_t mode)
{
	struct xen_domctl op = {.u.tsc_info.tsc_mode = mode};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_settscinfo, domid);
}

int hyp_domain_send_trigger(struct hyp *hyp, domid_t domid, uint32_t trigger, uint32_t vcpu)
{
	struct xen_domctl op = {.u.sendtrigger = {.trigger = trigger, .vcpu = vcpu}};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_sendtrigger, domid);
}

int hyp_domain_shutdown(struct hyp *hyp, domid_t domid, uint32_t reason)
{
	struct sched_remote_shutdown *op = hyp->op;

	*op = (struct sched_remote_shutdown){.domain_id = domid, .reason = reason};
	return (int)hyp_call(hyp, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, (uintptr_t)op, 0,
			     0, 0);
}

int hyp_domain_set_iomem_permission(struct hyp *hyp, domid_t domid, uint64_t first_mfn,
				    uint64_t nr_mfns, bool allow)
{
	struct xen_domctl op = {.u.iomem_permission = {
					.first_mfn = first_mfn,
					.nr_mfns = nr_mfns,
					.allow_access = allow,
				}};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_iomem_permission, domid);
}

int hyp_domain_set_ioport_permission(struct hyp *hyp, domid_t domid, uint32_t first_port,
				     uint32_t nr_ports, bool allow)
{
	struct xen_domctl op = {.u.ioport_permission = {
					.first_port = first_port,
					.nr_ports = nr_ports,
					.allow_access = allow,
				}};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_ioport_permission, domid);
}

int hyp_domain_set_irq_permission(struct hyp *hyp, domid_t domid, uint32_t pirq, bool allow)
{
	struct xen_domctl op = {.u.irq_permission = {.pirq = pirq, .allow_access = allow}};

	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_irq_permission, domid);
}

static bool is_credit(uint32_t sched_id)
{
	return sched_id == XEN_SCHEDULER_CREDIT || sched_id == XEN_SCHEDULER_CREDIT2;
}

int hyp_domain_get_sched(struct hyp *hyp, domid_t domid, uint32_t sched_id, uint16_t *weight,
			 uint16_t *cap)
{
	struct xen_domctl op = {.u.scheduler_op = {
					.sched_id = sched_id,
					.cmd = XEN_DOMCTL_SCHEDOP_getinfo,
				}};
	int error;

	if (!is_credit(sched_id))
		return -EOPNOTSUPP;
	error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_scheduler_op, domid);
	if (error)
		return error;
	/* The two schedulers' parameters have the same layout (domctl.h). */
	*weight = op.u.scheduler_op.u.credit.weight;
	*cap = op.u.scheduler_op.u.credit.cap;
	return 0;
}

int hyp_domain_set_sched(struct hyp *hyp, domid_t domid, uint32_t sched_id, uint16_t weight,
			 uint16_t cap)
{
	struct xen_domctl op = {.u.scheduler_op = {
					.sched_id = sched_id,
					.cmd = XEN_DOMCTL_SCHEDOP_putinfo,
					.u.credit = {.weight = weight, .cap = cap},
				}};

	if (!is_credit(sched_id))
		return -EOPNOTSUPP;
	return hyp_run_domctl(hyp, &op, XEN_DOMCTL_scheduler_op, domid);
}

static int run_context(struct hyp *hyp, uint32_t cmd, domid_t domid, uint32_t vcpu)
{
	struct xen_domctl op = {.u.vcpucontext.vcpu = vcpu};

	set_xen_guest_handle(op.u.vcpucontext.ctxt, (vcpu_guest_context_t *)hyp->array);
	return hyp_run_domctl(hyp, &op, cmd, domid);
}

int hyp_vcpu_set_context(struct hyp *hyp, domid_t domid, uint32_t vcpu,
			 const struct vcpu_guest_context *context)
{
	memcpy(hyp->array, context, sizeof(*context));
	return run_context(hyp, XEN_DOMCTL_setvcpucontext, domid, vcpu);
}

int hyp_vcpu_get_context(struct hyp *hyp, domid_t domid, uint32_t vcpu,
			 struct vcpu_guest_context *context)
{
	int error = run_context(hyp, XEN_DOMCTL_getvcpucontext, domid, vcpu);

	if (!error)
		memcpy(context, hyp->array, sizeof(*context));
	return error;
}

int hyp_vcpu_get_info(struct hyp *hyp, domid_t domid, uint32_t vcpu,
		      struct xen_domctl_getvcpuinfo *info)
{
	struct xen_domctl op = {.u.getvcpuinfo.vcpu = vcpu};
	int error = hyp_run_domctl(hyp, &op, XEN_DOMCTL_getvcpuinfo, domid);

	if (!error)
		*info = op.u.getvcpuinfo;
	return error;
}

/* Both maps travel in the scratch array, the soft one in its second half. */
static int run_affinity(struct hyp *hyp, uint32_t cmd, domid_t domid, uint32_t vcpu, uint8_t *hard,
			uint8_t *soft, uint32_t nr_bits)
{
	size_t bytes = (nr_bits + 7) / 8, half = hyp->array_size / 2;
	uint8_t *hard_copy = hyp->array, *soft_copy = hard_copy + half;
	struct xen_domctl op = {.u.vcpuaffinity.vcpu = vcpu};
	int error;

	if (nr_bits == 0 || bytes > half || (!hard && !soft))
		return -EINVAL;
	if (hard) {
		memcpy(hard_copy, hard, bytes);
		op.u.vcpuaffinity.flags |= XEN_VCPUAFFINITY_HARD;
		set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap, hard_copy);
		op.u.vcpuaffinity.cpumap_hard.nr_bits = nr_bits;
	}
	if (soft) {
		memcpy(soft_copy, soft, bytes);
		op.u.vcpuaffinity.flags |= XEN_VCPUAFFINITY_SOFT;
		set_xen_guest_handle(op.u.vcpuaffinity.cpumap_soft.bitmap, soft_copy);
		op.u.vcpuaffinity.cpumap_soft.nr_bits = nr_bits;
	}
	error = hyp_run_domctl(hyp, &op, cmd, domid);
	if (error)
		return error;
	if (hard)
		memcpy(hard, hard_copy, bytes);
	if (soft)
		memcpy(soft, soft_copy, bytes);
	return 0;
}

int hyp_vcpu_set_affinity(struct hyp *hyp, domid_t domid, uint32_t vcpu, uint8_t *hard,
			  uint8_t *soft, uint32_t nr_bits)
{
	return run_affinity(hyp, XEN_DOMCTL_setvcpuaffinity, domid, vcpu, hard, soft, nr_bits);
}

int hyp_vcpu_get_affinity(struct hyp *hyp, domid_t domid, uint32_t vcpu, uint8_t *hard,
			  uint8_t *soft, uint32_t nr_bits)
{
	return run_affinity(hyp, XEN_DOMCTL_getvcpuaffinity, domid, vcpu, hard, soft, nr_bits);
}

int hyp_event_alloc_unbound(struct hyp *hyp, domid_t domid, domid_t remote)
{
	struct evtchn_alloc_unbound *op = hyp->op;
	long result;

	*op = (struct evtchn_alloc_unbound){.dom = domid, .remote_dom = remote};
	result = hyp_call(hyp, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, (uintptr_t)op,
			  0, 0, 0);
	return result < 0 ? (int)result : (int)op->port;
}
