/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Privileged instructions that a PV guest executes although it runs in ring
 * 3: they fault, and are done for it as far as it may.  The current vCPU's.
 */
#ifndef PV_EMULATE_H
#define PV_EMULATE_H

#include "lib/types.h"

/* After #GP: true when done (regs moved on, or another fault injected). */
must_check bool pv_emulate_privileged(struct vcpu *v, struct cpu_user_regs *regs);
/* After #UD: the forced-emulation prefix of xen.h before CPUID. */
must_check bool pv_emulate_forced(struct vcpu *v, struct cpu_user_regs *regs);

/* The pieces: what a PV guest sees of CPUID and MSRs. */
void pv_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4]);
must_check int pv_msr_read(struct vcpu *v, uint32_t msr, uint64_t *val);  /* -EPERM: #GP */
must_check int pv_msr_write(struct vcpu *v, uint32_t msr, uint64_t val);

/* Port access by the current guest: -EPERM or 0.  size 1, 2, 4. */
bool pv_port_allowed(struct vcpu *v, uint16_t port, unsigned int size);
uint32_t pv_port_in(struct vcpu *v, uint16_t port, unsigned int size);
void pv_port_out(struct vcpu *v, uint16_t port, unsigned int size, uint32_t val);

#endif
