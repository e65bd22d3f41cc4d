/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a CPU's VMX must have, one missing thing at a time: each is named, and
 * what is only nice to have is done without.
 *
 * Links: hvm/vmx/capability.c lib/bits.c
 */
#include <cpu/asm.h>

#include "fake/fake.h"

#include "cpu/features.h"
#include "hvm/vmx/vmx.h"

#define FEATURE_CONTROL 0x3a
#define ARCH_CAP	0x10a
#define BASIC		0x480
#define TRUE_PIN	0x48d
#define TRUE_CPU	0x48e
#define TRUE_EXIT	0x48f
#define TRUE_ENTRY	0x490
#define CPU2		0x48b
#define EPT_VPID	0x48c

struct cpu_features cpu_features = {.max_leaf = 0xd};
static uint32_t leaf1_ecx, leaf7_edx;

void cpuid_count(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	memset(r, 0, 4 * sizeof(r[0]));
	if (leaf == 1)
		r[2] = leaf1_ecx;
	if (leaf == 7)
		r[3] = leaf7_edx;
}

/* A CPU that has it all; fixed controls as the manual has them, but none about CR3. */
static void machine(void)
{
	memset(fake_msrs, 0, sizeof(fake_msrs));
	leaf1_ecx = 1U << 5;
	leaf7_edx = 0;
	fake_msr_set(FEATURE_CONTROL, 5);
	fake_msr_set(BASIC, 1UL << 55 | 0x11e57ed0);
	fake_msr_set(TRUE_PIN, 0xff00000016);
	fake_msr_set(TRUE_CPU, 0xfff9fffe04006172 & ~(3UL << 15));
	fake_msr_set(TRUE_EXIT, 0x01ffffff00036dfb);
	fake_msr_set(TRUE_ENTRY, 0x0003ffff000011fb);
	fake_msr_set(CPU2, 0x001fffffUL << 32);
	fake_msr_set(EPT_VPID, 0xf0106734141);
	fake_msr_set(0x486, 0x80000021);
	fake_msr_set(0x488, 0x2000);
}

static const char *without(uint32_t msr, unsigned int bit)
{
	struct vmx_config c = {0};

	machine();
	*fake_msr_find(msr) &= ~(1UL << bit);
	return vmx_config_find(&c);
}

static bool says(const char *said, const char *part)
{
	return said && strstr(said, part);
}

TEST(a_cpu_that_has_it_all)
{
	struct vmx_config c = {0};

	machine();
	CHECK(!vmx_config_find(&c));
	CHECK_EQ(c.revision, 0x11e57ed0);
	CHECK_EQ(c.caps[VMX_PIN], 0xff00000016);
	CHECK_EQ(c.caps[VMX_CPU2], 0x001fffffUL << 32);
	CHECK_EQ(c.cr0_fixed, 0x20); /* PE and PG are an unrestricted guest's own */
	CHECK_EQ(c.cr4_fixed, 0x2000);
	CHECK(c.cpu2 & CPU2_EPT && c.cpu2 & CPU2_UNRESTRICTED && c.cpu2 & CPU2_INVPCID);
	CHECK(!(c.cpu2 & (CPU2_X2APIC | CPU2_APIC_REGISTERS))); /* not in every mode */
	CHECK_EQ(c.cpu2_x2apic, CPU2_X2APIC | CPU2_APIC_REGISTERS);
	CHECK(!(c.cpu & (CPU_INTERRUPT_WINDOW | CPU_NMI_WINDOW)));
	CHECK(!c.has_spec_ctrl && !c.has_verw && !c.has_l1d_flush);
}

TEST(what_must_be_is_named)
{
	CHECK(says(without(TRUE_PIN, 32), "external-interrupt"));
	CHECK(says(without(TRUE_PIN, 35), "NMI exiting"));
	CHECK(says(without(TRUE_PIN, 37), "virtual NMIs"));
	CHECK(says(without(TRUE_CPU, 63), "secondary controls"));
	CHECK(says(without(CPU2, 33), "no EPT"));
	CHECK(says(without(CPU2, 39), "unrestricted"));
	CHECK(says(without(CPU2, 37), "VPIDs"));
	CHECK(says(without(TRUE_CPU, 53), "TPR shadow"));
	CHECK(says(without(TRUE_CPU, 60), "MSR bitmaps"));
	CHECK(says(without(TRUE_CPU, 35), "TSC offset"));
	CHECK(says(without(TRUE_CPU, 54), "NMI-window"));
	CHECK(says(without(TRUE_CPU, 34), "interrupt-window"));
	CHECK(says(without(TRUE_CPU, 57), "I/O bitmaps"));
	CHECK(says(without(TRUE_CPU, 39), "cannot intercept"));
	CHECK(says(without(CPU2, 38), "WBINVD"));
	CHECK(says(without(TRUE_EXIT, 41), "64-bit host"));
	CHECK(says(without(TRUE_EXIT, 50), "PAT"));
	CHECK(says(without(TRUE_EXIT, 52), "EFER"));
	CHECK(says(without(TRUE_ENTRY, 46), "PAT and EFER"));
	CHECK(says(without(BASIC, 55), "first kind"));
	CHECK(says(without(EPT_VPID, 6), "four levels"));
	CHECK(says(without(EPT_VPID, 14), "write-back"));
	CHECK(says(without(EPT_VPID, 16), "2 MiB"));
	CHECK(says(without(EPT_VPID, 17), "1 GiB"));
	CHECK(says(without(EPT_VPID, 25), "INVEPT"));
	CHECK(says(without(EPT_VPID, 42), "INVVPID"));
}

TEST(what_may_be_missing)
{
	struct vmx_config c = {0};

	CHECK(!without(CPU2, 35)); /* RDTSCP */
	CHECK(!without(CPU2, 44)); /* INVPCID */
	machine();
	*fake_msr_find(CPU2) &= ~(1UL << 44);
	CHECK(!vmx_config_find(&c) && !(c.cpu2 & CPU2_INVPCID));
	machine();
	*fake_msr_find(CPU2) &= ~(1UL << 40);
	CHECK(!vmx_config_find(&c) && c.cpu2_x2apic == CPU2_X2APIC);
	machine();
	*fake_msr_find(CPU2) &= ~(1UL << 36); /* registers that no mode is virtual for */
	CHECK(!vmx_config_find(&c) && !c.cpu2_x2apic);
}

TEST(exits_of_each_use_of_cr3_are_refused)
{
	struct vmx_config c;

	machine();
	*fake_msr_find(TRUE_CPU) |= 1UL << 15;
	CHECK(says(vmx_config_find(&c), "CR3"));
}

TEST(no_vmx_and_vmx_locked_off)
{
	struct vmx_config c;

	machine();
	leaf1_ecx = 0;
	CHECK(says(vmx_config_find(&c), "has no VMX"));
	machine();
	fake_msr_set(FEATURE_CONTROL, 1);
	CHECK(says(vmx_config_find(&c), "locked off"));
	fake_msr_set(FEATURE_CONTROL, 3); /* inside SMX only */
	CHECK(says(vmx_config_find(&c), "locked off"));
	fake_msr_set(FEATURE_CONTROL, 0); /* the firmware left it to us */
	CHECK(!vmx_config_find(&c));
	CHECK_EQ(msr_read(FEATURE_CONTROL), 5);
	machine();
	memset(fake_msrs, 0, sizeof(fake_msrs[0])); /* there is none */
	CHECK(says(vmx_config_find(&c), "locked off"));
}

TEST(mitigations_as_the_cpu_says)
{
	struct vmx_config c = {0};

	machine();
	leaf7_edx = 1U << 10 | 1U << 26 | 1U << 28 | 1U << 29;
	fake_msr_set(ARCH_CAP, 0);
	CHECK(!vmx_config_find(&c));
	CHECK(c.has_spec_ctrl && !c.has_enhanced_ibrs && c.has_verw && c.has_l1d_flush);
	fake_msr_set(ARCH_CAP, 1 | 2 | 1U << 5); /* RDCL_NO, IBRS_ALL, MDS_NO */
	CHECK(!vmx_config_find(&c));
	CHECK(c.has_enhanced_ibrs && !c.has_verw && !c.has_l1d_flush);
	fake_msr_set(ARCH_CAP, 1U << 3); /* SKIP_L1DFL_VMENTRY */
	CHECK(!vmx_config_find(&c));
	CHECK(c.has_verw && !c.has_l1d_flush);
}
