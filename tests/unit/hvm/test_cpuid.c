/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an HVM vCPU sees of CPUID, over this machine's own: what must be hidden
 * is, whatever the CPU has; and what the tools may make of it.
 *
 * Links: hvm/cpuid.c domain/cpuid.c lib/bits.c
 */
#include <xen/arch-x86/cpuid.h>

#include "cpu/asm.h"
#include "cpu/features.h"
#include "domain/cpuid.h"
#include "fake/fake.h"
#include "hvm/policy.h"
#include "hvm/state.h"
#include "mm/alloc.h"
#include "time/time.h"

#define B(n) (1U << (n))

struct cpu_features cpu_features;

static uint64_t xcr0_supported = 7;

uint64_t fpu_xcr0_supported(void)
{
	return xcr0_supported;
}

uint64_t tsc_khz(void)
{
	return 2500000;
}

static bool is_stable = true;

bool time_is_stable(void)
{
	return is_stable;
}

const struct tsc_scale *time_scale(void)
{
	static const struct tsc_scale scale = {.mul = 123, .shift = -1};

	return &scale;
}

static unsigned int pauses;

void domain_pause(struct domain *d)
{
	pauses++;
}

void domain_unpause(struct domain *d)
{
	CHECK_EQ(pauses, 1);
	pauses--;
}

static struct hvm_domain hvm;
static struct hvm_vcpu hvm_vcpus[3];
static struct vcpu *vcpu;

static void begin(void)
{
	struct domain *d = fake_domain(5, 3);
	uint32_t r[4];

	cpuid_count(0, 0, r);
	cpu_features.max_leaf = r[0];
	cpuid_count(0x80000000, 0, r);
	cpu_features.max_ext_leaf = r[0];
	xcr0_supported = 7;
	hvm_cpuid_init();
	memset(&hvm, 0, sizeof(hvm));
	memset(hvm_vcpus, 0, sizeof(hvm_vcpus));
	d->type = DOMAIN_HVM;
	d->hvm = &hvm;
	for (unsigned int i = 0; i < 3; i++) {
		d->vcpus[i]->hvm = &hvm_vcpus[i];
		d->vcpus[i]->fpu.xcr0 = 3;
	}
	vcpu = d->vcpus[2];
}

static void end(void)
{
	hvm_cpuid_fini(vcpu->domain);
	CHECK_EQ(fake_heap_objects, 0);
	vcpu->domain->type = DOMAIN_PV;
}

static const uint32_t *leaf(uint32_t number, uint32_t sub)
{
	static uint32_t r[4];

	hvm_cpuid(vcpu, number, sub, r);
	return r;
}

TEST(cpuid_hides_what_no_guest_may_have)
{
	begin();
	/* MONITOR VMX SMX */
	CHECK_EQ(leaf(1, 0)[2] & (B(3) | B(5) | B(6)), 0);
	CHECK_EQ(leaf(1, 0)[2] & B(27), 0); /* OSXSAVE, before CR4 has it */
	/* RTM HLE MPX SGX; PKU, LA57 */
	CHECK_EQ(leaf(7, 0)[1] & (B(2) | B(4) | B(11) | B(14)), 0);
	CHECK_EQ(leaf(7, 0)[2] & (B(3) | B(4) | B(16)), 0);
	CHECK_EQ(leaf(7, 0)[3] & (B(22) | B(24) | B(26) | B(31)), 0); /* AMX, IBRS, SSBD */
	CHECK_EQ(leaf(0x80000001, 0)[2] & (B(2) | B(10) | B(22) | B(23)), 0); /* SVM IBS TOPOEXT PMU */
	CHECK_EQ(leaf(0xd, 1)[0] & B(3), 0); /* XSAVES */
	CHECK_EQ(leaf(0xd, 0)[0] & ~7U, 0);
	CHECK_EQ(leaf(0xd, 9)[0], 0); /* PKRU */
	CHECK_EQ(leaf(0xa, 0)[0], 0);
	CHECK_EQ(leaf(0x8000000a, 0)[0], 0);
	CHECK_EQ(leaf(0xe, 0)[0] | leaf(0xffff, 0)[1] | leaf(0x80000022, 0)[0], 0);
	CHECK_EQ(leaf(0x40000100, 0)[0] | leaf(0x20000000, 0)[0] | leaf(~0U, 0)[3], 0);
	CHECK(leaf(0, 0)[0] <= 0xd);
	end();
}

TEST(cpuid_shows_what_the_platform_has)
{
	begin();
	CHECK(leaf(1, 0)[2] & B(21)); /* x2APIC, deadline timer, a hypervisor */
	CHECK(leaf(1, 0)[2] & B(24));
	CHECK(leaf(1, 0)[2] & B(31));
	vcpu->hvm->cr4 = X86_CR4_OSXSAVE;
	CHECK(leaf(1, 0)[2] & B(27));
	CHECK_EQ(leaf(0x40000000, 0)[1], XEN_CPUID_SIGNATURE_EBX);
	CHECK_EQ(leaf(0x40000002, 0)[0], 1);
	CHECK_EQ(leaf(0x40000002, 0)[1], 0x40000000);
	CHECK_EQ(leaf(0x40000002, 0)[2], 0);
	CHECK_EQ(leaf(0x40000003, 0)[0], 2); /* the TSC is reliable, and never emulated */
	CHECK_EQ(leaf(0x40000003, 0)[1], 2);
	is_stable = false;
	CHECK_EQ(leaf(0x40000003, 0)[0] | leaf(0x40000003, 0)[1], 0);
	CHECK_EQ(leaf(0x40000003, 0)[2], 2500000);
	is_stable = true;
	CHECK_EQ(leaf(0x40000004, 0)[0], XEN_HVM_CPUID_X2APIC_VIRT | XEN_HVM_CPUID_VCPU_ID_PRESENT |
						 XEN_HVM_CPUID_DOMID_PRESENT);
	CHECK_EQ(leaf(0x40000004, 0)[1], 2);
	CHECK_EQ(leaf(0x40000004, 0)[2], 5);
	CHECK_EQ(leaf(0x40000004, 1)[0], 0);
	CHECK_EQ(leaf(0x40000005, 0)[1], 0);
	/* a PV guest has none of that */
	vcpu->domain->type = DOMAIN_PV;
	CHECK_EQ(leaf(0x40000002, 0)[1], 0);
	CHECK_EQ(leaf(0x40000004, 0)[0], 0);
	end();
}

TEST(cpuid_topology_agrees_with_the_apic_ids)
{
	begin();
	CHECK_EQ(leaf(1, 0)[1] >> 24, 4);
	CHECK_EQ(leaf(1, 0)[1] >> 16 & 0xff, 8); /* ids 0 to 4 */
	CHECK(leaf(1, 0)[3] & B(28));
	CHECK_EQ(leaf(0xb, 0)[0], 1); /* one thread has a core's two ids */
	CHECK_EQ(leaf(0xb, 0)[1], 1);
	CHECK_EQ(leaf(0xb, 0)[2], 0x100);
	CHECK_EQ(leaf(0xb, 1)[0], 3);
	CHECK_EQ(leaf(0xb, 1)[1], 3);
	CHECK_EQ(leaf(0xb, 1)[2], 0x201);
	CHECK_EQ(leaf(0xb, 1)[3], 4);
	CHECK_EQ(leaf(0xb, 2)[1], 0);
	CHECK_EQ(leaf(0xb, 2)[2], 2);
	CHECK_EQ(leaf(0x80000008, 0)[2], 3U << 12 | 2);
	CHECK(leaf(0x80000008, 0)[0] >> 8 == 48 && (leaf(0x80000008, 0)[0] & 0xff) <= 48);
	end();
}

TEST(cpuid_xsave_sizes_follow_xcr0)
{
	uint32_t all;

	begin();
	if (leaf(0xd, 0)[0] == 7) { /* a machine with AVX */
		all = leaf(0xd, 0)[2];
		CHECK_EQ(leaf(0xd, 0)[1], 576);
		vcpu->fpu.xcr0 = 7;
		CHECK_EQ(leaf(0xd, 0)[1], all);
		CHECK_EQ(all, leaf(0xd, 2)[0] + leaf(0xd, 2)[1]);
	}
	end();
}

TEST(cpuid_control_bits_follow_the_policy)
{
	begin();
	CHECK_EQ(hvm_cr4_allowed(vcpu) & 0x7ff, 0x7ff);
	CHECK_EQ(hvm_cr4_allowed(vcpu) & (B(12) | B(13) | B(14) | B(22) | B(23)), 0);
	CHECK_EQ(!!(hvm_cr4_allowed(vcpu) & X86_CR4_SMEP), !!(leaf(7, 0)[1] & B(7)));
	CHECK_EQ(!!(hvm_cr4_allowed(vcpu) & X86_CR4_PCIDE), !!(leaf(1, 0)[2] & B(17)));
	CHECK_EQ(!!(hvm_cr4_allowed(vcpu) & X86_CR4_OSXSAVE), !!(leaf(1, 0)[2] & B(26)));
	CHECK_EQ(hvm_efer_allowed(vcpu) & (B(12) | B(13)), 0); /* SVME LMSLE */
	CHECK_EQ(hvm_efer_allowed(vcpu) & 0xd01, 0xd01); /* NXE LMA LME SCE */
	end();
}

/* A copy of what the domain has, from the heap. */
static struct cpuid_policy *policy_copy(void)
{
	struct cpuid_policy *p = heap_alloc(sizeof(*p));

	for (unsigned int i = 0; i < CPUID_SLOTS; i++) {
		uint32_t l, sub;

		cpuid_slot_leaf(i, &l, &sub);
		CHECK_EQ(cpuid_slot(l, sub), i);
		hvm_cpuid_policy_leaf(vcpu->domain, l, sub, p->leaves[i]);
	}
	return p;
}

static void refused(uint32_t number, uint32_t sub, unsigned int reg, uint32_t value)
{
	struct cpuid_policy *p = policy_copy();
	uint32_t bad = 0, bad_sub = 0;
	bool has_subs = number == 7 || number == 0xd;

	p->leaves[cpuid_slot(number, sub)][reg] = value;
	CHECK_EQ(hvm_cpuid_policy_set(vcpu->domain, p, &bad, &bad_sub), -EINVAL);
	CHECK_EQ(bad, number);
	CHECK_EQ(bad_sub, has_subs ? sub : XEN_CPUID_NO_SUBLEAF);
	CHECK(!hvm.cpuid);
	heap_free(p);
}

TEST(cpuid_policy_is_kept_within_the_most)
{
	begin();
	refused(0, 0, 0, 0xe);
	refused(0x80000000, 0, 0, 0x80000022);
	refused(1, 0, 2, ~0U);
	refused(1, 0, 2, B(5)); /* VMX */
	refused(1, 0, 3, B(21));
	refused(7, 0, 1, B(11));
	refused(7, 0, 2, B(3));
	refused(7, 0, 3, B(26));
	refused(0xd, 0, 0, 0x207);
	refused(0xd, 0, 0, 0x5); /* AVX without SSE */
	refused(0xd, 0, 3, 1);
	refused(0xd, 1, 0, B(3));
	refused(0x80000001, 0, 2, B(2)); /* SVM */
	refused(0x80000001, 0, 3, B(14));
	refused(0x80000007, 0, 3, B(9));
	refused(0x80000008, 0, 0, 52);
	refused(0x80000008, 0, 1, B(12));
	refused(0x80000021, 0, 0, B(8));
	end();
}

TEST(cpuid_policy_of_the_tools_is_shown)
{
	struct cpuid_policy *p;
	uint32_t bad, bad_sub, area;

	begin();
	p = policy_copy();
	area = p->leaves[cpuid_slot(0xd, 2)][0];
	memcpy(&p->leaves[cpuid_slot(0x80000002, 0)], "A named CPU 1234", 16);
	p->leaves[cpuid_slot(1, 0)][2] &= ~(B(0) | B(31));
	p->leaves[cpuid_slot(1, 0)][2] |= B(27); /* no feature, but CR4's mirror */
	p->leaves[cpuid_slot(7, 0)][1] = 0;
	p->leaves[cpuid_slot(7, 0)][0] = 1;
	p->leaves[cpuid_slot(0xa, 0)][0] = 0x12345;
	p->leaves[cpuid_slot(0xd, 2)][0] = 99999;
	p->leaves[cpuid_slot(0x80000008, 0)][0] = 36 | 57 << 8;
	CHECK_EQ(hvm_cpuid_policy_set(vcpu->domain, p, &bad, &bad_sub), 0);
	CHECK(!memcmp(leaf(0x80000002, 0), "A named CPU 1234", 16));
	CHECK_EQ(leaf(1, 0)[2] & (B(0) | B(27) | B(31)), B(31));
	CHECK_EQ(leaf(7, 0)[0] | leaf(7, 0)[1], 0);
	CHECK_EQ(leaf(0xa, 0)[0], 0);
	CHECK_EQ(leaf(0xd, 2)[0], area);
	CHECK_EQ(leaf(0x80000008, 0)[0], 36 | 48 << 8);
	CHECK_EQ(hvm_cr4_allowed(vcpu) & (X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_FSGSBASE), 0);
	/* another, with fewer leaves, takes its place */
	p = policy_copy();
	p->leaves[0][0] = 1;
	p->leaves[cpuid_slot(0x80000001, 0)][3] = 0;
	CHECK_EQ(hvm_cpuid_policy_set(vcpu->domain, p, &bad, &bad_sub), 0);
	CHECK_EQ(leaf(2, 0)[0] | leaf(0xd, 0)[0], 0);
	CHECK_EQ(hvm_efer_allowed(vcpu), 0);
	end();
}
