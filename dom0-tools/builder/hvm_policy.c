/* SPDX-License-Identifier: BSD-2-Clause */
/* Rewriting the CPUID leaves that tell of cores, and those features that a guest cannot have. */
#include <stdbool.h>

#include "builder/acpi.h"
#include "builder/hvm_policy.h"

/* A package can have no more IDs than the fields below hold; a larger domain has several. */
#define PACKAGE_IDS_MAX 128u

/* AMD64 Architecture Programmer's Manual Vol. 3, Appendix E; Intel SDM Vol. 2, "CPUID". */
#define LEAF0_EBX_INTEL	    0x756e6547u /* "Genu" */
#define LEAF1_ECX_VMX	    (1u << 5)
#define LEAF1_EDX_HTT	    (1u << 28)
#define EXT1_ECX_CMP_LEGACY (1u << 1)
#define EXT1_ECX_SVM	    (1u << 2)
#define LEAF4_TYPE_MASK	    0x1fu
#define LEAF4_LEVEL(eax)    ((eax) >> 5 & 7)
#define LEAF4_LEVEL_SHARED  3  /* and up: of the package; those below are a core's own */
#define LEAF4_SHARE_SHIFT   14 /* IDs that share the cache, minus one */
#define LEAF4_CORES_SHIFT   26 /* IDs of cores in the package, minus one */
#define EXT8_ECX_NC_MASK    0xffu
#define EXT8_ECX_SIZE_SHIFT 12
#define EXT8_ECX_SIZE_MASK  (0xfu << EXT8_ECX_SIZE_SHIFT)

/* How many APIC IDs a package has: a power of two. */
static uint32_t package_ids(uint32_t nr_vcpus)
{
	uint32_t ids = ACPI_APIC_ID(1);

	while (ids < ACPI_APIC_ID(nr_vcpus) && ids < PACKAGE_IDS_MAX)
		ids *= 2;
	return ids;
}

static uint32_t log2_of(uint32_t power)
{
	return (uint32_t)__builtin_ctz(power);
}

static bool is_intel(const struct hyp_policy *policy)
{
	return policy->nr_leaves && policy->leaves[0].leaf == 0 &&
	       policy->leaves[0].b == LEAF0_EBX_INTEL;
}

static void adjust_cache(xen_cpuid_leaf_t *leaf, uint32_t ids)
{
	uint32_t cores = ids - 1 < 63 ? ids - 1 : 63;
	uint32_t share = LEAF4_LEVEL(leaf->a) >= LEAF4_LEVEL_SHARED ? ids - 1 : ACPI_APIC_ID(1) - 1;

	if (!(leaf->a & LEAF4_TYPE_MASK))
		return;
	leaf->a &= (1u << LEAF4_SHARE_SHIFT) - 1;
	leaf->a |= share << LEAF4_SHARE_SHIFT | cores << LEAF4_CORES_SHIFT;
}

/* As the AMD manual's "Legacy Method" of counting cores has it; reserved on other processors. */
static void adjust_amd(xen_cpuid_leaf_t *leaf, uint32_t ids)
{
	if (leaf->leaf == 0x80000001)
		leaf->c |= EXT1_ECX_CMP_LEGACY;
	if (leaf->leaf != 0x80000008)
		return;
	leaf->c &= ~(EXT8_ECX_NC_MASK | EXT8_ECX_SIZE_MASK);
	leaf->c |= (ids - 1) | log2_of(ids) << EXT8_ECX_SIZE_SHIFT;
}

void hvm_policy_adjust(struct hyp_policy *policy, uint32_t nr_vcpus)
{
	uint32_t ids = package_ids(nr_vcpus);
	bool has_intel = is_intel(policy);

	for (uint32_t i = 0; i < policy->nr_leaves; i++) {
		xen_cpuid_leaf_t *leaf = &policy->leaves[i];

		if (leaf->leaf == 1) {
			leaf->c &= ~LEAF1_ECX_VMX;
			leaf->d |= LEAF1_EDX_HTT;
			leaf->b = (leaf->b & 0xff00ffffu) | ids << 16;
		} else if (leaf->leaf == 4) {
			adjust_cache(leaf, ids);
		} else if (leaf->leaf == 0x80000001) {
			leaf->c &= ~EXT1_ECX_SVM;
		}
		if (!has_intel)
			adjust_amd(leaf, ids);
	}
}
