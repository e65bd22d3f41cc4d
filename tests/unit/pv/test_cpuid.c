/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PV guest sees of CPUID, over this machine's own: what must be hidden
 * is, whatever the CPU has.
 *
 * Links: pv/cpuid.c domain/cpuid.c lib/bits.c
 */
#include <xen/arch-x86/cpuid.h>

#include "cpu/asm.h"
#include "cpu/features.h"
#include "fake/fake.h"
#include "pv/emulate.h"
#include "time/time.h"

struct cpu_features cpu_features = {.phys_bits = 46};

uint64_t fpu_xcr0_supported(void)
{
	return 7;
}

uint64_t tsc_khz(void)
{
	return 2500000;
}

bool time_is_stable(void)
{
	return true;
}

const struct tsc_scale *time_scale(void)
{
	static const struct tsc_scale scale = {.mul = 123, .shift = -1};

	return &scale;
}

static struct vcpu *vcpu;

static const uint32_t *leaf(uint32_t number, uint32_t sub)
{
	static uint32_t r[4];

	if (!vcpu || vcpu->domain->id != 1)
		vcpu = fake_domain(1, 2)->vcpus[1];
	pv_cpuid(vcpu, number, sub, r);
	return r;
}

TEST(cpuid_hides_what_ring_3_cannot_have)
{
	vcpu = NULL;
	/* MONITOR, VMX, SMX, PCID, x2APIC, TSC deadline */
	CHECK_EQ(leaf(1, 0)[2] & (1U << 3 | 1U << 5 | 1U << 6 | 1U << 17 | 1U << 21 | 1U << 24), 0);
	/* VME, PSE, MTRR, PGE, MCA, PSE36 */
	CHECK_EQ(leaf(1, 0)[3] & (1U << 1 | 1U << 3 | 1U << 12 | 1U << 13 | 1U << 14 | 1U << 17), 0);
	/* SMEP, INVPCID, SMAP; UMIP, PKU */
	CHECK_EQ(leaf(7, 0)[1] & (1U << 7 | 1U << 10 | 1U << 20), 0);
	CHECK_EQ(leaf(7, 0)[2] & (1U << 2 | 1U << 3), 0);
	/* SVM; 1 GB pages, RDTSCP */
	CHECK_EQ(leaf(0x80000001, 0)[2] & 1U << 2, 0);
	CHECK_EQ(leaf(0x80000001, 0)[3] & (1U << 26 | 1U << 27), 0);
	/* XSAVES */
	CHECK_EQ(leaf(0xd, 1)[0] & 1U << 3, 0);
	/* performance counters, topology */
	CHECK_EQ(leaf(0xa, 0)[0], 0);
	CHECK_EQ(leaf(0xb, 0)[1], 0);
}

TEST(cpuid_tells_who_is_there)
{
	vcpu = NULL;
	CHECK(leaf(1, 0)[2] & 1U << 31);
	CHECK_EQ(leaf(1, 0)[1] >> 24, 1); /* the APIC id is the vCPU's own */
	CHECK_EQ(leaf(0x40000000, 0)[1], XEN_CPUID_SIGNATURE_EBX);
	CHECK_EQ(leaf(0x40000000, 0)[2], XEN_CPUID_SIGNATURE_ECX);
	CHECK_EQ(leaf(0x40000000, 0)[3], XEN_CPUID_SIGNATURE_EDX);
	CHECK_EQ(leaf(0x40000001, 0)[0], 4U << 16 | 17);
	CHECK_EQ(leaf(0x40000003, 1)[2], 123);
	CHECK_EQ(leaf(0x40000005, 0)[1], 46);
	CHECK_EQ(leaf(0x40000050, 0)[0], 0);
}

TEST(cpuid_osxsave_follows_the_guest)
{
	vcpu = NULL;
	leaf(0, 0);
	vcpu->pv.cr4 = 0;
	CHECK_EQ(leaf(1, 0)[2] & 1U << 27, 0);
	vcpu->pv.cr4 = X86_CR4_OSXSAVE;
	CHECK(leaf(1, 0)[2] & 1U << 27);
}

TEST(cpuid_xsave_sizes_are_of_what_is_shown)
{
	uint32_t avx;

	vcpu = NULL;
	if (leaf(0xd, 0)[0] != 7)
		return; /* a machine without AVX */
	avx = leaf(0xd, 2)[0];
	vcpu->fpu.xcr0 = 3;
	CHECK_EQ(leaf(0xd, 0)[1], 576);
	CHECK_EQ(leaf(0xd, 0)[2], 576 + avx); /* whatever else the CPU has */
	vcpu->fpu.xcr0 = 7;
	CHECK_EQ(leaf(0xd, 0)[1], 576 + avx);
	if (leaf(0xd, 1)[0] & 1U << 1)
		CHECK_EQ(leaf(0xd, 1)[1], 576 + avx);
}

TEST(cpuid_beyond_what_we_know_is_empty)
{
	static const uint32_t leaves[] = {5, 6, 9, 0xf, 0x10, 0x14, 0x1f, 0x20000000, 0x8000001d, 0x80000020,
					  0xc0000000};

	vcpu = NULL;
	CHECK(leaf(0, 0)[0] <= 0xd);
	CHECK(leaf(0x80000000, 0)[0] <= 0x80000008);
	for (unsigned int i = 0; i < ARRAY_SIZE(leaves); i++)
		for (unsigned int k = 0; k < 4; k++)
			CHECK_EQ(leaf(leaves[i], 0)[k], 0);
}
