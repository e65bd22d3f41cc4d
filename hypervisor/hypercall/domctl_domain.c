/* SPDX-License-Identifier: BSD-2-Clause */
/* The domctls on a domain as a whole: its life, its limits, and what it is like. */
#include "hypercall/ctl.h"
#include "hvm/state.h"
#include "lib/string.h"
#include "time/time.h"

#define NODE_COUNT 1 /* all memory is one NUMA node */

/* xl.cfg(5) tsc_mode: */
#define TSC_MODE_DEFAULT	0
#define TSC_MODE_ALWAYS_EMULATE 1
#define TSC_MODE_NATIVE		2

int domctl_destroydomain(struct domain *d, struct xen_domctl *op)
{
	if (d == current->domain)
		return -EINVAL;
	return domain_destroy(d);
}

int domctl_pausedomain(struct domain *d, struct xen_domctl *op)
{
	if (d == current->domain)
		return -EINVAL;
	return domain_pause_by_controller(d);
}

int domctl_unpausedomain(struct domain *d, struct xen_domctl *op)
{
	return domain_unpause_by_controller(d);
}

/* Counts the vCPUs that are up; the run flags as they stand at this moment. */
static void info_add_vcpus(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	struct vcpu *v;

	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	info->flags |= XEN_DOMINF_blocked;
	for_each_vcpu(d, v) {
		unsigned long flags = READ_ONCE(v->flags);

		info->max_vcpu_id = v->id;
		info->cpu_time += vcpu_cpu_time(v);
		if (flags & BIT(VCPU_F_DOWN))
			continue;
		info->nr_online_vcpus++;
		if (!(flags & (BIT(VCPU_F_BLOCKED) | BIT(VCPU_F_POLLING))))
			info->flags &= ~XEN_DOMINF_blocked;
		if (READ_ONCE(v->sched.is_running))
			info->flags |= XEN_DOMINF_running;
	}
}

void domain_info_get(struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->id;
	info_add_vcpus(d, info);

	spin_lock(&d->lock);
	if (d->is_dead)
		info->flags |= XEN_DOMINF_dying;
	if (d->is_shut_down)
		info->flags |= XEN_DOMINF_shutdown | (uint32_t)d->shutdown_code
							     << XEN_DOMINF_shutdownshift;
	if (d->controller_pauses)
		info->flags |= XEN_DOMINF_paused;
	memcpy(info->handle, d->handle, sizeof(info->handle));
	spin_unlock(&d->lock);

	info->tot_pages = READ_ONCE(d->mm.tot_pages);
	info->max_pages = READ_ONCE(d->mm.max_pages);
	info->outstanding_pages = READ_ONCE(d->mm.claimed);
	info->shared_info_frame = d->shared_info ? virt_to_mfn(d->shared_info).v : ~0UL;
	info->ssidref = d->ssidref;
	if (d->hvm) {
		info->flags |= XEN_DOMINF_hvm_guest | XEN_DOMINF_hap;
		info->arch_config.emulation_flags = d->hvm->emulation;
	}
}

int domctl_getdomaininfo(struct domain *d, struct xen_domctl *op)
{
	domain_info_get(d, &op->u.getdomaininfo);
	op->domain = d->id;
	return 0;
}

int domctl_max_mem(struct domain *d, struct xen_domctl *op)
{
	uint64_t pages = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);

	/* Below what it has is allowed: it may then only give back. */
	spin_lock(&d->mm.page_lock);
	d->mm.max_pages = pages;
	spin_unlock(&d->mm.page_lock);
	return 0;
}

int domctl_max_vcpus(struct domain *d, struct xen_domctl *op)
{
	if (op->u.max_vcpus.max != d->max_vcpus || d == current->domain)
		return -EINVAL;
	for (unsigned int id = 0; id < d->max_vcpus; id++) {
		int rc;

		if (READ_ONCE(d->vcpus[id]))
			continue;
		rc = vcpu_create(d, id);
		if (rc)
			return rc;
		if (hypercall_preempt_check())
			return -ERESTART;
	}
	return 0;
}

int domctl_scheduler_op(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;
	uint16_t weight, cap;

	if (s->sched_id != XEN_SCHEDULER_CREDIT && s->sched_id != XEN_SCHEDULER_CREDIT2)
		return -EINVAL;
	_Static_assert(offsetof(struct xen_domctl_sched_credit, cap) ==
			       offsetof(struct xen_domctl_sched_credit2, cap),
		       "both have weight and cap alike");
	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_getinfo:
		memset(&s->u, 0, sizeof(s->u));
		s->u.credit.weight = d->sched.weight;
		s->u.credit.cap = d->sched.cap;
		return 0;
	case XEN_DOMCTL_SCHEDOP_putinfo:
		/* Weight 0 and cap ~0 stand for "as it is". */
		weight = s->u.credit.weight ? s->u.credit.weight : d->sched.weight;
		cap = s->u.credit.cap != UINT16_MAX ? s->u.credit.cap : d->sched.cap;
		return sched_set_params(d, weight, cap);
	default:
		return -EINVAL; /* nothing is set for one vCPU alone */
	}
}

int domctl_setdomainhandle(struct domain *d, struct xen_domctl *op)
{
	spin_lock(&d->lock);
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	spin_unlock(&d->lock);
	return 0;
}

int domctl_settimeoffset(struct domain *d, struct xen_domctl *op)
{
	spin_lock(&d->lock);
	d->wallclock_offset = op->u.settimeoffset.time_offset_seconds;
	spin_unlock(&d->lock);
	vtime_update_wallclock(d);
	return 0;
}

int domctl_set_address_size(struct domain *d, struct xen_domctl *op)
{
	return op->u.address_size.size == 64 ? 0 : -EINVAL;
}

int domctl_get_address_size(struct domain *d, struct xen_domctl *op)
{
	op->u.address_size.size = 64;
	return 0;
}

int domctl_gettscinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_tsc_info *t = &op->u.tsc_info;

	memset(t, 0, sizeof(*t));
	t->tsc_mode = TSC_MODE_DEFAULT;
	t->gtsc_khz = (uint32_t)tsc_khz();
	t->elapsed_nsec = time_now();
	return 0;
}

int domctl_settscinfo(struct domain *d, struct xen_domctl *op)
{
	if (d == current->domain)
		return -EINVAL;
	/* Guests read the hardware's TSC: what "default" and "native" mean on a stable one. */
	switch (op->u.tsc_info.tsc_mode) {
	case TSC_MODE_DEFAULT:
	case TSC_MODE_NATIVE:
		return 0;
	case TSC_MODE_ALWAYS_EMULATE:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

int domctl_setnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	const struct xenctl_bitmap *map = &op->u.nodeaffinity.nodemap;
	uint8_t nodes = 0;

	if (map->nr_bits && copy_in(&nodes, map->bitmap.p, 1))
		return -EFAULT;
	return nodes & 1U << (NODE_COUNT - 1) ? 0 : -EINVAL;
}

int domctl_getnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	struct cpumask nodes = {{1}};

	return ctl_cpumask_out(&op->u.nodeaffinity.nodemap, &nodes);
}
