/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TLB with PCIDs and one without: what a load of a root keeps, and that a flush
 * leaves no space out.
 *
 * Links: cpu/tlb.c lib/bits.c
 */
#include <cpu/asm.h>

#include "cpu/cpu.h"
#include "cpu/features.h"
#include "fake.h"

#define KEEP	(1UL << 63)
#define ROOT	0x1234000UL
#define OTHER	0x5678000UL
#define ADDRESS	0x7fff00001000UL

struct cpu_features cpu_features;

static unsigned int invlpgs, invpcids, all_invpcids, spaces_seen;

void invlpg(uint64_t va)
{
	CHECK_EQ(va, ADDRESS);
	invlpgs++;
}

void invpcid(uint64_t type, uint64_t pcid, uint64_t va)
{
	invpcids++;
	if (type == 3) {
		all_invpcids++;
		return;
	}
	CHECK_EQ(type, 0);
	CHECK_EQ(va, ADDRESS);
	spaces_seen |= 1U << pcid;
}

void cpu_call_mask(const struct cpumask *cpus, void (*fn)(void *), void *arg)
{
	CHECK(cpumask_test(cpus, 0));
	fn(arg);
}

static void begin(bool has_pcid)
{
	cpu_features.has_pcid = has_pcid;
	for (unsigned int space = 0; space < TLB_SPACES; space++)
		tlb_space_forget(space);
	invlpgs = invpcids = all_invpcids = spaces_seen = 0;
}

static uint64_t loaded(enum tlb_space space, paddr_t root)
{
	tlb_root_load(space, root);
	return cr3_read();
}

TEST(each_space_has_its_pcid)
{
	begin(true);
	CHECK_EQ(loaded(TLB_HYPERVISOR, ROOT), ROOT);
	CHECK_EQ(loaded(TLB_KERNEL, ROOT), ROOT | 1);
	CHECK_EQ(loaded(TLB_USER, ROOT), ROOT | 2);
}

TEST(the_same_root_is_kept)
{
	begin(true);
	CHECK_EQ(loaded(TLB_KERNEL, ROOT), ROOT | 1);
	CHECK_EQ(loaded(TLB_USER, OTHER), OTHER | 2);
	CHECK_EQ(loaded(TLB_KERNEL, ROOT), ROOT | 1 | KEEP);
	CHECK_EQ(loaded(TLB_USER, OTHER), OTHER | 2 | KEEP);
}

TEST(another_root_is_not)
{
	begin(true);
	CHECK_EQ(loaded(TLB_USER, ROOT), ROOT | 2);
	CHECK_EQ(loaded(TLB_USER, OTHER), OTHER | 2);
	CHECK_EQ(loaded(TLB_USER, ROOT), ROOT | 2);
}

TEST(what_is_forgotten_is_not)
{
	begin(true);
	CHECK_EQ(loaded(TLB_KERNEL, ROOT), ROOT | 1);
	CHECK_EQ(loaded(TLB_USER, OTHER), OTHER | 2);
	tlb_space_forget(TLB_USER);
	CHECK_EQ(loaded(TLB_KERNEL, ROOT), ROOT | 1 | KEEP);
	CHECK_EQ(loaded(TLB_USER, OTHER), OTHER | 2);
}

TEST(without_pcids_cr3_has_none)
{
	begin(false);
	CHECK_EQ(loaded(TLB_USER, ROOT), ROOT);
	CHECK_EQ(loaded(TLB_USER, ROOT), ROOT);
	tlb_flush_local();
	tlb_flush_page_local(ADDRESS);
	CHECK_EQ(invpcids, 0);
	CHECK_EQ(invlpgs, 1);
}

TEST(a_flush_is_of_all_spaces)
{
	struct cpumask cpus;

	begin(true);
	cpumask_zero(&cpus);
	cpumask_set(&cpus, 0);
	tlb_flush_local();
	CHECK_EQ(all_invpcids, 1);
	tlb_flush_mask(&cpus);
	CHECK_EQ(all_invpcids, 2);
	tlb_flush_page_local(ADDRESS);
	CHECK_EQ(invlpgs, 1); /* global ones too */
	CHECK_EQ(spaces_seen, (1U << TLB_SPACES) - 1);
	spaces_seen = 0;
	tlb_flush_page_mask(&cpus, ADDRESS);
	CHECK_EQ(invlpgs, 2);
	CHECK_EQ(spaces_seen, (1U << TLB_SPACES) - 1);
}

/* INVPCID faults on it, where INVLPG does nothing; guests give such addresses. */
TEST(an_address_that_cannot_be_is_nowhere)
{
	begin(true);
	tlb_flush_page_local(1UL << 63);
	tlb_flush_page_local(1UL << 47);
	CHECK_EQ(invlpgs + invpcids, 0);
}
