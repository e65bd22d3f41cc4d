/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After VMfail each field that is the reason is named, and no other.
 *
 * Links: hvm/vmx/check_host.c lib/bits.c
 */
#include "fake/fake.h"

#include "cpu/features.h"
#include "hvm/vlapic.h"
#include "hvm/vmx/vmx.h"

struct cpu_features cpu_features = {.phys_bits = 40};
struct vmx_config vmx_config = {
	.cr0_fixed = 0x20,
	.cr4_fixed = 0x2000,
	.caps = {[VMX_PIN] = 0x7f00000016, [VMX_CPU] = 0xfff9fffe04006172,
		 [VMX_EXIT] = 0x7fffff00036dfb, [VMX_ENTRY] = 0xffff000011fb,
		 [VMX_CPU2] = 0x2177fffUL << 32},
};
static uint64_t vmcs[0x8000];
static struct vcpu *vcpu;
static struct domain domain;

uint64_t vmcs_read(uint64_t field)
{
	return vmcs[field];
}

uint8_t vlapic_cr8_get(const struct vcpu *v)
{
	return 5;
}

/* As the hypervisor writes it. */
static void setup(void)
{
	static struct vcpu v = {.domain = &domain};

	vcpu = &v;
	memset(vmcs, 0, sizeof(vmcs));
	vmcs[VMCS_PIN_CONTROLS] = 0x3f;
	vmcs[VMCS_CPU_CONTROLS] = 0x04006172 | CPU_CONTROLS2;
	vmcs[VMCS_CPU_CONTROLS2] = CPU2_EPT | CPU2_VPID;
	vmcs[VMCS_EXIT_CONTROLS] = 0x00036dfb | EXIT_HOST_64;
	vmcs[VMCS_ENTRY_CONTROLS] = 0x000011fb;
	vmcs[VMCS_VPID] = 1;
	vmcs[VMCS_EPT_POINTER] = 0x12301e;
	vmcs[VMCS_TPR_THRESHOLD] = 5;
	vmcs[VMCS_HOST_CR0] = 0x80000021;
	vmcs[VMCS_HOST_CR3] = 0x1000;
	vmcs[VMCS_HOST_CR4] = 0x2020;
	vmcs[VMCS_HOST_EFER] = 0xd01;
	vmcs[VMCS_HOST_CS] = 0xe008;
	vmcs[VMCS_HOST_SS] = 0xe010;
	vmcs[VMCS_HOST_TR] = 0xe040;
	vmcs[VMCS_HOST_RIP] = 0xffff820000201000;
}

static unsigned int with(enum vmcs_field field, uint64_t val)
{
	setup();
	vmcs[field] = val;
	return vmx_host_check(vcpu);
}

TEST(a_good_one_has_no_complaint)
{
	setup();
	CHECK_EQ(vmx_host_check(vcpu), 0);
	CHECK_EQ(with(VMCS_HOST_CR3, 0x1001), 0); /* with a PCID */
	CHECK_EQ(with(VMCS_ENTRY_EVENT, EVENT_VALID | 0xf3), 0);
	CHECK_EQ(with(VMCS_ENTRY_EVENT, 0x7ffff000), 0); /* not valid, not looked at */
}

TEST(each_control_is_named)
{
	CHECK_EQ(with(VMCS_PIN_CONTROLS, 0x3b), 1);
	CHECK_EQ(with(VMCS_PIN_CONTROLS, 0x1003f), 1);
	CHECK_EQ(with(VMCS_CPU_CONTROLS, CPU_CONTROLS2), 1);
	CHECK_EQ(with(VMCS_CPU_CONTROLS2, CPU2_EPT | CPU2_VPID | 1U << 31), 1);
	CHECK_EQ(with(VMCS_EXIT_CONTROLS, 0), 1);
	CHECK_EQ(with(VMCS_ENTRY_CONTROLS, 0x800011fb), 1);
	CHECK_EQ(with(VMCS_VPID, 0), 1);
	CHECK_EQ(with(VMCS_EPT_POINTER, 0x123018), 1);
	CHECK_EQ(with(VMCS_EPT_POINTER, 1UL << 40 | 0x1e), 1);
	CHECK_EQ(with(VMCS_TPR_THRESHOLD, 6), 1);
	CHECK_EQ(with(VMCS_ENTRY_EVENT, EVENT_VALID | 1U << 12), 1);
}

TEST(each_address_is_named)
{
	CHECK_EQ(with(VMCS_IO_BITMAP_A, 0x1010), 1);
	CHECK_EQ(with(VMCS_IO_BITMAP_B, 1UL << 40), 1);
	CHECK_EQ(with(VMCS_MSR_BITMAP, 0x1010), 1);
	CHECK_EQ(with(VMCS_VIRTUAL_APIC, 1UL << 40), 1);
	CHECK_EQ(with(VMCS_ENTRY_MSR_LOAD_AREA, 8), 1);
	CHECK_EQ(with(VMCS_ENTRY_MSR_LOAD_AREA, 16), 0);
	CHECK_EQ(with(VMCS_EXIT_MSR_LOAD_AREA, 1UL << 41), 1);
}

TEST(each_field_of_the_host_is_named)
{
	static const uint16_t canonical[] = {
		VMCS_HOST_FS_BASE,	VMCS_HOST_GS_BASE,	VMCS_HOST_TR_BASE,
		VMCS_HOST_GDTR_BASE,	VMCS_HOST_IDTR_BASE,	VMCS_HOST_SYSENTER_ESP,
		VMCS_HOST_SYSENTER_EIP, VMCS_HOST_RIP,
	};
	static const uint16_t selectors[] = {VMCS_HOST_ES, VMCS_HOST_CS, VMCS_HOST_SS, VMCS_HOST_DS,
					     VMCS_HOST_FS, VMCS_HOST_GS, VMCS_HOST_TR};

	for (unsigned int i = 0; i < ARRAY_SIZE(canonical); i++)
		CHECK_EQ(with(canonical[i], 1UL << 60), 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(selectors); i++) {
		CHECK_EQ(with(selectors[i], 0xe013), 1);
		CHECK_EQ(with(selectors[i], 0xe014), 1);
	}
	CHECK_EQ(with(VMCS_HOST_CS, 0), 1);
	CHECK_EQ(with(VMCS_HOST_TR, 0), 1);
	CHECK_EQ(with(VMCS_HOST_CR0, 0x80000001), 1);
	CHECK_EQ(with(VMCS_HOST_CR0, 0x20), 1);
	CHECK_EQ(with(VMCS_HOST_CR4, 0x2000), 1);
	CHECK_EQ(with(VMCS_HOST_CR4, 0x20), 1);
	CHECK_EQ(with(VMCS_HOST_CR3, 1UL << 40), 1);
	CHECK_EQ(with(VMCS_HOST_EFER, 0x101), 1);
}
