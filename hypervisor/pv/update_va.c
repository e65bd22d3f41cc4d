/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_update_va_mapping and its form for foreign frames: one L1 entry,
 * found by the address it maps, and the TLB flush the guest asks for with it.
 */
#include "domain/domain.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "pv/mmuext.h"
#include "pv/pagetable.h"

static int va_update(struct vcpu *v, struct domain *owner, uint64_t va, uint64_t val)
{
	struct table t;
	paddr_t p;
	int ret;

	if (!pv_walk_l1(v, va, &p))
		return -EINVAL;
	ret = table_open(&t, v->domain, paddr_to_mfn(p));
	if (ret)
		return ret;
	/* if another vCPU has made it another table meanwhile, as an entry of that */
	ret = table_write(&t, p % PAGE_SIZE / sizeof(uint64_t), owner, val, 0);
	table_close(&t);
	return ret;
}

/* UVMF_*: what to flush in the low bits, where in the others: local, all, or a vCPU bitmap. */
static int va_flush(struct vcpu *v, uint64_t va, uint64_t flags)
{
	uint64_t type = flags & UVMF_FLUSHTYPE_MASK, where = flags & ~UVMF_FLUSHTYPE_MASK;
	struct cpumask cpus;

	if (type == UVMF_NONE)
		return 0;
	if (type != UVMF_TLB_FLUSH && type != UVMF_INVLPG)
		return -EINVAL;
	if (where == UVMF_LOCAL) {
		if (type == UVMF_INVLPG)
			tlb_flush_page_local(va);
		else
			tlb_flush_local();
		return 0;
	}
	if (where == UVMF_ALL)
		pv_domain_dirty_cpus(v->domain, &cpus);
	else if (pv_vcpumask_get(v->domain, (const void *)where, &cpus))
		return -EFAULT;
	if (type == UVMF_INVLPG)
		tlb_flush_page_mask(&cpus, va);
	else
		tlb_flush_mask(&cpus);
	return 0;
}

static long va_mapping(unsigned int op, const uint64_t *args, unsigned int nr_args,
		       struct domain *owner)
{
	struct vcpu *v = current;
	int ret, flushed;

	if (pv_drop_pending(v))
		return hypercall_continue(op, args, nr_args);
	ret = va_update(v, owner, args[0], args[1]);
	flushed = va_flush(v, args[0], args[2]);
	return ret ? ret : flushed;
}

long hypercall_update_va_mapping(const uint64_t *args)
{
	return va_mapping(__HYPERVISOR_update_va_mapping, args, 3, current->domain);
}

long hypercall_update_va_mapping_otherdomain(const uint64_t *args)
{
	struct domain *owner;
	long ret = pv_owner_get(args[3], &owner);

	if (ret)
		return ret;
	ret = va_mapping(__HYPERVISOR_update_va_mapping_otherdomain, args, 4, owner);
	pv_owner_put(owner);
	return ret;
}
