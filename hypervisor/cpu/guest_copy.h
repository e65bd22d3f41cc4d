/* SPDX-License-Identifier: BSD-2-Clause */
/* What of guest memory access is not part of the seam. */
#ifndef CPU_GUEST_COPY_H
#define CPU_GUEST_COPY_H

#include "lib/types.h"

/* Is [guest, guest + n) outside the hypervisor's own addresses? */
bool guest_range_ok(const void *guest, size_t n);

#endif
