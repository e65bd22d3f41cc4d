/* SPDX-License-Identifier: BSD-2-Clause */
/* What the MMU hypercalls share beyond page tables. */
#ifndef PV_MMUEXT_H
#define PV_MMUEXT_H

#include "lib/types.h"

/*
 * A batch's count of what was done, where the guest wants it (NULL: nowhere);
 * a continuation adds to what its first part stored.  0 or -EFAULT.
 */
must_check int pv_done_store(void *pdone, bool is_continuation, unsigned int done);

#endif
