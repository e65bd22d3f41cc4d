/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this CPU's VMX can do (Intel SDM vol. 3, appendix A "VMX Capability
 * Reporting Facility"), and the name of what it lacks.
 */
#include "hvm/vmx/vmx.h"

#include "cpu/asm.h"
#include "cpu/features.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "lib/string.h"

#define CPUID_1_ECX_VMX	       (1U << 5)
#define MSR_FEATURE_CONTROL    0x3a
#define FEATURE_CONTROL_LOCK   (1UL << 0)
#define FEATURE_CONTROL_VMXON  (1UL << 2) /* outside SMX */
#define MSR_ARCH_CAPABILITIES  0x10a
#define ARCH_CAP_RDCL_NO       (1UL << 0)
#define ARCH_CAP_IBRS_ALL      (1UL << 1)
#define ARCH_CAP_SKIP_L1DFL    (1UL << 3)
#define ARCH_CAP_MDS_NO	       (1UL << 5)

#define MSR_VMX_BASIC	       0x480
#define MSR_VMX_TRUE_PIN       0x48d /* .. TRUE_CPU, TRUE_EXIT, TRUE_ENTRY */
#define MSR_VMX_MISC	       0x485
#define MISC_TIMER_SHIFT       0x1f /* the preemption timer counts every 2^n of the TSC */
#define MSR_VMX_CR0_FIXED0     0x486
#define MSR_VMX_CR4_FIXED0     0x488
#define MSR_VMX_CPU2	       0x48b
#define MSR_VMX_EPT_VPID       0x48c
#define BASIC_TRUE_CONTROLS    (1UL << 55)

#define EPT_CAP_4_LEVELS       (1UL << 6)
#define EPT_CAP_WB	       (1UL << 14)
#define EPT_CAP_2M	       (1UL << 16)
#define EPT_CAP_1G	       (1UL << 17)
#define EPT_CAP_INVEPT	       (1UL << 20 | 1UL << 25)
#define VPID_CAP_INVVPID       (1UL << 32 | 1UL << 42)

#define CR0_PE_PG	       0x80000001UL

struct vmx_config vmx_config;

enum { PIN = VMX_PIN, CPU = VMX_CPU, EXIT = VMX_EXIT, ENTRY = VMX_ENTRY, CPU2 = VMX_CPU2 };

static const struct {
	uint8_t group;
	bool is_optional;
	uint32_t bit;
	const char *missing;
} wanted[] = {
	{PIN, false, PIN_INTERRUPT, "this CPU's VMX has no external-interrupt exiting"},
	{PIN, false, PIN_NMI, "this CPU's VMX has no NMI exiting"},
	{PIN, false, PIN_VIRTUAL_NMI, "this CPU's VMX has no virtual NMIs"},
	{CPU, false, CPU_CONTROLS2, "this CPU's VMX has no secondary controls, so no EPT"},
	{CPU2, false, CPU2_EPT, "this CPU's VMX has no EPT"},
	{CPU2, false, CPU2_UNRESTRICTED, "this CPU's VMX has no unrestricted guest"},
	{CPU2, false, CPU2_VPID, "this CPU's VMX has no VPIDs"},
	{CPU, false, CPU_TPR_SHADOW, "this CPU's VMX has no TPR shadow"},
	{CPU, false, CPU_MSR_BITMAP, "this CPU's VMX has no MSR bitmaps"},
	{CPU, false, CPU_TSC_OFFSET, "this CPU's VMX has no TSC offset"},
	{CPU, false, CPU_NMI_WINDOW, "this CPU's VMX has no NMI-window exiting"},
	{CPU, false, CPU_INTERRUPT_WINDOW, "this CPU's VMX has no interrupt-window exiting"},
	{CPU, false, CPU_IO_BITMAPS, "this CPU's VMX has no I/O bitmaps"},
	{CPU, false, CPU_HLT | CPU_MWAIT | CPU_RDPMC | CPU_MOV_DR | CPU_MONITOR,
	 "this CPU's VMX cannot intercept the instructions that must be"},
	{CPU2, false, CPU2_WBINVD, "this CPU's VMX has no WBINVD exiting"},
	{CPU2, true, CPU2_RDTSCP, NULL},
	{CPU2, true, CPU2_INVPCID, NULL},
	{CPU2, true, CPU2_PAUSE_LOOP, NULL},
	{CPU2, true, CPU2_X2APIC, NULL},
	{CPU2, true, CPU2_APIC_REGISTERS, NULL},
	{PIN, true, PIN_PREEMPTION_TIMER, NULL},
	{EXIT, false, EXIT_SAVE_DEBUG | EXIT_HOST_64, "this CPU's VMX has no 64-bit host"},
	{EXIT, false, EXIT_LOAD_PAT | EXIT_SAVE_PAT, "this CPU's VMX does not switch the PAT"},
	{EXIT, false, EXIT_LOAD_EFER | EXIT_SAVE_EFER, "this CPU's VMX does not switch EFER"},
	{ENTRY, false, ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER,
	 "this CPU's VMX does not load the guest's PAT and EFER"},
};

/* Set only while something waits: window exits; per mode: ENTRY_IA32E, and what x2APIC mode has. */
#define CPU_NOT_YET (CPU_INTERRUPT_WINDOW | CPU_NMI_WINDOW)
#define CPU2_BY_MODE (CPU2_X2APIC | CPU2_APIC_REGISTERS)

static const char *controls_find(struct vmx_config *c)
{
	uint64_t caps[VMX_CONTROL_GROUPS];
	uint32_t vals[VMX_CONTROL_GROUPS];

	for (unsigned int g = PIN; g <= ENTRY; g++)
		if (msr_read_safe(MSR_VMX_TRUE_PIN + g, &caps[g]))
			return "this CPU's VMX cannot be read";
	/* no secondary controls, no MSR that tells of them */
	if (msr_read_safe(MSR_VMX_CPU2, &caps[CPU2]))
		caps[CPU2] = 0;
	for (unsigned int g = 0; g < VMX_CONTROL_GROUPS; g++)
		vals[g] = caps[g]; /* low half: must be one; high half: may be one */
	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
		uint32_t allowed = caps[wanted[i].group] >> 32;

		if (!(wanted[i].bit & ~allowed))
			vals[wanted[i].group] |= wanted[i].bit;
		else if (!wanted[i].is_optional)
			return wanted[i].missing;
	}
	if (vals[CPU] & (CPU_CR3_LOAD | CPU_CR3_STORE))
		return "this CPU's VMX makes an exit of each use of CR3";
	memcpy(c->caps, caps, sizeof(c->caps));
	c->pin = vals[PIN];
	c->cpu = vals[CPU] & ~CPU_NOT_YET;
	c->cpu2 = vals[CPU2] & ~CPU2_BY_MODE;
	c->cpu2_x2apic = vals[CPU2] & CPU2_X2APIC ? vals[CPU2] & CPU2_BY_MODE : 0;
	c->exit = vals[EXIT];
	c->entry = vals[ENTRY];
	return NULL;
}

static const char *ept_find(void)
{
	uint64_t cap;

	if (msr_read_safe(MSR_VMX_EPT_VPID, &cap) || !(cap & EPT_CAP_4_LEVELS) ||
	    !(cap & EPT_CAP_WB))
		return "this CPU's EPT has no four levels in write-back memory";
	if (!(cap & EPT_CAP_2M) || !(cap & EPT_CAP_1G))
		return "this CPU's EPT has no pages of 2 MiB and 1 GiB";
	if ((cap & EPT_CAP_INVEPT) != EPT_CAP_INVEPT)
		return "this CPU's VMX has no INVEPT of one context";
	if ((cap & VPID_CAP_INVVPID) != VPID_CAP_INVVPID)
		return "this CPU's VMX has no INVVPID of all contexts";
	return NULL;
}

/* Intel, "Speculative Execution Side Channel Mitigations": CPUID leaf 7, EDX. */
static void mitigations_find(struct vmx_config *c)
{
	uint64_t cap = 0;
	uint32_t r[4];

	if (cpu_features.max_leaf < 7)
		return;
	cpuid_count(7, 0, r);
	if (r[3] & 1U << 29 && msr_read_safe(MSR_ARCH_CAPABILITIES, &cap))
		cap = 0;
	c->has_spec_ctrl = r[3] & 1U << 26;
	c->has_enhanced_ibrs = c->has_spec_ctrl && cap & ARCH_CAP_IBRS_ALL;
	c->has_verw = r[3] & 1U << 10 && !(cap & ARCH_CAP_MDS_NO);
	c->has_l1d_flush = r[3] & 1U << 28 && !(cap & (ARCH_CAP_RDCL_NO | ARCH_CAP_SKIP_L1DFL));
}

int vmx_feature_control_set(void)
{
	uint64_t val;

	if (msr_read_safe(MSR_FEATURE_CONTROL, &val))
		return -EPERM;
	if (val & FEATURE_CONTROL_LOCK)
		return val & FEATURE_CONTROL_VMXON ? 0 : -EPERM;
	return msr_write_safe(MSR_FEATURE_CONTROL,
			      val | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMXON) ? -EPERM : 0;
}

/* What not every CPU has, for who reads the log. */
static void options_print(const struct vmx_config *c)
{
	printk("VMX:%s%s%s%s%s%s%s\n", c->pin & PIN_PREEMPTION_TIMER ? " preemption-timer" : "",
	       c->cpu2 & CPU2_PAUSE_LOOP ? " PAUSE-loop" : "",
	       c->cpu2_x2apic ? " virtual-x2APIC" : "",
	       c->cpu2_x2apic & CPU2_APIC_REGISTERS ? " APIC-registers" : "",
	       c->has_enhanced_ibrs ? " enhanced-IBRS" : c->has_spec_ctrl ? " IBRS" : "",
	       c->has_l1d_flush ? " L1D-flush" : "", c->has_verw ? " VERW" : "");
}

const char *vmx_config_find(struct vmx_config *c)
{
	const char *missing;
	uint64_t basic;
	uint32_t r[4];

	cpuid_count(1, 0, r);
	if (!(r[2] & CPUID_1_ECX_VMX))
		return "this CPU has no VMX";
	if (vmx_feature_control_set())
		return "VMX is locked off by the firmware";
	if (msr_read_safe(MSR_VMX_BASIC, &basic) || !(basic & BASIC_TRUE_CONTROLS))
		return "this CPU's VMX is of the first kind, without EPT";
	c->revision = basic & 0x7fffffff;
	missing = controls_find(c);
	if (!missing)
		missing = ept_find();
	if (missing)
		return missing;
	if (msr_read_safe(MSR_VMX_CR0_FIXED0, &c->cr0_fixed) ||
	    msr_read_safe(MSR_VMX_CR4_FIXED0, &c->cr4_fixed))
		return "this CPU's VMX cannot be read";
	c->cr0_fixed &= ~CR0_PE_PG;
	c->timer_shift = msr_read_safe(MSR_VMX_MISC, &basic) ? 0 : basic & MISC_TIMER_SHIFT;
	mitigations_find(c);
	options_print(c);
	return NULL;
}
