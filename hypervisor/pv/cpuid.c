/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PV guest sees of CPUID: the CPU's own answers, less what a ring-3
 * kernel cannot use or must not have.  Masks are lists of what is let
 * through, so that a feature nobody has thought about stays hidden.
 */
#include <xen/arch-x86/cpuid.h>

#include "cpu/asm.h"
#include "cpu/features.h"
#include "domain/domain.h"
#include "lib/string.h"
#include "pv/emulate.h"
#include "time/time.h"

#define B(n) (1U << (n))

/* Leaf 1, ecx: SSE3 PCLMUL SSSE3 FMA CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES XSAVE AVX F16C RDRAND */
#define LEAF1_ECX                                                                                  \
	(B(0) | B(1) | B(9) | B(12) | B(13) | B(19) | B(20) | B(22) | B(23) | B(25) | B(26) |      \
	 B(28) | B(29) | B(30))
#define LEAF1_ECX_OSXSAVE    B(27)
#define LEAF1_ECX_HYPERVISOR B(31)
/* edx: FPU DE TSC MSR PAE CX8 APIC SEP CMOV PAT CLFLUSH ACPI MMX FXSR SSE SSE2 */
#define LEAF1_EDX                                                                                  \
	(B(0) | B(2) | B(4) | B(5) | B(6) | B(8) | B(9) | B(11) | B(15) | B(16) | B(19) | B(22) |  \
	 B(23) | B(24) | B(25) | B(26))
/* Leaf 7, ebx: FSGSBASE BMI1 AVX2 BMI2 ERMS AVX512F,DQ RDSEED ADX AVX512IFMA CLFLUSHOPT CLWB
 * AVX512CD SHA AVX512BW,VL */
#define LEAF7_EBX                                                                                  \
	(B(0) | B(3) | B(5) | B(8) | B(9) | B(16) | B(17) | B(18) | B(19) | B(21) | B(23) |        \
	 B(24) | B(28) | B(29) | B(30) | B(31))
/* ecx: AVX512VBMI, VBMI2, GFNI, VAES, VPCLMUL, VNNI, BITALG, VPOPCNTDQ; edx: FSRM */
#define LEAF7_ECX (B(1) | B(6) | B(8) | B(9) | B(10) | B(11) | B(12) | B(14))
#define LEAF7_EDX B(4)
/* 0x80000001, ecx: LAHF ABM SSE4A MISALIGNSSE 3DNOWPREFETCH XOP FMA4 TBM */
#define EXT1_ECX (B(0) | B(5) | B(6) | B(7) | B(8) | B(11) | B(16) | B(21))
/* edx: leaf 1's low ones, SYSCALL NX MMXEXT FFXSR LM 3DNOWEXT 3DNOW */
#define EXT1_EDX                                                                                   \
	((LEAF1_EDX & 0x0183f3ff) | B(11) | B(20) | B(22) | B(25) | B(29) | B(30) | B(31))

static void hypervisor_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
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
	case 2: /* a PV guest uses no hypercall-page MSR: none is promised */
		r[2] = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
		break;
	case 3:
		if (sub == 0) {
			r[0] = 0; /* the TSC is not emulated */
			r[2] = tsc_khz();
		} else if (sub == 1) {
			const struct tsc_scale *s = time_scale();

			r[2] = s->mul;
			r[3] = (uint8_t)s->shift;
		}
		break;
	case 5:
		r[1] = cpu_features.phys_bits; /* ABI: bits of machine addresses */
		break;
	}
}

static void leaf_1(const struct vcpu *v, uint32_t r[4])
{
	r[1] = (r[1] & 0x0000ff00) | 1U << 16 | v->id << 24; /* CLFLUSH size, one, APIC id */
	r[2] &= LEAF1_ECX;
	if (v->pv.cr4 & X86_CR4_OSXSAVE)
		r[2] |= LEAF1_ECX_OSXSAVE;
	r[2] |= LEAF1_ECX_HYPERVISOR;
	r[3] &= LEAF1_EDX;
}

static void leaf_xsave(const struct vcpu *v, uint32_t sub, uint32_t r[4])
{
	if (sub == 0) {
		r[0] &= (uint32_t)fpu_xcr0_supported();
		r[3] &= (uint32_t)(fpu_xcr0_supported() >> 32);
	} else if (sub == 1) {
		r[0] &= B(0) | B(1) | B(2); /* XSAVEOPT XSAVEC XGETBV1: no XSAVES */
		r[2] = r[3] = 0;
	} else if (sub >= 63 || !(fpu_xcr0_supported() & BIT(sub))) {
		memset(r, 0, 4 * sizeof(r[0]));
	}
}

static void basic_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	switch (leaf) {
	case 0:
		r[0] = MIN(r[0], 0xd);
		break;
	case 1:
		leaf_1(v, r);
		break;
	case 2:
		break;
	case 4: /* caches, each as one CPU's own */
		r[0] &= 0x3fff;
		break;
	case 7:
		if (sub == 0) {
			r[0] = 0;
			r[1] &= LEAF7_EBX;
			r[2] &= LEAF7_ECX;
			r[3] &= LEAF7_EDX;
			break;
		}
		memset(r, 0, 4 * sizeof(r[0]));
		break;
	case 0xd:
		leaf_xsave(v, sub, r);
		break;
	default: /* MWAIT, thermal, performance counters, topology */
		memset(r, 0, 4 * sizeof(r[0]));
	}
}

static void extended_leaf(const struct vcpu *v, uint32_t leaf, uint32_t r[4])
{
	switch (leaf) {
	case 0x80000000:
		r[0] = MIN(r[0], 0x80000008);
		break;
	case 0x80000001:
		r[2] &= EXT1_ECX;
		r[3] &= EXT1_EDX;
		break;
	case 0x80000002 ... 0x80000006: /* the name; cache sizes */
		break;
	case 0x80000007:
		r[0] = r[1] = r[2] = 0;
		r[3] &= B(8); /* invariant TSC */
		break;
	case 0x80000008:
		r[1] = r[2] = r[3] = 0;
		break;
	default:
		memset(r, 0, 4 * sizeof(r[0]));
	}
}

void pv_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	if (leaf - XEN_CPUID_FIRST_LEAF < 0x100) {
		hypervisor_leaf(v, leaf, sub, r);
		return;
	}
	cpuid_count(leaf, sub, r);
	if (leaf <= 0xffff)
		basic_leaf(v, leaf, sub, r);
	else if (leaf >= 0x80000000)
		extended_leaf(v, leaf, r);
	else
		memset(r, 0, 4 * sizeof(r[0]));
}
