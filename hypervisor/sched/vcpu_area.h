/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A piece of guest memory that a vCPU registered by linear address and that
 * the hypervisor writes now and then (run state, time).  The frames are found
 * and held once, at registration, so that a write needs no page tables and
 * cannot fault, whatever the guest does to its mappings.
 */
#ifndef SCHED_VCPU_AREA_H
#define SCHED_VCPU_AREA_H

#include "lib/spinlock.h"
#include "lib/types.h"

struct vcpu_area {
	struct spinlock lock;  /* irq-safe, innermost; below: */
	struct page *pages[2]; /* a writable reference each; [1] only if it crosses a page */
	uint16_t offset;       /* in the first page */
	uint16_t size;	       /* 0: none registered */
};

/*
 * Registers [guest, guest + size) as found in the current vCPU's page tables,
 * in place of what was; NULL: nothing.  -EFAULT: not mapped writable, or not the guest's half;
 * -EINVAL: misaligned, or frames that may not be written (page tables, another domain's).
 */
must_check int vcpu_area_set(struct vcpu_area *area, const void *guest, size_t size);
void vcpu_area_clear(struct vcpu_area *area);
static inline bool vcpu_area_is_set(const struct vcpu_area *area)
{
	return READ_ONCE(area->size);
}
/* Nothing happens if there is none; offset and n in the size it was registered with. */
void vcpu_area_write(struct vcpu_area *area, size_t offset, const void *src, size_t n);

#endif
