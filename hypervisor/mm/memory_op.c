/* SPDX-License-Identifier: BSD-2-Clause */
/* HYPERVISOR_memory_op: which sub-operation, and those that only ask for a number. */
#include "mm/memory_op.h"

#include "domain/domain.h"
#include "hvm/state.h"
#include "hypercall/hypercall.h"
#include "mm/mm.h"

enum domain_query { QUERY_CURRENT, QUERY_MAXIMUM, QUERY_MAX_GPFN };

static long query_answer(struct domain *d, enum domain_query what)
{
	uint64_t max_pfn;

	switch (what) {
	case QUERY_CURRENT:
		return READ_ONCE(d->mm.tot_pages);
	case QUERY_MAXIMUM:
		/* "no limit" must not look like an error */
		return MIN(READ_ONCE(d->mm.max_pages), (uint64_t)INT64_MAX);
	default:
		if (d->type == DOMAIN_HVM)
			return READ_ONCE(d->hvm->p2m.max_gfn);
		/* a PV guest says itself how far its frames go */
		max_pfn = d->shared_info ? READ_ONCE(d->shared_info->arch.max_pfn) : 0;
		return max_pfn ? MIN(max_pfn - 1, (uint64_t)INT64_MAX) : 0;
	}
}

static long query_domain(const void *arg, enum domain_query what)
{
	struct xen_memory_domain q;
	struct domain *d;
	long ret;

	if (copy_in(&q, arg, sizeof(q)))
		return -EFAULT;
	ret = domain_get_controlled(q.domid, &d);
	if (ret)
		return ret;
	ret = query_answer(d, what);
	domain_put(d);
	return ret;
}

#define REFUSED_TO_HVM                                                            \
	(BIT_U32(XENMEM_machphys_mfn_list) | BIT_U32(XENMEM_machine_memory_map) | \
	 BIT_U32(XENMEM_exchange) | BIT_U32(XENMEM_machphys_mapping))

/* After it, a device model may have frames mapped that are the guest's no more. */
static bool takes_memory_away(unsigned int cmd)
{
	return cmd == XENMEM_decrease_reservation || cmd == XENMEM_add_to_physmap ||
	       cmd == XENMEM_add_to_physmap_batch || cmd == XENMEM_remove_from_physmap;
}

static long memory_op(const uint64_t *args)
{
	unsigned int cmd = args[0] & MEMOP_CMD_MASK;
	unsigned long done = args[0] >> MEMOP_EXTENT_SHIFT;
	void *arg = (void *)args[1];

	/* machine frames are nothing that a translated guest has a use for */
	if (current->domain->type == DOMAIN_HVM && REFUSED_TO_HVM & BIT_U32(cmd))
		return -ENOSYS;
	switch (cmd) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		return memory_op_reservation(cmd, arg, done);
	case XENMEM_exchange:
		return memory_op_exchange(arg);
	case XENMEM_maximum_ram_page:
		return frame_table_end - 1;
	case XENMEM_current_reservation:
		return query_domain(arg, QUERY_CURRENT);
	case XENMEM_maximum_reservation:
		return query_domain(arg, QUERY_MAXIMUM);
	case XENMEM_maximum_gpfn:
		return query_domain(arg, QUERY_MAX_GPFN);
	case XENMEM_machphys_mfn_list:
		return memory_op_machphys_mfn_list(arg);
	case XENMEM_machphys_mapping:
		return memory_op_machphys_mapping(arg);
	case XENMEM_memory_map:
		return memory_op_memory_map(arg);
	case XENMEM_machine_memory_map:
		return memory_op_machine_memory_map(arg);
	case XENMEM_set_memory_map:
		return memory_op_set_memory_map(arg);
	case XENMEM_claim_pages:
		return memory_op_claim_pages(arg);
	case XENMEM_reserved_device_memory_map:
		return memory_op_reserved_device_memory_map(arg);
	case XENMEM_acquire_resource:
		return memory_op_acquire_resource(arg);
	case XENMEM_get_sharing_freed_pages:
	case XENMEM_get_sharing_shared_pages:
		return 0;
	case XENMEM_add_to_physmap:
		return memory_op_add_to_physmap(arg);
	case XENMEM_add_to_physmap_batch:
		return memory_op_add_to_physmap_batch(arg, done);
	case XENMEM_remove_from_physmap:
		return memory_op_remove_from_physmap(arg);
	case XENMEM_set_pod_target:
	case XENMEM_get_pod_target:
		return -EINVAL; /* likewise */
	case XENMEM_get_vnumainfo:
	case XENMEM_paging_op:
	case XENMEM_access_op:
	case XENMEM_sharing_op:
		return -EOPNOTSUPP;
	default:
		return -ENOSYS;
	}
}

long hypercall_memory_op(const uint64_t *args)
{
	struct vcpu *v = current;
	long ret = memory_op(args);

	if (v->domain->type == DOMAIN_HVM && v->domain->hvm->has_device_model && ret >= 0 &&
	    takes_memory_away(args[0] & MEMOP_CMD_MASK))
		hvm_io_invalidate_maps(v);
	return ret;
}
