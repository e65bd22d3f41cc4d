/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a PV guest may read and write of MSRs.  Everything not listed here is
 * a general protection fault, as on a CPU that has no such register.
 */
#include "cpu/asm.h"
#include "cpu/guest_copy.h"
#include "domain/domain.h"
#include "lib/errno.h"
#include "pv/emulate.h"

#define MSR_TSC            0x10
#define MSR_PLATFORM_ID    0x17
#define MSR_UCODE_REV      0x8b
#define MSR_MCG_CAP        0x179
#define MSR_MISC_ENABLE    0x1a0
#define MSR_AMD_SYSCFG     0xc0010010
#define MSR_AMD_HWCR       0xc0010015
#define MSR_AMD_NB_CFG     0xc001001f
#define MSR_AMD_DE_CFG     0xc0011029

#define EFER_GUEST (0x001 | 0x100 | 0x400 | 0x800) /* SCE LME LMA NXE */
#define APIC_BASE_ENABLE (1UL << 11)
#define APIC_BASE_BSP    (1UL << 8)

/* The kernel's GS base is the live one while it runs: MSR access comes from the kernel only. */
int pv_msr_read(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	switch (msr) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		*val = msr_read(msr);
		return 0;
	case MSR_EFER:
		*val = msr_read(MSR_EFER) & EFER_GUEST;
		return 0;
	case MSR_PAT:
		*val = msr_read(MSR_PAT);
		return 0;
	case MSR_TSC:
		*val = tsc_read();
		return 0;
	case MSR_APIC_BASE:
		*val = 0xfee00000 | APIC_BASE_ENABLE | (v->id ? 0 : APIC_BASE_BSP);
		return 0;
	case MSR_UCODE_REV:
		return msr_read_safe(msr, val) ? -EPERM : 0;
	case MSR_AMD_DE_CFG:
		*val = 2; /* LFENCE serialises */
		return 0;
	case MSR_MISC_ENABLE:
		*val = MISC_ENABLE_FAST_STRINGS; /* without it Linux does without REP MOVSB */
		return 0;
	case MSR_PLATFORM_ID:
	case MSR_MCG_CAP:
	case MSR_AMD_SYSCFG:
	case MSR_AMD_HWCR:
	case MSR_AMD_NB_CFG:
		*val = 0;
		return 0;
	default:
		return -EPERM;
	}
}

int pv_msr_write(struct vcpu *v, uint32_t msr, uint64_t val)
{
	uint64_t now;

	switch (msr) {
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		if (!is_canonical(val))
			return -EPERM;
		msr_write(msr, val);
		return 0;
	case MSR_EFER:
	case MSR_PAT:
		/* may be written with what it holds */
		return pv_msr_read(v, msr, &now) || now != val ? -EPERM : 0;
	case MSR_TSC:
	case MSR_UCODE_REV:
	case MSR_APIC_BASE:
	case MSR_MISC_ENABLE:
	case MSR_AMD_SYSCFG:
	case MSR_AMD_HWCR:
	case MSR_AMD_NB_CFG:
	case MSR_AMD_DE_CFG:
		return 0; /* no effect */
	default:
		return -EPERM;
	}
}
