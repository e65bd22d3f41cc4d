/* SPDX-License-Identifier: BSD-2-Clause */
/* Checked setting of a vCPU's debug registers; its user GS selector. */
#ifndef PV_DEBUGREG_H
#define PV_DEBUGREG_H

#include "lib/types.h"

/* 0, -EPERM (hypervisor address, I/O), -EINVAL, -ENODEV */
must_check int pv_debugreg_set(struct vcpu *v, unsigned int reg, uint64_t value);
/* SEGBASE_GS_USER_SEL: for the current vCPU, which is in its kernel. Always 0. */
int pv_load_user_gs(struct vcpu *v, uint64_t selector);

#endif
