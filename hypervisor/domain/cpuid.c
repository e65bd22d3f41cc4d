/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID as guests have it in common.  Masks are lists of what is let through,
 * so that a feature nobody has thought about stays hidden (Intel SDM vol. 2
 * "CPUID", AMD APM vol. 3 appendix E say where each is).
 */
#include "domain/cpuid.h"

#include <xen/arch-x86/cpuid.h>

#include "cpu/asm.h"
#include "cpu/features.h"
#include "cpu/fpu.h"
#include "domain/domain.h"
#include "lib/string.h"
#include "time/time.h"

#define B(n) (1U << (n))
#define ALL  ~0U

#define SUBLEAF_ANY 0xff

/* Leaf 1, ecx: SSE3 PCLMUL SSSE3 FMA CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND */
#define LEAF1_ECX                                                                                  \
	(B(0) | B(1) | B(9) | B(12) | B(13) | B(19) | B(20) | B(22) | B(23) | B(25) | B(26) |      \
	 B(28) | B(29) | B(30))
#define LEAF1_ECX_HVM (B(17) | B(21) | B(24)) /* PCID X2APIC TSC_DEADLINE */
/* edx: FPU DE TSC MSR PAE CX8 APIC SEP CMOV PAT CLFLUSH ACPI MMX FXSR SSE SSE2 */
#define LEAF1_EDX                                                                                  \
	(B(0) | B(2) | B(4) | B(5) | B(6) | B(8) | B(9) | B(11) | B(15) | B(16) | B(19) | B(22) |  \
	 B(23) | B(24) | B(25) | B(26))
/* VME PSE MTRR PGE PSE36 HTT */
#define LEAF1_EDX_HVM (B(1) | B(3) | B(12) | B(13) | B(17) | B(28))
/* Leaf 7, ebx: FSGSBASE BMI1 AVX2 BMI2 ERMS AVX512F,DQ RDSEED ADX AVX512IFMA CLFLUSHOPT CLWB
 * AVX512CD SHA AVX512BW,VL */
#define LEAF7_EBX                                                                                  \
	(B(0) | B(3) | B(5) | B(8) | B(9) | B(16) | B(17) | B(18) | B(19) | B(21) | B(23) |        \
	 B(24) | B(28) | B(29) | B(30) | B(31))
#define LEAF7_EBX_HVM (B(7) | B(10) | B(20)) /* SMEP INVPCID SMAP */
/* ecx: AVX512VBMI, VBMI2, GFNI, VAES, VPCLMUL, VNNI, BITALG, VPOPCNTDQ; edx: FSRM */
#define LEAF7_ECX     (B(1) | B(6) | B(8) | B(9) | B(10) | B(11) | B(12) | B(14))
#define LEAF7_ECX_HVM (B(2) | B(22)) /* UMIP RDPID */
#define LEAF7_EDX     B(4)
/* 0x80000001, ecx: LAHF ABM SSE4A MISALIGNSSE 3DNOWPREFETCH XOP FMA4 TBM */
#define EXT1_ECX     (B(0) | B(5) | B(6) | B(7) | B(8) | B(11) | B(16) | B(21))
#define EXT1_ECX_HVM (B(1) | B(4)) /* CMP_LEGACY, CR8 by LOCK MOV CR0 */
/* edx: leaf 1's low ones, SYSCALL NX MMXEXT FFXSR LM 3DNOWEXT 3DNOW */
#define EXT1_EDX_LOW 0x0183f3ff
#define EXT1_EDX                                                                                   \
	((LEAF1_EDX & EXT1_EDX_LOW) | B(11) | B(20) | B(22) | B(25) | B(29) | B(30) | B(31))
#define EXT1_EDX_HVM ((LEAF1_EDX_HVM & EXT1_EDX_LOW) | B(26) | B(27)) /* 1 GB pages, RDTSCP */
#define EXT7_EDX     B(8)					      /* invariant TSC */
#define EXT8_EBX_HVM (B(0) | B(2)) /* CLZERO, error pointers always saved */
#define EXT21_EAX_HVM (B(2) | B(6)) /* LFENCE serialises, null selectors clear their base */

/* A leaf without a rule is zero: MWAIT, thermal, performance counters, topology, SVM... */
static const struct rule {
	uint32_t leaf;
	uint8_t sub;
	uint8_t features; /* registers, as bits, that are sets of features; others are free */
	uint32_t pv[4], hvm[4]; /* let through; to HVM guests, both */
} rules[] = {
	{0x0, SUBLEAF_ANY, 0, {ALL, ALL, ALL, ALL}, {0}},
	{0x1, SUBLEAF_ANY, B(2) | B(3), {ALL, 0xff00, LEAF1_ECX, LEAF1_EDX},
	 {0, 0, LEAF1_ECX_HVM, LEAF1_EDX_HVM}},
	{0x2, SUBLEAF_ANY, 0, {ALL, ALL, ALL, ALL}, {0}},
	{0x4, SUBLEAF_ANY, 0, {0x3fff, ALL, ALL, ALL}, {0}}, /* caches, each as one CPU's own */
	{0x7, 0, B(1) | B(2) | B(3), {0, LEAF7_EBX, LEAF7_ECX, LEAF7_EDX},
	 {0, LEAF7_EBX_HVM, LEAF7_ECX_HVM, 0}},
	{0xd, 0, B(0) | B(3), {ALL, ALL, ALL, ALL}, {0}},
	{0xd, 1, B(0), {B(0) | B(1) | B(2), ALL, 0, 0}, {0}}, /* XSAVEOPT XSAVEC XGETBV1 */
	{0xd, SUBLEAF_ANY, 0, {ALL, ALL, ALL, 0}, {0}},
	{CPUID_EXT, SUBLEAF_ANY, 0, {ALL, ALL, ALL, ALL}, {0}},
	{CPUID_EXT + 1, SUBLEAF_ANY, B(2) | B(3), {ALL, ALL, EXT1_ECX, EXT1_EDX},
	 {0, 0, EXT1_ECX_HVM, EXT1_EDX_HVM}},
	{CPUID_EXT + 2, SUBLEAF_ANY, 0, {ALL, ALL, ALL, ALL}, {0}},
	{CPUID_EXT + 3, SUBLEAF_ANY, 0, {ALL, ALL, ALL, ALL}, {0}},
	{CPUID_EXT + 4, SUBLEAF_ANY, 0, {ALL, ALL, ALL, ALL}, {0}},
	{CPUID_EXT + 5, SUBLEAF_ANY, 0, {ALL, ALL, ALL, ALL}, {0}},
	{CPUID_EXT + 6, SUBLEAF_ANY, 0, {ALL, ALL, ALL, ALL}, {0}},
	{CPUID_EXT + 7, SUBLEAF_ANY, B(3), {0, 0, 0, EXT7_EDX}, {0}},
	{CPUID_EXT + 8, SUBLEAF_ANY, B(1), {ALL, 0, 0, 0}, {0, EXT8_EBX_HVM, 0, 0}},
	{CPUID_EXT_MAX, SUBLEAF_ANY, B(0), {0, 0, 0, 0}, {EXT21_EAX_HVM, 0, 0, 0}},
};

/* The basic leaves' slots; count 0: no sub-leaves, but one slot. */
static const struct {
	uint8_t first, subleaves;
} basic[CPUID_BASIC_MAX + 1] = {
	{0, 0},	 {1, 0},  {2, 0},  {3, 0},  {4, 6},  {10, 0}, {11, 0},
	{12, 2}, {14, 0}, {15, 0}, {16, 0}, {17, 2}, {19, 0}, {20, 63},
};
#define SLOT_EXT 83
_Static_assert(SLOT_EXT + (CPUID_EXT_MAX & 0xff) + 1 == CPUID_SLOTS, "all have one");

int cpuid_slot(uint32_t leaf, uint32_t sub)
{
	if (leaf >= CPUID_EXT)
		return leaf <= CPUID_EXT_MAX ? (int)(SLOT_EXT + (leaf - CPUID_EXT)) : -1;
	if (leaf > CPUID_BASIC_MAX)
		return -1;
	if (!basic[leaf].subleaves)
		return basic[leaf].first;
	return sub < basic[leaf].subleaves ? (int)(basic[leaf].first + sub) : -1;
}

void cpuid_slot_leaf(unsigned int slot, uint32_t *leaf, uint32_t *sub)
{
	uint32_t l = CPUID_BASIC_MAX;

	*sub = XEN_CPUID_NO_SUBLEAF;
	if (slot >= SLOT_EXT) {
		*leaf = CPUID_EXT + slot - SLOT_EXT;
		return;
	}
	while (basic[l].first > slot)
		l--;
	*leaf = l;
	if (basic[l].subleaves)
		*sub = slot - basic[l].first;
}

static const struct rule *rule_find(uint32_t leaf, uint32_t sub)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].leaf == leaf &&
		    (rules[i].sub == SUBLEAF_ANY || rules[i].sub == sub))
			return &rules[i];
	return NULL;
}

/* No supervisor states: XSAVES is hidden.  User states as far as the hypervisor switches them. */
static void xsave_filter(uint32_t sub, uint32_t r[4])
{
	uint64_t xcr0 = fpu_xcr0_supported();

	if (sub == 0) {
		r[0] &= (uint32_t)xcr0;
		r[3] &= (uint32_t)(xcr0 >> 32);
	} else if (sub >= 63 || (sub > 1 && !(xcr0 & BIT(sub)))) {
		memset(r, 0, 4 * sizeof(r[0]));
	}
}

/* Bytes that the states in xcr0 take in an XSAVE area (Intel SDM vol. 1, "XSAVE Area"). */
static uint32_t xsave_size(uint64_t xcr0, bool is_compact)
{
	uint32_t end = 512 + 64;

	for (unsigned int i = 2; i < 63; i++) {
		uint32_t r[4];

		if (!(xcr0 & BIT(i)))
			continue;
		cpuid_count(0xd, i, r);
		if (is_compact)
			end = (r[2] & 2 ? ROUND_UP(end, 64U) : end) + r[0];
		else
			end = MAX(end, r[1] + r[0]);
	}
	return end;
}

void cpuid_xsave_sizes(uint64_t xcr0, uint32_t sub, uint32_t r[4])
{
	if (sub == 0 && r[0]) {
		r[1] = xsave_size(xcr0, false);
		r[2] = xsave_size(r[0] | (uint64_t)r[3] << 32, false);
	} else if (sub == 1) {
		r[1] = r[0] & B(1) ? xsave_size(xcr0, true) : 0;
	}
}

void cpuid_filter(enum cpuid_guest type, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	const struct rule *rule = rule_find(leaf, sub);

	for (unsigned int i = 0; i < 4; i++)
		r[i] &= !rule ? 0 : type == CPUID_HVM ? rule->pv[i] | rule->hvm[i] : rule->pv[i];
	if (leaf == 0)
		r[0] = MIN(r[0], CPUID_BASIC_MAX);
	else if (leaf == 0xd)
		xsave_filter(sub, r);
	else if (leaf == CPUID_EXT)
		r[0] = MIN(r[0], type == CPUID_HVM ? CPUID_EXT_MAX : CPUID_EXT + 8);
}

bool cpuid_is_within(uint32_t leaf, uint32_t sub, const uint32_t r[4], const uint32_t max[4])
{
	const struct rule *rule = rule_find(leaf, sub);

	if (leaf == 0 || leaf == CPUID_EXT)
		return r[0] <= max[0];
	if (leaf == CPUID_EXT + 8 && (uint8_t)r[0] > (uint8_t)max[0])
		return false;
	for (unsigned int i = 0; rule && i < 4; i++)
		if (rule->features & B(i) && r[i] & ~max[i])
			return false;
	return true;
}

/* --- the hypervisor's own --- */

#define TSC_RELIABLE	    (1U << 1)
#define TSC_NEVER_EMULATED 2U

/* Linux from 6.3 on reads a mode of "never emulated" as: keep time by it.  So only if it agrees. */
static void tsc_leaf(uint32_t sub, uint32_t r[4])
{
	const struct tsc_scale *s = time_scale();

	if (sub == 0) {
		r[0] = time_is_stable() ? TSC_RELIABLE : 0;
		r[1] = time_is_stable() ? TSC_NEVER_EMULATED : 0;
		r[2] = (uint32_t)tsc_khz();
	} else if (sub == 1) {
		r[2] = s->mul;
		r[3] = (uint8_t)s->shift;
	}
}

void cpuid_hypervisor_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	bool is_hvm = v->domain->type == DOMAIN_HVM;

	memset(r, 0, 4 * sizeof(r[0]));
	switch (leaf - XEN_CPUID_FIRST_LEAF) {
	case 0:
		r[0] = XEN_CPUID_LEAF(XEN_CPUID_MAX_NUM_LEAVES);
		r[1] = XEN_CPUID_SIGNATURE_EBX;
		r[2] = XEN_CPUID_SIGNATURE_ECX;
		r[3] = XEN_CPUID_SIGNATURE_EDX;
		break;
	case 1: /* the version, as XENVER_version gives it */
		r[0] = 4U << 16 | 17;
		break;
	case 2: /* the hypercall page: a PV guest's needs no MSR, so it is promised none */
		r[0] = is_hvm;
		r[1] = is_hvm ? XEN_CPUID_FIRST_LEAF : 0;
		r[2] = is_hvm ? 0 : XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
		break;
	case 3:
		tsc_leaf(sub, r);
		break;
	case 4:
		if (!is_hvm || sub)
			break;
		/* No UPCALL_VECTOR: the domain-wide callback costs a guest no EOI. */
		r[0] = XEN_HVM_CPUID_X2APIC_VIRT | XEN_HVM_CPUID_VCPU_ID_PRESENT |
		       XEN_HVM_CPUID_DOMID_PRESENT;
		r[1] = v->id;
		r[2] = v->domain->id;
		break;
	case 5: /* PV's alone: bits of machine addresses */
		r[1] = is_hvm ? 0 : cpu_features.phys_bits;
		break;
	}
}
