/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PV guest sees of CPUID: the CPU's own answers, less what a ring-3
 * kernel cannot use or must not have (domain/cpuid.c's list).
 */
#include "cpu/asm.h"
#include "domain/cpuid.h"
#include "domain/domain.h"
#include "pv/emulate.h"

#define LEAF1_ECX_OSXSAVE    (1U << 27)
#define LEAF1_ECX_HYPERVISOR (1U << 31)

void pv_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	if (cpuid_is_hypervisor_leaf(leaf)) {
		cpuid_hypervisor_leaf(v, leaf, sub, r);
		return;
	}
	cpuid_count(leaf, sub, r);
	cpuid_filter(CPUID_PV, leaf, sub, r);
	if (leaf == 1) {
		r[1] |= 1U << 16 | v->id << 24; /* one CPU, its APIC id */
		r[2] |= LEAF1_ECX_HYPERVISOR;
		if (v->pv.cr4 & X86_CR4_OSXSAVE)
			r[2] |= LEAF1_ECX_OSXSAVE;
	} else if (leaf == 0xd) {
		cpuid_xsave_sizes(v->fpu.xcr0, sub, r);
	}
}
