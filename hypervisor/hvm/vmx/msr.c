/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSRs as VMX has them, for all guests alike: the bitmaps of those whose use is
 * an exit, and the lists of those that the CPU itself loads at an entry and at
 * an exit, which are the mitigations that may not wait for an instruction.
 */
#include "hvm/vmx/vmx.h"

#include "cpu/asm.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/alloc.h"

#define MSR_FLUSH_CMD	 0x10b
#define FLUSH_CMD_L1D	 1

#define MSR_X2APIC_FIRST 0x800
#define MSR_X2APIC_LAST	 0x8ff
#define MSR_X2APIC_TPR	 0x808

/* Intel SDM vol. 3, "MSR-Bitmap Address": a bit each; of 0.., of 0xc0000000..; reads, then writes */
#define BITMAP_HIGH	 0x400
#define BITMAP_WRITES	 0x800

/* Both lists in one page: 16-byte aligned, and together below what any CPU takes (512). */
#define LOADS_MAX	 4

struct vmx_msr_tables vmx_msr_tables;

static uint8_t *bitmap_byte(uint8_t *map, uint32_t msr)
{
	return map + (msr < 0x2000 ? 0 : BITMAP_HIGH) + (msr & 0x1fff) / 8;
}

static void read_pass(uint8_t *map, uint32_t msr)
{
	*bitmap_byte(map, msr) &= ~(1U << (msr % 8));
}

static void write_pass(uint8_t *map, uint32_t msr)
{
	*(bitmap_byte(map, msr) + BITMAP_WRITES) &= ~(1U << (msr % 8));
}

/*
 * The guest's to use freely: fields of the VMCS, and those that it alone has
 * while it is on a CPU.  The CPU checks what is written.
 */
static const uint32_t passed_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK,
	MSR_SYSENTER_CS, MSR_SYSENTER_CS + 1, MSR_SYSENTER_CS + 2,
};

static void bitmap_fill(uint8_t *map)
{
	memset(map, 0xff, PAGE_SIZE);
	for (unsigned int i = 0; i < ARRAY_SIZE(passed_msrs); i++) {
		read_pass(map, passed_msrs[i]);
		write_pass(map, passed_msrs[i]);
	}
}

/*
 * Intel SDM vol. 3, "Virtualizing MSR-Based APIC Accesses": without "APIC-register virtualization" the
 * TPR alone is virtual, and any other one that does not exit would be the CPU's own.
 */
static void bitmap_fill_x2apic(uint8_t *map)
{
	bitmap_fill(map);
	read_pass(map, MSR_X2APIC_TPR);
	write_pass(map, MSR_X2APIC_TPR);
	if (!(vmx_config.cpu2_x2apic & CPU2_APIC_REGISTERS))
		return;
	for (uint32_t msr = MSR_X2APIC_FIRST; msr <= MSR_X2APIC_LAST; msr++)
		if (vlapic_msr_is_plain(msr))
			read_pass(map, msr);
}

/*
 * IBRS goes off as the last thing before the guest and on as the first thing after it, where it does not
 * simply stay on; the L1 data cache is flushed when all has been read that an entry needs.
 */
static void loads_fill(struct vmx_msr_load *entry, struct vmx_msr_load *exit)
{
	struct vmx_msr_tables *t = &vmx_msr_tables;
	const struct vmx_config *c = &vmx_config;

	if (c->has_l1d_flush)
		entry[t->nr_entry_loads++] =
			(struct vmx_msr_load){.msr = MSR_FLUSH_CMD, .val = FLUSH_CMD_L1D};
	if (c->has_spec_ctrl && !c->has_enhanced_ibrs) {
		entry[t->nr_entry_loads++] = (struct vmx_msr_load){.msr = MSR_SPEC_CTRL};
		exit[t->nr_exit_loads++] =
			(struct vmx_msr_load){.msr = MSR_SPEC_CTRL, .val = SPEC_CTRL_IBRS};
	}
	t->entry_loads = virt_to_paddr(entry);
	t->exit_loads = virt_to_paddr(exit);
}

uint32_t vmx_entry_load(uint64_t n)
{
	const struct vmx_msr_tables *t = &vmx_msr_tables;
	const struct vmx_msr_load *loads;

	if (!n || n > t->nr_entry_loads)
		return 0;
	loads = paddr_to_virt(t->entry_loads);
	return loads[n - 1].msr;
}

int vmx_msr_tables_create(void)
{
	struct vmx_msr_tables *t = &vmx_msr_tables;
	struct vmx_msr_load *loads;
	uint8_t *map, *map_x2apic;

	if (t->bitmap)
		return 0;
	map = hyp_page_alloc_zeroed();
	map_x2apic = hyp_page_alloc_zeroed();
	loads = hyp_page_alloc_zeroed();
	if (!map || !map_x2apic || !loads)
		return -ENOMEM;
	bitmap_fill(map);
	bitmap_fill_x2apic(map_x2apic);
	loads_fill(loads, loads + LOADS_MAX);
	t->bitmap_x2apic = virt_to_paddr(map_x2apic);
	t->bitmap = virt_to_paddr(map);
	return 0;
}
