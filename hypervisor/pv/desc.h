/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables of PV guests, for pv/ alone; pv.h has what others call. */
#ifndef PV_DESC_H
#define PV_DESC_H

#include "lib/types.h"

/* MMUEXT_SET_LDT: `entries` descriptors at a guest address, 0 for none.  0 or -EINVAL */
must_check int pv_set_ldt(struct vcpu *v, uint64_t base, uint64_t entries);

#endif
