/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After an entry that ended in VMfail: which of the controls and of the host's
 * fields are the reason, by name (Intel SDM vol. 3, "Checks on VMX Controls",
 * "Checks on Host Control Registers, MSRs, and SSP", "Checks on Host Segment and
 * Descriptor-Table Registers").  Reads the VMCS, which is still loaded.
 */
#include "hvm/vmx/vmx.h"

#include "cpu/features.h"
#include "cpu/guest_copy.h"
#include "hvm/vlapic.h"
#include "lib/printk.h"

#define CR0_PE_PG   0x80000001UL
#define EFER_LMA_LME 0x500UL
#define EPTP_WB_4_LEVELS 0x1eUL
#define EPTP_LOW    0xfffUL

static unsigned int complain(const struct vcpu *v, bool is_bad, const char *field, const char *why,
			     uint64_t val)
{
	if (is_bad)
		guest_printk(v->domain, "%s %#lx: %s\n", field, val, why);
	return is_bad;
}

static unsigned int check_groups(const struct vcpu *v)
{
	static const struct {
		uint16_t field;
		const char *name;
	} groups[VMX_CONTROL_GROUPS] = {
		[VMX_PIN] = {VMCS_PIN_CONTROLS, "pin-based controls"},
		[VMX_CPU] = {VMCS_CPU_CONTROLS, "processor-based controls"},
		[VMX_EXIT] = {VMCS_EXIT_CONTROLS, "exit controls"},
		[VMX_ENTRY] = {VMCS_ENTRY_CONTROLS, "entry controls"},
		[VMX_CPU2] = {VMCS_CPU_CONTROLS2, "secondary controls"},
	};
	unsigned int bad = 0;

	for (unsigned int g = 0; g < VMX_CONTROL_GROUPS; g++) {
		uint32_t must = vmx_config.caps[g], may = vmx_config.caps[g] >> 32;
		uint32_t val = vmcs_read(groups[g].field);

		bad += complain(v, must & ~val, groups[g].name, "a bit that must be set is not", val);
		bad += complain(v, val & ~may, groups[g].name, "a bit that must be clear is not", val);
	}
	return bad;
}

enum rule { PAGE_OF_RAM, ALIGNED_16, CANONICAL, SELECTOR, SELECTOR_NOT_NULL };

static bool is_refused(enum rule rule, uint64_t val)
{
	switch (rule) {
	case PAGE_OF_RAM:
		return val & (PAGE_SIZE - 1) || val >> cpu_features.phys_bits;
	case ALIGNED_16:
		return val & 15 || val >> cpu_features.phys_bits;
	case CANONICAL:
		return !is_canonical(val);
	case SELECTOR:
		return val & 7;
	case SELECTOR_NOT_NULL:
		return val & 7 || !val;
	}
	return false;
}

static unsigned int check_single(const struct vcpu *v)
{
	static const char *const whys[] = {
		[PAGE_OF_RAM] = "not the address of a page",
		[ALIGNED_16] = "not the address of a list",
		[CANONICAL] = "not canonical",
		[SELECTOR] = "RPL or TI is set",
		[SELECTOR_NOT_NULL] = "null, or RPL or TI is set",
	};
	static const struct {
		uint16_t field;
		uint8_t rule;
		const char *name;
	} rows[] = {
		{VMCS_IO_BITMAP_A, PAGE_OF_RAM, "I/O bitmap A"},
		{VMCS_IO_BITMAP_B, PAGE_OF_RAM, "I/O bitmap B"},
		{VMCS_MSR_BITMAP, PAGE_OF_RAM, "MSR bitmap"},
		{VMCS_VIRTUAL_APIC, PAGE_OF_RAM, "virtual-APIC address"},
		{VMCS_ENTRY_MSR_LOAD_AREA, ALIGNED_16, "entry MSR-load address"},
		{VMCS_EXIT_MSR_LOAD_AREA, ALIGNED_16, "exit MSR-load address"},
		{VMCS_HOST_CS, SELECTOR_NOT_NULL, "host CS"},
		{VMCS_HOST_TR, SELECTOR_NOT_NULL, "host TR"},
		{VMCS_HOST_ES, SELECTOR, "host ES"},
		{VMCS_HOST_SS, SELECTOR, "host SS"},
		{VMCS_HOST_DS, SELECTOR, "host DS"},
		{VMCS_HOST_FS, SELECTOR, "host FS"},
		{VMCS_HOST_GS, SELECTOR, "host GS"},
		{VMCS_HOST_FS_BASE, CANONICAL, "host FS base"},
		{VMCS_HOST_GS_BASE, CANONICAL, "host GS base"},
		{VMCS_HOST_TR_BASE, CANONICAL, "host TR base"},
		{VMCS_HOST_GDTR_BASE, CANONICAL, "host GDTR base"},
		{VMCS_HOST_IDTR_BASE, CANONICAL, "host IDTR base"},
		{VMCS_HOST_SYSENTER_ESP, CANONICAL, "host SYSENTER_ESP"},
		{VMCS_HOST_SYSENTER_EIP, CANONICAL, "host SYSENTER_EIP"},
		{VMCS_HOST_RIP, CANONICAL, "host RIP"},
	};
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t val = vmcs_read(rows[i].field);

		bad += complain(v, is_refused(rows[i].rule, val), rows[i].name, whys[rows[i].rule], val);
	}
	return bad;
}

/* Those that depend on another, or on a constant of their own. */
static unsigned int check_rest(const struct vcpu *v)
{
	uint64_t cr0 = vmcs_read(VMCS_HOST_CR0), cr4 = vmcs_read(VMCS_HOST_CR4);
	uint64_t efer = vmcs_read(VMCS_HOST_EFER), ept = vmcs_read(VMCS_EPT_POINTER);
	uint64_t threshold = vmcs_read(VMCS_TPR_THRESHOLD), event = vmcs_read(VMCS_ENTRY_EVENT);
	uint64_t vpid = vmcs_read(VMCS_VPID), cr3 = vmcs_read(VMCS_HOST_CR3);
	uint32_t cpu2 = vmcs_read(VMCS_CPU_CONTROLS2);
	unsigned int bad = 0;

	bad += complain(v, cpu2 & CPU2_VPID && !vpid, "VPID", "zero is the host's", vpid);
	bad += complain(v, (ept & EPTP_LOW) != EPTP_WB_4_LEVELS || ept >> cpu_features.phys_bits,
			"EPT pointer", "not of four levels in write-back memory", ept);
	bad += complain(v, threshold > vlapic_cr8_get(v), "TPR threshold", "above the TPR", threshold);
	bad += complain(v, event & EVENT_VALID && event & 0x7ffff000, "entry event",
			"a reserved bit is set", event);
	bad += complain(v, (cr0 & vmx_config.cr0_fixed) != vmx_config.cr0_fixed ||
				   (cr0 & CR0_PE_PG) != CR0_PE_PG,
			"host CR0", "a bit that must be set is not", cr0);
	bad += complain(v, (cr4 & vmx_config.cr4_fixed) != vmx_config.cr4_fixed || !(cr4 & X86_CR4_PAE),
			"host CR4", "a bit that must be set is not", cr4);
	bad += complain(v, cr3 >> cpu_features.phys_bits, "host CR3", "beyond what the CPU addresses",
			cr3);
	bad += complain(v, (efer & EFER_LMA_LME) != EFER_LMA_LME, "host EFER", "LMA or LME is clear",
			efer);
	return bad;
}

unsigned int vmx_host_check(const struct vcpu *v)
{
	return check_groups(v) + check_single(v) + check_rest(v);
}
