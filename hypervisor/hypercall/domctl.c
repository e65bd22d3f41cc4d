/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_domctl: who may, on which domain, by which version of the ABI.
 * The operations are in domctl_domain.c, domctl_vcpu.c, domctl_access.c,
 * domctl_hvm.c, domctl_paging.c and cpu_policy.c; those not in the table are not
 * offered.
 */
#include "hypercall/ctl.h"

_Static_assert(sizeof(struct xen_domctl) == 144, "ABI");
_Static_assert(sizeof(struct xen_domctl_createdomain) == 64, "ABI");
_Static_assert(sizeof(struct xen_domctl_getdomaininfo) == 112, "ABI");

#define CDF_KNOWN ((XEN_DOMCTL_CDF_MAX << 1) - 1)
/* What domains can be told at their creation. */
#define CDF_OFFERED                                                                                \
	(XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_s3_integrity |                   \
	 XEN_DOMCTL_CDF_oos_off | XEN_DOMCTL_CDF_xs_domain)

static int createdomain_check(const struct xen_domctl_createdomain *c)
{
	unsigned int grant_version = XEN_DOMCTL_GRANT_version(c->grant_opts);

	if (c->flags & ~CDF_KNOWN || c->iommu_opts || c->vmtrace_size || c->cpupool_id)
		return -EINVAL;
	if (c->flags & ~CDF_OFFERED)
		return -EINVAL; /* IOMMU, virtual PMU, nested HVM: physinfo does not offer them */
	if (!c->max_vcpus || c->max_vcpus > MAX_VCPUS)
		return -EINVAL;
	if (c->grant_opts & ~XEN_DOMCTL_GRANT_version_mask || grant_version < 1 ||
	    grant_version > 2)
		return -EINVAL;
	if (c->arch.misc_flags & ~XEN_X86_MISC_FLAGS_MAX)
		return -EINVAL;
	return 0;
}

static int domctl_createdomain(struct xen_domctl *op)
{
	domid_t id = op->domain;
	struct domain *d;
	int rc = createdomain_check(&op->u.createdomain);

	if (rc)
		return rc;
	if (!id || id >= DOMID_FIRST_RESERVED)
		id = DOMID_INVALID;
	rc = domain_create(id, &op->u.createdomain, false, &d);
	if (rc)
		return rc;
	op->domain = d->id;
	return 0;
}

#define OP(name)     [XEN_DOMCTL_##name] = {domctl_##name, false}
#define OP_OUT(name) [XEN_DOMCTL_##name] = {domctl_##name, true}

static const struct {
	domctl_fn fn;
	bool returns_arg;
} ops[] = {
	OP(destroydomain),	OP(pausedomain),	 OP(unpausedomain),
	OP_OUT(getdomaininfo),	OP_OUT(setvcpuaffinity), OP(max_mem),
	OP(setvcpucontext),	OP(getvcpucontext),	 OP_OUT(getvcpuinfo),
	OP(max_vcpus),		OP_OUT(scheduler_op),	 OP(setdomainhandle),
	OP(irq_permission),	OP(iomem_permission),	 OP(ioport_permission),
	OP(hypercall_init),	OP(settimeoffset),	 OP(getvcpuaffinity),
	OP(sendtrigger),	OP(set_address_size),	 OP_OUT(get_address_size),
	OP(set_target),		OP_OUT(gettscinfo),	 OP(settscinfo),
	OP(set_virq_handler),	OP(setnodeaffinity),	 OP(getnodeaffinity),
	OP_OUT(get_cpu_policy), OP_OUT(set_cpu_policy),	 OP_OUT(gethvmcontext),
	OP(sethvmcontext),	OP_OUT(shadow_op),	 OP_OUT(gethvmcontext_partial),
	OP_OUT(get_paging_mempool_size),		 OP(set_paging_mempool_size),
};

static int domctl_run(struct xen_domctl *op, bool *returns_arg)
{
	struct domain *d;
	int rc;

	if (op->cmd == XEN_DOMCTL_createdomain) {
		*returns_arg = true;
		return domctl_createdomain(op);
	}
	if (op->cmd >= ARRAY_SIZE(ops) || !ops[op->cmd].fn)
		return -ENOSYS;
	*returns_arg = ops[op->cmd].returns_arg;
	d = domain_get(op->domain);
	if (!d)
		return -ESRCH;
	rc = ops[op->cmd].fn(d, op);
	domain_put(d);
	return rc;
}

long hypercall_domctl(const uint64_t *args)
{
	void *guest = (void *)args[0];
	struct xen_domctl op;
	bool returns_arg = false;
	int rc;

	if (!current->domain->is_privileged)
		return -EPERM;
	rc = copy_in(&op, guest, sizeof(op));
	if (rc)
		return rc;
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	rc = domctl_run(&op, &returns_arg);
	if (rc == -ERESTART)
		return hypercall_continue(__HYPERVISOR_domctl, args, 1);
	/* set_cpu_policy tells which leaf it did not like, too. */
	if (returns_arg && (!rc || op.cmd == XEN_DOMCTL_set_cpu_policy) &&
	    copy_out(guest, &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}
