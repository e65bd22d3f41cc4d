/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detects what the CPU has (AMD APM vol. 3 appendix E, Intel SDM vol. 2 CPUID)
 * and turns on, per CPU, what the hypervisor uses of it.
 */
#include "cpu/features.h"

#include "cpu/asm.h"
#include "lib/bits.h"
#include "lib/printk.h"
#include "lib/string.h"

struct cpu_features cpu_features;

/*
 * The PAT that the PV ABI promises its guests: WB WT UC- UC WC WP UC UC, so
 * that they find write-combining at index 4.
 */
#define PAT_VALUE     (0x06ULL | 0x04ULL << 8 | 0x07ULL << 16 | 0x00ULL << 24 | 0x01ULL << 32 |    \
		       0x05ULL << 40 | 0x00ULL << 48 | 0x00ULL << 56)

/* While the image is still mapped writable: entry.S's places for CLAC. */
static init_text void smap_sites_patch(void)
{
	static const uint8_t clac[] = {0x0f, 0x01, 0xca};
	extern uint8_t *const smap_sites_start[], *const smap_sites_end[];

	for (uint8_t *const *site = smap_sites_start; site < smap_sites_end; site++)
		memcpy(*site, clac, sizeof(clac));
}

init_text void cpu_features_init(void)
{
	struct cpu_features *f = &cpu_features;
	uint32_t r[4];

	cpuid_count(0, 0, r);
	f->max_leaf = r[0];
	memcpy(f->vendor, &r[1], 4);
	memcpy(f->vendor + 4, &r[3], 4);
	memcpy(f->vendor + 8, &r[2], 4);
	f->is_amd = !strcmp(f->vendor, "AuthenticAMD") || !strcmp(f->vendor, "HygonGenuine");

	cpuid_count(1, 0, r);
	f->signature = r[0];
	f->has_x2apic = r[2] & BIT_U32(21);
	f->has_tsc_deadline = r[2] & BIT_U32(24);
	f->has_xsave = r[2] & BIT_U32(26);
	f->has_pge = r[3] & BIT_U32(13);

	f->has_pcid = r[2] & BIT_U32(17);

	if (f->max_leaf >= 7) {
		cpuid_count(7, 0, r);
		f->has_pcid &= r[1] >> 10 & 1;
		f->has_fsgsbase = r[1] & BIT_U32(0);
		f->has_smep = r[1] & BIT_U32(7);
		f->has_erms = r[1] & BIT_U32(9);
		f->has_smap = r[1] & BIT_U32(20);
	}
	f->has_pcid &= f->max_leaf >= 7;
	if (f->has_xsave && f->max_leaf >= 0xd) {
		cpuid_count(0xd, 1, r);
		f->has_xsaveopt = r[0] & BIT_U32(0);
	}

	cpuid_count(0x80000000, 0, r);
	f->max_ext_leaf = r[0];
	f->phys_bits = 36;
	if (f->max_ext_leaf >= 0x80000001) {
		cpuid_count(0x80000001, 0, r);
		f->has_nx = r[3] & BIT_U32(20);
		f->has_1g_pages = r[3] & BIT_U32(26);
		f->has_rdtscp = r[3] & BIT_U32(27);
	}
	if (f->max_ext_leaf >= 0x80000007) {
		cpuid_count(0x80000007, 0, r);
		f->has_invariant_tsc = r[3] & BIT_U32(8);
	}
	if (f->max_ext_leaf >= 0x80000008) {
		cpuid_count(0x80000008, 0, r);
		f->phys_bits = r[0] & 0xff;
	}
	if (f->has_smap)
		smap_sites_patch();
	if (!f->has_nx)
		panic("this CPU has no NX bit, which the page-table protection needs");
	printk("CPU: %s, signature %#x, %u physical address bits%s%s%s%s\n", f->vendor, f->signature,
	       f->phys_bits, f->has_smep ? ", SMEP" : "", f->has_smap ? ", SMAP" : "",
	       f->has_fsgsbase ? ", FSGSBASE" : "", f->has_pcid ? ", PCID" : "");
}

void cpu_features_enable(void)
{
	const struct cpu_features *f = &cpu_features;
	uint64_t cr4 = X86_CR4_PAE | X86_CR4_DE | X86_CR4_MCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;

	if (f->has_pge)
		cr4 |= X86_CR4_PGE;
	if (f->has_xsave)
		cr4 |= X86_CR4_OSXSAVE;
	if (f->has_smep)
		cr4 |= X86_CR4_SMEP;
	if (f->has_smap)
		cr4 |= X86_CR4_SMAP;
	if (f->has_fsgsbase)
		cr4 |= X86_CR4_FSGSBASE;
	if (f->has_pcid) /* CR3 is still the one of the start, with PCID 0 */
		cr4 |= X86_CR4_PCIDE;
	cr4_write(cr4);
	cr0_write((cr0_read() & ~X86_CR0_TS) | 0x80010023); /* PG WP NE MP PE */
	msr_write(MSR_PAT, PAT_VALUE);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | 0x801); /* SCE NXE */
}
