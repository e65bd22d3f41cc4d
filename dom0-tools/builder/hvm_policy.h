/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: what CPUID tells a PVH or HVM guest about its vCPUs. The features are the
 * hypervisor's default; the topology is ours: one package of single-threaded cores.
 */
#ifndef ZENDO_BUILDER_HVM_POLICY_H
#define ZENDO_BUILDER_HVM_POLICY_H

#include "hyp/hvm.h"

/* vCPU N has APIC ID 2N. What is the vCPU's own (its ID) the hypervisor fills in. */
void hvm_policy_adjust(struct hyp_policy *policy, uint32_t nr_vcpus);

#endif
