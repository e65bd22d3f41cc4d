/* SPDX-License-Identifier: BSD-2-Clause */
/* What the MMU hypercalls share beyond page tables. */
#ifndef PV_MMUEXT_H
#define PV_MMUEXT_H

#include "lib/types.h"

struct cpumask;

/* The CPUs that the vCPUs of a guest's bitmap run on now: 0 or -EFAULT. */
must_check int pv_vcpumask_get(const struct domain *d, const void *guest, struct cpumask *cpus);

/*
 * A batch's count of what was done, where the guest wants it (NULL: nowhere);
 * a continuation adds to what its first part stored.  0 or -EFAULT.
 */
must_check int pv_done_store(void *pdone, bool is_continuation, unsigned int done);

#endif
