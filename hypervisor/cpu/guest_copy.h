/* SPDX-License-Identifier: BSD-2-Clause */
/* What of guest addresses and memory is not part of the seam. */
#ifndef CPU_GUEST_COPY_H
#define CPU_GUEST_COPY_H

#include "lib/types.h"

/* Is [guest, guest + n) outside the hypervisor's own addresses? */
bool guest_range_ok(const void *guest, size_t n);

/* All bits from 47 up alike (AMD APM vol. 2, "Canonical Address Form"). */
static inline bool is_canonical(uint64_t addr)
{
	int64_t top = (int64_t)addr >> 47;

	return top == 0 || top == -1;
}

/* An address the guest may be entered at: canonical, and not the hypervisor's. */
static inline bool is_guest_entry_address(uint64_t addr)
{
	return is_canonical(addr) && guest_range_ok((void *)addr, 1);
}

#endif
