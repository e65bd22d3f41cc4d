/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_hvm_op while there are PV domains only: the operations that
 * xen/hvm/hvm_op.h names find no HVM domain to work on.
 */
#include "hypercall/hypercall.h"

#include <xen/hvm/hvm_op.h>

long hypercall_hvm_op(const uint64_t *args)
{
	switch (args[0]) {
	case HVMOP_set_param:
	case HVMOP_get_param:
	case HVMOP_flush_tlbs:
	case HVMOP_get_mem_type:
	case HVMOP_set_evtchn_upcall_vector:
	case HVMOP_altp2m:
		return -EINVAL;
	default:
		return -ENOSYS;
	}
}
