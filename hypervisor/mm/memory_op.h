/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sub-operations of HYPERVISOR_memory_op (xen/memory.h), by file.  Each
 * takes the guest's argument pointer; those that go through extents take and
 * continue with the number of extents already done.
 */
#ifndef MM_MEMORY_OP_H
#define MM_MEMORY_OP_H

#include "lib/types.h"

#include <xen/memory.h>

/* The command word holds the operation, and above it the extents done. */
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK     ((1UL << MEMOP_EXTENT_SHIFT) - 1)

/* The largest extent a guest may ask for: 2 MiB. */
#define MEMOP_ORDER_MAX 9

/* The address of entry i of a guest's array; may wrap, the copy functions check. */
static inline void *guest_entry(const void *base, uint64_t i, size_t size)
{
	return (void *)((uintptr_t)base + i * size);
}

/* The address width an allocation is limited to by mem_flags; -EINVAL if it is no width. */
must_check int memory_flags_bits(unsigned int mem_flags, unsigned int *bits);

/*
 * physmap.c, for translated domains: 2^order new frames at gfn: 0, -ENOMEM, -EINVAL; and those at
 * gfn, all RAM, given up: 0, -EINVAL, -ENOMEM (part of it may be done)
 */
must_check int physmap_populate(struct domain *d, gfn_t gfn, unsigned int order, unsigned int bits);
must_check int physmap_give_up(struct domain *d, gfn_t gfn, unsigned int order);
long memory_op_add_to_physmap(void *arg);
long memory_op_add_to_physmap_batch(const void *arg, unsigned long done);
long memory_op_remove_from_physmap(const void *arg);

/* reservation.c: a number of extents, or -E */
long memory_op_reservation(unsigned int cmd, const void *arg, unsigned long done);
long memory_op_claim_pages(const void *arg);
/* exchange.c */
long memory_op_exchange(void *arg);
/* memory_map.c */
long memory_op_memory_map(void *arg);
long memory_op_set_memory_map(const void *arg);
long memory_op_machine_memory_map(void *arg);
long memory_op_machphys_mfn_list(void *arg);
long memory_op_machphys_mapping(void *arg);
long memory_op_reserved_device_memory_map(void *arg);
/* resource.c */
long memory_op_acquire_resource(void *arg);

#endif
