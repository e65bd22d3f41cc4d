/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an HVM vCPU is shown of CPUID: a table, the domain's own if the tools
 * gave it one, else the default, which is also the most a domain may have.
 * What depends on the vCPU and on the shape of its domain is filled in here:
 * every vCPU is a core of one thread in one package, with APIC id 2 * its
 * number, so that what the toolstack writes into ACPI tables agrees.
 */
#include <xen/arch-x86/cpuid.h>

#include "cpu/asm.h"
#include "cpu/features.h"
#include "domain/cpuid.h"
#include "hvm/policy.h"
#include "hvm/state.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/alloc.h"

#define B(n) (1U << (n))

#define LEAF1_ECX_PCID	       B(17)
#define LEAF1_ECX_X2APIC       B(21)
#define LEAF1_ECX_TSC_DEADLINE B(24)
#define LEAF1_ECX_XSAVE	       B(26)
#define LEAF1_ECX_OSXSAVE      B(27)
#define LEAF1_ECX_HYPERVISOR   B(31)
#define LEAF1_EDX_HTT	       B(28)
#define EXT1_ECX_CMP_LEGACY    B(1)
#define LINEAR_BITS	       48U
#define PHYS_BITS_MAX	       48U /* what four levels of nested page tables translate */
#define EFER_SCE	       B(0)
#define EFER_LME	       B(8)
#define EFER_LMA	       B(10)
#define EFER_NXE	       B(11)
#define EFER_FFXSR	       B(14)

/* written once, by hvm_cpuid_init */
static struct cpuid_policy max_policy;

static uint32_t *slot_of(struct cpuid_policy *p, uint32_t leaf)
{
	return p->leaves[cpuid_slot(leaf, 0)];
}

/* What is so whatever the CPU has and the tools say. */
static void policy_force(struct cpuid_policy *p)
{
	uint32_t *addresses = slot_of(p, CPUID_EXT + 8);

	slot_of(p, 1)[2] |= LEAF1_ECX_HYPERVISOR;
	slot_of(p, 1)[2] &= ~LEAF1_ECX_OSXSAVE;
	addresses[0] = MIN(addresses[0] & 0xff, PHYS_BITS_MAX) | LINEAR_BITS << 8;
}

init_text void hvm_cpuid_init(void)
{
	for (unsigned int i = 0; i < CPUID_SLOTS; i++) {
		uint32_t *r = max_policy.leaves[i];
		uint32_t leaf, sub;

		cpuid_slot_leaf(i, &leaf, &sub);
		if (leaf > (leaf < CPUID_EXT ? cpu_features.max_leaf : cpu_features.max_ext_leaf))
			continue;
		sub = sub == XEN_CPUID_NO_SUBLEAF ? 0 : sub;
		cpuid_count(leaf, sub, r);
		cpuid_filter(CPUID_HVM, leaf, sub, r);
	}
	/* The local APIC is ours, and several cores have one thread each. */
	slot_of(&max_policy, 1)[2] |= LEAF1_ECX_X2APIC | LEAF1_ECX_TSC_DEADLINE;
	slot_of(&max_policy, 1)[3] |= LEAF1_EDX_HTT;
	if (cpu_features.is_amd)
		slot_of(&max_policy, CPUID_EXT + 1)[2] |= EXT1_ECX_CMP_LEGACY;
	policy_force(&max_policy);
}

static const struct cpuid_policy *policy_of(const struct domain *d)
{
	return d && d->hvm->cpuid ? d->hvm->cpuid : &max_policy;
}

void hvm_cpuid_policy_leaf(const struct domain *d, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	const struct cpuid_policy *p = policy_of(d);
	int slot = cpuid_slot(leaf, sub);
	uint32_t max = p->leaves[cpuid_slot(leaf & CPUID_EXT, 0)][0];

	if (slot < 0 || leaf > max)
		memset(r, 0, 4 * sizeof(r[0]));
	else
		memcpy(r, p->leaves[slot], 4 * sizeof(r[0]));
}

/* --- the vCPU's own --- */

/* APIC ids of a domain's vCPUs fit in so many bits. */
static unsigned int apic_id_bits(const struct domain *d)
{
	unsigned int bits = 1;

	while (1U << bits < HVM_APIC_ID(d->max_vcpus))
		bits++;
	return bits;
}

static void leaf_1(const struct vcpu *v, uint32_t r[4])
{
	uint32_t ids = MIN(1U << apic_id_bits(v->domain), 255U);

	r[1] = (r[1] & 0xff00) | ids << 16 | HVM_APIC_ID(v->id) << 24;
	if (v->hvm->cr4 & X86_CR4_OSXSAVE)
		r[2] |= LEAF1_ECX_OSXSAVE;
}

/* Caches: the first two levels are a core's, the others the package's. */
static void leaf_caches(const struct vcpu *v, uint32_t r[4])
{
	uint32_t ids = (r[0] >> 5 & 7) < 3 ? 2 : 1U << apic_id_bits(v->domain);

	if (r[0] & 0x1f)
		r[0] |= (ids - 1) << 14 | MIN(v->domain->max_vcpus - 1, 63U) << 26;
}

static void leaf_topology(const struct vcpu *v, uint32_t sub, uint32_t r[4])
{
	static const uint32_t type[] = {1, 2}; /* thread, core */

	r[0] = sub == 0 ? 1 : sub == 1 ? apic_id_bits(v->domain) : 0;
	r[1] = sub == 0 ? 1 : sub == 1 ? v->domain->max_vcpus : 0;
	r[2] = (sub & 0xff) | (sub < ARRAY_SIZE(type) ? type[sub] << 8 : 0);
	r[3] = HVM_APIC_ID(v->id);
}

void hvm_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	if (cpuid_is_hypervisor_leaf(leaf)) {
		cpuid_hypervisor_leaf(v, leaf, sub, r);
		return;
	}
	hvm_cpuid_policy_leaf(v->domain, leaf, sub, r);
	switch (leaf) {
	case 1:
		leaf_1(v, r);
		break;
	case 4:
		leaf_caches(v, r);
		break;
	case 0xb:
		leaf_topology(v, sub, r);
		break;
	case 0xd:
		cpuid_xsave_sizes(v->fpu.xcr0, sub, r);
		break;
	case CPUID_EXT + 8:
		r[2] = apic_id_bits(v->domain) << 12 | (v->domain->max_vcpus - 1);
		break;
	}
}

/* --- what the policy allows --- */

uint64_t hvm_cr4_allowed(const struct vcpu *v)
{
	/* VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT: all have them */
	uint64_t allowed = 0x7ff;
	uint32_t r[4];

	hvm_cpuid_policy_leaf(v->domain, 1, 0, r);
	if (r[2] & LEAF1_ECX_PCID)
		allowed |= X86_CR4_PCIDE;
	if (r[2] & LEAF1_ECX_XSAVE)
		allowed |= X86_CR4_OSXSAVE;
	hvm_cpuid_policy_leaf(v->domain, 7, 0, r);
	if (r[1] & B(0))
		allowed |= X86_CR4_FSGSBASE;
	if (r[1] & B(7))
		allowed |= X86_CR4_SMEP;
	if (r[1] & B(20))
		allowed |= X86_CR4_SMAP;
	if (r[2] & B(2))
		allowed |= X86_CR4_UMIP;
	return allowed;
}

uint64_t hvm_efer_allowed(const struct vcpu *v)
{
	uint64_t allowed = 0;
	uint32_t r[4];

	hvm_cpuid_policy_leaf(v->domain, CPUID_EXT + 1, 0, r);
	if (r[3] & B(11))
		allowed |= EFER_SCE;
	if (r[3] & B(20))
		allowed |= EFER_NXE;
	if (r[3] & B(25))
		allowed |= EFER_FFXSR;
	if (r[3] & B(29))
		allowed |= EFER_LME | EFER_LMA;
	return allowed;
}

/* --- the tools' --- */

static bool is_xcr0_legal(uint64_t xcr0)
{
	/* AMD APM vol. 2, "XFEATURE_ENABLED_MASK": AVX needs SSE, AVX-512 all three of its and AVX */
	if (!xcr0)
		return true;
	if ((xcr0 & 3) != 3)
		return false;
	return !(xcr0 & 0xe0) || (xcr0 & 0xe4) == 0xe4;
}

/* 0 and p made good, or -EINVAL and what is wrong. */
static int policy_check(struct cpuid_policy *p, uint32_t *bad_leaf, uint32_t *bad_sub)
{
	const uint32_t *xsave = slot_of(p, 0xd);

	slot_of(p, 1)[2] &= ~LEAF1_ECX_OSXSAVE;
	for (unsigned int i = 0; i < CPUID_SLOTS; i++) {
		uint32_t *r = p->leaves[i], *max = max_policy.leaves[i];
		uint32_t leaf, sub;

		cpuid_slot_leaf(i, &leaf, &sub);
		if (!cpuid_is_within(leaf, sub, r, max) ||
		    (leaf == 0xd && sub == 0 &&
		     !is_xcr0_legal(xsave[0] | (uint64_t)xsave[3] << 32))) {
			*bad_leaf = leaf;
			*bad_sub = sub;
			return -EINVAL;
		}
		if (leaf == 0xd && sub > 1) /* where each state lies is the CPU's to say */
			memcpy(r, max, 4 * sizeof(r[0]));
		else
			cpuid_filter(CPUID_HVM, leaf, sub, r);
	}
	policy_force(p);
	return 0;
}

int hvm_cpuid_policy_set(struct domain *d, struct cpuid_policy *p, uint32_t *bad_leaf,
			 uint32_t *bad_sub)
{
	struct cpuid_policy *old;
	int rc = policy_check(p, bad_leaf, bad_sub);

	if (rc)
		return rc;
	/* A vCPU reads the table without a lock: none runs. */
	domain_pause(d);
	spin_lock(&d->lock);
	old = d->hvm->cpuid;
	d->hvm->cpuid = p;
	spin_unlock(&d->lock);
	domain_unpause(d);
	heap_free(old);
	return 0;
}

void hvm_cpuid_fini(struct domain *d)
{
	heap_free(d->hvm->cpuid);
	d->hvm->cpuid = NULL;
}
