/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs of an HVM vCPU that are not read and written without an exit.  One
 * that is neither here nor in a part's own hands is #GP, as on a CPU without.
 */
#include "hvm/policy.h"

#include <xen/arch-x86/cpuid.h>

#include "cpu/asm.h"
#include "cpu/features.h"
#include "cpu/guest_copy.h"
#include "hvm/vcpu.h"
#include "hvm/vendor.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "time/vtime.h"

#define MSR_TSC		   0x10
#define MSR_UCODE_REV	   0x8b
#define MSR_MISC_ENABLE	   0x1a0
#define MSR_MTRR_CAP	   0xfe
#define MSR_MTRR_VAR_FIRST 0x200
#define MSR_MTRR_VAR_LAST  0x20f
#define MSR_MTRR_DEF_TYPE  0x2ff
#define MSR_TSC_DEADLINE   0x6e0
#define MSR_X2APIC_FIRST   0x800
#define MSR_X2APIC_LAST	   0x8ff
#define MSR_DE_CFG	   0xc0011029
#define DE_CFG_LFENCE	   2 /* LFENCE serialises */

#define MTRR_DEF_DEFINED   0xcffUL

/* Known, without effect: reads give zero, writes vanish. */
static const struct {
	uint32_t first, last;
} ignored[] = {
	{0x17, 0x17},		  /* PLATFORM_ID */
	{0x79, 0x79},		  /* UCODE_WRITE */
	{0x8b, 0x8b},		  /* BIOS_SIGN_ID: a write, of 0, is how Intel has it asked for */
	{0x179, 0x17a},		  /* MCG_CAP: no banks; MCG_STATUS */
	{0x1a0, 0x1a0},		  /* MISC_ENABLE, as for its writes */
	{0x1d9, 0x1d9},		  /* DEBUGCTL */
	{0xc0010000, 0xc0010007}, /* performance counters */
	{0xc0010010, 0xc0010010}, /* SYSCFG */
	{0xc0010015, 0xc001001f}, /* HWCR, IORR, TOP_MEM, NB_CFG.. */
	{0xc0010020, 0xc0010020}, /* patch loader */
	{0xc0010055, 0xc0010055}, /* interrupt pending */
	{0xc0010058, 0xc0010058}, /* MMIO configuration base */
	{0xc0010114, 0xc0010114}, /* VM_CR */
	{0xc0010140, 0xc0010141}, /* OSVW */
	{0xc0010200, 0xc001020b}, /* performance counters */
	{0xc0011000, 0xc0011004}, /* CPUID overrides */
	{0xc0011020, 0xc001102c}, /* LS, IC, DC, BU, FP, DE, BU2 configuration */
};

static bool is_ignored(uint32_t msr)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ignored); i++)
		if (msr >= ignored[i].first && msr <= ignored[i].last)
			return true;
	return false;
}

static bool is_vlapic_msr(uint32_t msr)
{
	return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
	       (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST);
}

/* --- memory types: kept for the guest to read back; nested paging has its own --- */

static uint64_t *mtrr_find(struct hvm_vcpu *h, uint32_t msr)
{
	static const uint16_t fixed[] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
					 0x26b, 0x26c, 0x26d, 0x26e, 0x26f};
	_Static_assert(ARRAY_SIZE(fixed) == ARRAY_SIZE(((struct hvm_vcpu *)0)->mtrr_fixed), "all");

	if (msr == MSR_MTRR_DEF_TYPE)
		return &h->mtrr_def_type;
	if (msr >= MSR_MTRR_VAR_FIRST && msr <= MSR_MTRR_VAR_LAST)
		return &h->mtrr_var[msr - MSR_MTRR_VAR_FIRST];
	for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++)
		if (msr == fixed[i])
			return &h->mtrr_fixed[i];
	return NULL;
}

/* AMD APM vol. 2, "Memory Types": UC WC WT WP WB, and UC- in the PAT. */
static bool is_memory_type(uint8_t type, bool in_pat)
{
	return type <= 7 && type != 2 && type != 3 && (type != 7 || in_pat);
}

static bool are_memory_types(uint64_t val, bool in_pat)
{
	for (unsigned int i = 0; i < 8; i++)
		if (!is_memory_type(val >> (i * 8), in_pat))
			return false;
	return true;
}

bool hvm_pat_is_legal(uint64_t val)
{
	return are_memory_types(val, true);
}

static bool mtrr_is_legal(uint32_t msr, uint64_t val)
{
	if (msr == MSR_MTRR_DEF_TYPE)
		return !(val & ~MTRR_DEF_DEFINED) && is_memory_type(val, false);
	if (msr > MSR_MTRR_VAR_LAST)
		return are_memory_types(val, false);
	if (val >> cpu_features.phys_bits)
		return false;
	return msr & 1 ? !(val & 0x7ff) : !(val & 0xf00) && is_memory_type(val, false);
}

/* --- the hypercall page: xen/arch-x86/cpuid.h, leaf base + 2 --- */

#define HYPERCALL_SLOT	32
#define HYPERCALL_SLOTS (PAGE_SIZE / HYPERCALL_SLOT)

static int hypercall_page_write(struct vcpu *v, uint64_t val)
{
	static const uint8_t mov_eax = 0xb8, ret = 0xc3;
	uint8_t page[HYPERCALL_SLOT];

	if (val & ~PAGE_MASK)
		return -EPERM; /* a page by number: there is only number 0 */
	for (uint32_t n = 0; n < HYPERCALL_SLOTS; n++) {
		memset(page, 0, sizeof(page));
		page[0] = mov_eax;
		memcpy(page + 1, &n, sizeof(n));
		memcpy(page + 5, hvm_vendor->hypercall_insn, sizeof(hvm_vendor->hypercall_insn));
		page[8] = ret;
		if (n == __HYPERVISOR_iret)
			memcpy(page, (const uint8_t[]){0x0f, 0x0b}, 2); /* UD2: not for HVM */
		if (hvm_phys_write(v->domain, val + n * HYPERCALL_SLOT, page, sizeof(page)))
			return -EPERM;
	}
	return 0;
}

/* --- */

static int tsc_write(struct vcpu *v, uint64_t val)
{
	v->hvm->tsc_offset = val - tsc_read();
	hvm_vendor->tsc_offset_set(v, v->hvm->tsc_offset);
	v->time.is_published = false;
	vtime_update(v);
	return 0;
}

int hvm_msr_read(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	const uint64_t *mtrr = mtrr_find(v->hvm, msr);

	if (is_vlapic_msr(msr))
		return vlapic_msr_read(v, msr, val);
	if (mtrr) {
		*val = *mtrr;
		return 0;
	}
	switch (msr) {
	case MSR_EFER:
		*val = v->hvm->efer;
		return 0;
	case MSR_TSC:
		*val = tsc_read() + v->hvm->tsc_offset;
		return 0;
	case MSR_TSC_AUX:
		*val = v->hvm->tsc_aux;
		return 0;
	case MSR_MTRR_CAP:
		*val = HVM_MTRR_CAP;
		return 0;
	case MSR_MISC_ENABLE:
		*val = MISC_ENABLE_FAST_STRINGS; /* without it Linux does without REP MOVSB */
		return 0;
	case MSR_UCODE_REV:
		return msr_read_safe(msr, val) ? -EPERM : 0;
	case MSR_DE_CFG:
		*val = DE_CFG_LFENCE;
		return 0;
	default:
		if (hvm_vendor->msr_get(v, msr, val))
			return 0;
		*val = 0;
		return is_ignored(msr) ? 0 : -EPERM;
	}
}

/* Addresses the CPU loads into registers; of the others any value is good. */
static bool must_be_canonical(uint32_t msr)
{
	return msr == MSR_FS_BASE || msr == MSR_GS_BASE || msr == MSR_KERNEL_GS_BASE ||
	       msr == MSR_LSTAR || msr == MSR_CSTAR || msr == MSR_SYSENTER_CS + 1 ||
	       msr == MSR_SYSENTER_CS + 2;
}

int hvm_msr_write(struct vcpu *v, uint32_t msr, uint64_t val)
{
	uint64_t *mtrr = mtrr_find(v->hvm, msr);

	if (is_vlapic_msr(msr))
		return vlapic_msr_write(v, msr, val);
	if (mtrr) {
		if (!mtrr_is_legal(msr, val))
			return -EPERM;
		*mtrr = val;
		return 0;
	}
	switch (msr) {
	case MSR_EFER:
		return hvm_efer_set(v, val) ? -EPERM : 0;
	case MSR_TSC:
		return tsc_write(v, val);
	case MSR_TSC_AUX:
		if (val >> 32 || !cpu_features.has_rdtscp)
			return -EPERM;
		v->hvm->tsc_aux = val;
		if (v == current)
			msr_write(MSR_TSC_AUX, val);
		return 0;
	case HVM_MSR_HYPERCALL_PAGE:
		return hypercall_page_write(v, val);
	default:
		if ((must_be_canonical(msr) && !is_canonical(val)) ||
		    (msr == MSR_PAT && !hvm_pat_is_legal(val)))
			return -EPERM;
		return hvm_vendor->msr_set(v, msr, val) || is_ignored(msr) ? 0 : -EPERM;
	}
}
