/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an HVM vCPU is shown of its CPU: CPUID leaves, as the tools set them
 * for the domain (XEN_DOMCTL_set_cpu_policy) or by default, and MSRs.
 */
#ifndef HVM_POLICY_H
#define HVM_POLICY_H

#include "lib/types.h"

void hvm_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4]);
/* The default that domains start with, and the most they may have: the CPU's, masked. */
void hvm_cpuid_default(uint32_t leaf, uint32_t sub, uint32_t r[4]);
/* CR4 and EFER bits that the policy allows. */
uint64_t hvm_cr4_allowed(const struct vcpu *v);
uint64_t hvm_efer_allowed(const struct vcpu *v);

/* By RDMSR and WRMSR: 0, or -EPERM for #GP. */
must_check int hvm_msr_read(struct vcpu *v, uint32_t msr, uint64_t *val);
must_check int hvm_msr_write(struct vcpu *v, uint32_t msr, uint64_t val);

#endif
