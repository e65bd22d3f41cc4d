/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an HVM vCPU is shown of its CPU: CPUID leaves, as the tools set them
 * for the domain (XEN_DOMCTL_set_cpu_policy) or by default, and MSRs.
 */
#ifndef HVM_POLICY_H
#define HVM_POLICY_H

#include "lib/types.h"

struct cpuid_policy;

void hvm_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4]);
/* Boot: the default that domains start with, and the most they may have: the CPU's, masked. */
init_text void hvm_cpuid_init(void);
/* What d's policy says (d NULL: the default), less what depends on the vCPU; under d->lock. */
void hvm_cpuid_policy_leaf(const struct domain *d, uint32_t leaf, uint32_t sub, uint32_t r[4]);
/*
 * Gives the (heap's) table p to d, whole; not the caller's domain.  0; -EINVAL: this leaf is
 * beyond what the default has, and p is still the caller's.
 */
must_check int hvm_cpuid_policy_set(struct domain *d, struct cpuid_policy *p, uint32_t *bad_leaf,
				    uint32_t *bad_sub);
void hvm_cpuid_fini(struct domain *d); /* with the domain's end */

/* The local APIC's id is the vCPU's number times two, as toolstacks write it in ACPI tables. */
#define HVM_APIC_ID(vcpu_id) ((vcpu_id) * 2U)

/* CR4 and EFER bits that the policy allows. */
uint64_t hvm_cr4_allowed(const struct vcpu *v);
uint64_t hvm_efer_allowed(const struct vcpu *v);

/* The MSR that CPUID's hypervisor leaf base + 2 names: writing an address makes it a hypercall page. */
#define HVM_MSR_HYPERCALL_PAGE 0x40000000

/* Write-combining, fixed ranges, 8 variable ones (Intel SDM vol. 3, "MTRR Feature Identification"). */
#define HVM_MTRR_CAP 0x508
/* Is each of its eight entries a memory type? */
bool hvm_pat_is_legal(uint64_t val);

/* By RDMSR and WRMSR: 0, or -EPERM for #GP. */
must_check int hvm_msr_read(struct vcpu *v, uint32_t msr, uint64_t *val);
must_check int hvm_msr_write(struct vcpu *v, uint32_t msr, uint64_t val);

#endif
