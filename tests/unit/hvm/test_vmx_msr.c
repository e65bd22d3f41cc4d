/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which MSRs a VMX guest uses without an exit, by CPU and mode of its local APIC; and what the CPU loads
 * by itself at an entry and an exit.
 *
 * Links: hvm/vmx/msr.c lib/bits.c
 */
#include <cpu/asm.h>

#include "fake/fake.h"

#include "hvm/vlapic.h"
#include "hvm/vmx/vmx.h"
#include "mm/alloc.h"

struct vmx_config vmx_config;

/* Of the real ones, some. */
bool vlapic_msr_is_plain(uint32_t msr)
{
	return msr == 0x802 || msr == 0x80f || msr == 0x83e;
}

static void *at(paddr_t paddr)
{
	return paddr_to_virt(paddr);
}

static void make(const struct vmx_config *c)
{
	vmx_config = *c;
	vmx_msr_tables = (struct vmx_msr_tables){0};
	CHECK_EQ(vmx_msr_tables_create(), 0);
}

static void end(void)
{
	hyp_pages_free(at(vmx_msr_tables.bitmap), 0);
	hyp_pages_free(at(vmx_msr_tables.bitmap_x2apic), 0);
	hyp_pages_free(at(vmx_msr_tables.entry_loads), 0);
}

/* Intel SDM vol. 3, "MSR-Bitmap Address": four KiB parts: reads, low and high, then writes. */
static bool is_exit(paddr_t bitmap, uint32_t msr, bool is_write)
{
	const uint8_t *map = at(bitmap);

	map += (is_write ? 2048 : 0) + (msr >= 0xc0000000 ? 1024 : 0);
	return map[(msr & 0x1fff) >> 3] >> (msr & 7) & 1;
}

static unsigned int count_passed(paddr_t bitmap)
{
	const uint64_t *map = at(bitmap);
	unsigned int n = 0;

	for (unsigned int i = 0; i < 512; i++)
		n += __builtin_popcountl(~map[i]);
	return n;
}

TEST(a_guest_uses_its_own_msrs)
{
	static const uint32_t own[] = {0x174, 0x175, 0x176, 0xc0000081, 0xc0000082,
				       0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102};

	make(&(struct vmx_config){0});
	for (unsigned int i = 0; i < ARRAY_SIZE(own); i++)
		for (unsigned int w = 0; w < 2; w++) {
			CHECK(!is_exit(vmx_msr_tables.bitmap, own[i], w));
			CHECK(!is_exit(vmx_msr_tables.bitmap_x2apic, own[i], w));
		}
	CHECK_EQ(count_passed(vmx_msr_tables.bitmap), 2 * ARRAY_SIZE(own));
	end();
}

TEST(only_the_tpr_where_registers_are_not_virtual)
{
	make(&(struct vmx_config){.cpu2_x2apic = CPU2_X2APIC});
	CHECK(!is_exit(vmx_msr_tables.bitmap_x2apic, 0x808, false));
	CHECK(!is_exit(vmx_msr_tables.bitmap_x2apic, 0x808, true));
	CHECK_EQ(count_passed(vmx_msr_tables.bitmap_x2apic), 22);
	CHECK_EQ(count_passed(vmx_msr_tables.bitmap), 20);
	end();
}

TEST(reads_of_plain_registers_where_they_are)
{
	make(&(struct vmx_config){.cpu2_x2apic = CPU2_X2APIC | CPU2_APIC_REGISTERS});
	CHECK(!is_exit(vmx_msr_tables.bitmap_x2apic, 0x802, false));
	CHECK(!is_exit(vmx_msr_tables.bitmap_x2apic, 0x80f, false));
	CHECK(!is_exit(vmx_msr_tables.bitmap_x2apic, 0x83e, false));
	CHECK(is_exit(vmx_msr_tables.bitmap_x2apic, 0x80f, true));
	CHECK_EQ(count_passed(vmx_msr_tables.bitmap_x2apic), 25);
	CHECK_EQ(count_passed(vmx_msr_tables.bitmap), 20); /* not in xAPIC mode */
	end();
}

TEST(ibrs_and_the_l1_flush_are_the_cpus_to_load)
{
	const struct vmx_msr_load *loads;

	make(&(struct vmx_config){0});
	CHECK(!vmx_msr_tables.nr_entry_loads && !vmx_msr_tables.nr_exit_loads);
	end();
	make(&(struct vmx_config){.has_spec_ctrl = true, .has_l1d_flush = true});
	CHECK(!(vmx_msr_tables.entry_loads & 15) && !(vmx_msr_tables.exit_loads & 15));
	CHECK_EQ(vmx_msr_tables.nr_entry_loads, 2);
	loads = at(vmx_msr_tables.entry_loads);
	CHECK_EQ(vmx_entry_load(1), 0x10b); /* as an exit qualification counts */
	CHECK_EQ(vmx_entry_load(2), 0x48);
	CHECK_EQ(vmx_entry_load(0) | vmx_entry_load(3) | vmx_entry_load(~0UL), 0);
	CHECK(loads[0].msr == 0x10b && loads[0].val == 1 && !loads[0].reserved);
	CHECK(loads[1].msr == 0x48 && loads[1].val == 0 && !loads[1].reserved);
	CHECK_EQ(vmx_msr_tables.nr_exit_loads, 1);
	loads = at(vmx_msr_tables.exit_loads);
	CHECK(loads[0].msr == 0x48 && loads[0].val == 1 && !loads[0].reserved);
	end();
	/* it stays on for the guest, too */
	make(&(struct vmx_config){.has_spec_ctrl = true, .has_enhanced_ibrs = true});
	CHECK(!vmx_msr_tables.nr_entry_loads && !vmx_msr_tables.nr_exit_loads);
	end();
}

TEST(they_are_made_once)
{
	struct vmx_msr_tables first;

	make(&(struct vmx_config){.has_spec_ctrl = true});
	first = vmx_msr_tables;
	CHECK_EQ(vmx_msr_tables_create(), 0);
	CHECK(!memcmp(&first, &vmx_msr_tables, sizeof(first)));
	end();
}
