/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HVM domains as the core's tests see them where they do not link hvm/: there
 * are none, and frames are what PV domains call them.  All weak.
 */
#include "fake.h"

#include "domain/domain.h"
#include "hvm/hvm.h"
#include "hvm/io.h"
#include "hvm/context.h"
#include "hvm/p2m.h"
#include "hvm/policy.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"

#define weak __attribute__((weak))

weak const struct hvm_save_kind hvm_cpu_save_kinds[1], hvm_platform_save_kinds[1];
weak const unsigned int hvm_cpu_nr_save_kinds, hvm_platform_nr_save_kinds;

weak void hvm_vcpu_context_get(struct vcpu *v, struct vcpu_guest_context *ctx)
{
}

weak int p2m_pool_set(struct domain *d, uint64_t pages)
{
	return -ENOMEM;
}

weak bool hvm_is_available(void)
{
	return false;
}

weak int hvm_config_check(const struct xen_domctl_createdomain *config)
{
	return -EOPNOTSUPP;
}

weak int hvm_domain_init(struct domain *d, const struct xen_domctl_createdomain *config)
{
	return -EOPNOTSUPP;
}

weak void hvm_domain_fini(struct domain *d)
{
}

weak int hvm_domain_relinquish(struct domain *d)
{
	return 0;
}

weak int hvm_vcpu_init(struct vcpu *v)
{
	return -EOPNOTSUPP;
}

weak void hvm_vcpu_fini(struct vcpu *v)
{
}

weak void hvm_upcall_raise(struct vcpu *v)
{
}

weak bool hvm_has_wakeup(const struct vcpu *v)
{
	return false;
}

weak void vlapic_scheduled(struct vcpu *v, unsigned int cpu)
{
}

weak void hvm_io_invalidate_maps(struct vcpu *v)
{
}
