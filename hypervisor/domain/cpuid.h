/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests of all types are shown of CPUID: which leaves, which of the
 * CPU's features are let through to PV and to HVM guests, and the leaves of
 * the hypervisor itself.  What depends on a guest's own state is added by
 * pv/cpuid.c and hvm/cpuid.c.
 */
#ifndef DOMAIN_CPUID_H
#define DOMAIN_CPUID_H

#include "lib/types.h"

#define CPUID_BASIC_MAX 0xdU
#define CPUID_EXT	0x80000000U
#define CPUID_EXT_MAX	0x80000021U

/*
 * Every leaf that the ABI's serialised form lists has a slot, and each of its
 * sub-leaves one: 83 basic, 34 extended.
 */
#define CPUID_SLOTS 117

struct cpuid_policy {
	uint32_t leaves[CPUID_SLOTS][4]; /* EAX EBX ECX EDX */
};

/* The slot of a leaf, -1 if it has none.  A leaf without sub-leaves ignores `sub`. */
int cpuid_slot(uint32_t leaf, uint32_t sub);
/* As the serialised form has them: sub XEN_CPUID_NO_SUBLEAF where there are none. */
void cpuid_slot_leaf(unsigned int slot, uint32_t *leaf, uint32_t *sub);

enum cpuid_guest { CPUID_PV, CPUID_HVM };

/* Of what the CPU answered in r, what such a guest may have. */
void cpuid_filter(enum cpuid_guest type, uint32_t leaf, uint32_t sub, uint32_t r[4]);
/*
 * Leaf 0xd's sizes, for a guest with that XCR0 and what r already lists. Not the CPU's own answer:
 * that is for the states the CPU has, some of which are hidden, and Bochs gives a wrong one.
 */
void cpuid_xsave_sizes(uint64_t xcr0, uint32_t sub, uint32_t r[4]);
/*
 * Is what r says of a leaf's features within what `max` says?  Numbers (of
 * leaves, of address bits) may not be above it.
 */
bool cpuid_is_within(uint32_t leaf, uint32_t sub, const uint32_t r[4], const uint32_t max[4]);

static inline bool cpuid_is_hypervisor_leaf(uint32_t leaf)
{
	return leaf - 0x40000000U < 0x100;
}
/* XEN_CPUID_FIRST_LEAF and above, as v sees it. */
void cpuid_hypervisor_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4]);

#endif
