/* SPDX-License-Identifier: BSD-2-Clause */
/* The domctls on one vCPU: where it may run, its context, how it does. */
#include "hvm/platform.h"
#include "hvm/vcpu.h"
#include "hypercall/ctl.h"
#include "lib/string.h"
#include "mm/alloc.h"

#include <xen/sched.h>

static struct vcpu *vcpu_find(struct domain *d, uint32_t id)
{
	return id < d->max_vcpus ? READ_ONCE(d->vcpus[id]) : NULL;
}

int domctl_setvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = vcpu_find(d, a->vcpu);
	bool has_hard = a->flags & XEN_VCPUAFFINITY_HARD;
	bool has_soft = a->flags & XEN_VCPUAFFINITY_SOFT;
	struct cpumask hard, soft, effective;
	int rc;

	if (!v)
		return -ESRCH;
	if ((!has_hard && !has_soft) ||
	    a->flags & ~(XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT | XEN_VCPUAFFINITY_FORCE))
		return -EINVAL;
	if ((has_hard && ctl_cpumask_in(&hard, &a->cpumap_hard)) ||
	    (has_soft && ctl_cpumask_in(&soft, &a->cpumap_soft)))
		return -EFAULT;
	rc = vcpu_set_affinity(v, has_hard ? &hard : NULL, has_soft ? &soft : NULL);
	if (rc)
		return rc;
	/* The caller learns what came of it. */
	cpumask_and(&effective, &v->sched.affinity, &cpu_online);
	if (has_hard)
		rc = ctl_cpumask_out(&a->cpumap_hard, &effective);
	cpumask_and(&effective, &effective, &v->sched.soft_affinity);
	if (!rc && has_soft)
		rc = ctl_cpumask_out(&a->cpumap_soft, &effective);
	return rc;
}

int domctl_getvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
	struct vcpu *v = vcpu_find(d, a->vcpu);
	int rc = 0;

	if (!v)
		return -ESRCH;
	if (!(a->flags & (XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT)))
		return -EINVAL;
	if (a->flags & XEN_VCPUAFFINITY_HARD)
		rc = ctl_cpumask_out(&a->cpumap_hard, &v->sched.affinity);
	if (!rc && a->flags & XEN_VCPUAFFINITY_SOFT)
		rc = ctl_cpumask_out(&a->cpumap_soft, &v->sched.soft_affinity);
	return rc;
}

int domctl_setvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = vcpu_find(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *ctx;
	int rc;

	if (d == current->domain || !op->u.vcpucontext.ctxt.p)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	ctx = heap_alloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	rc = copy_in(ctx, op->u.vcpucontext.ctxt.p, sizeof(*ctx));
	if (!rc) {
		domain_pause(d);
		rc = vcpu_context_set(v, ctx);
		domain_unpause(d);
	}
	heap_free(ctx);
	return rc;
}

int domctl_getvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = vcpu_find(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *ctx;
	int rc;

	if (d == current->domain)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	if (!READ_ONCE(v->initialised))
		return -ENODATA;
	ctx = heap_alloc(sizeof(*ctx));
	if (!ctx)
		return -ENOMEM;
	domain_pause(d);
	vcpu_context_get(v, ctx);
	domain_unpause(d);
	rc = copy_out(op->u.vcpucontext.ctxt.p, ctx, sizeof(*ctx));
	heap_free(ctx);
	return rc;
}

int domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
	uint32_t id = info->vcpu;
	struct vcpu *v = vcpu_find(d, id);
	unsigned long flags;

	if (id >= d->max_vcpus)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	memset(info, 0, sizeof(*info));
	flags = READ_ONCE(v->flags);
	info->vcpu = id;
	info->online = !(flags & BIT(VCPU_F_DOWN));
	info->blocked = !!(flags & (BIT(VCPU_F_BLOCKED) | BIT(VCPU_F_POLLING)));
	info->running = READ_ONCE(v->sched.is_running);
	info->cpu_time = vcpu_cpu_time(v);
	info->cpu = READ_ONCE(v->sched.cpu);
	return 0;
}

/* The buttons of an HVM domain's machine. A PV domain has none. */
static int hvm_trigger(struct vcpu *v, uint32_t trigger)
{
	switch (trigger) {
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		hvm_vcpu_nmi(v);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_RESET:
		domain_shutdown(v->domain, SHUTDOWN_reboot);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_INIT:
		hvm_vcpu_init_signal(v);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_POWER:
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		return hvm_acpi_button(v->domain, trigger == XEN_DOMCTL_SENDTRIGGER_SLEEP);
	default:
		return -ENOSYS;
	}
}

int domctl_sendtrigger(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = vcpu_find(d, op->u.sendtrigger.vcpu);

	if (op->u.sendtrigger.vcpu >= MAX_VCPUS)
		return -EINVAL;
	if (!v)
		return -ESRCH;
	if (d->type == DOMAIN_HVM)
		return hvm_trigger(v, op->u.sendtrigger.trigger);
	if (op->u.sendtrigger.trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
		return -ENOSYS;
	if (!atomic_bit_test_and_set(&v->flags, VCPU_F_NMI_PENDING)) {
		WRITE_ONCE(v->return_work, true);
		vcpu_kick(v);
	}
	return 0;
}
