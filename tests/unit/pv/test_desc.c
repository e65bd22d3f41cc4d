/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables: which descriptors a guest may have, the frames of GDT
 * and LDT, and what stands in the windows of a CPU.
 * Links: mm/page.c mm/page_type.c pv/pagetable.c pv/mmu_update.c pv/walk.c pv/flush.c pv/mmuext.c
 * Links: pv/update_va.c pv/desc.c pv/teardown.c lib/bits.c lib/rangeset.c
 * Helpers: pv/guest.c
 */
#include "guest.h"

#define CODE64 0x00af9b000000ffffUL /* DPL 0, accessed */
#define DATA   0x00cf93000000ffffUL
#define DPL3   (3UL << 45)

static struct guest g;

static void one_guest(void)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
}

static long set_gdt(const struct page *pg, unsigned int entries)
{
	uint64_t *list = fake_guest_alloc(16 * 8), args[4] = {(uint64_t)list, entries};
	long ret;

	for (unsigned int i = 0; i < 16; i++)
		list[i] = mfn_of(pg);
	ret = hypercall_set_gdt(args);
	fake_guest_remove(list);
	return ret;
}

static long update_descriptor(uint64_t ma, uint64_t desc)
{
	uint64_t args[4] = {ma, desc};

	return hypercall_update_descriptor(args);
}

/* Is a table with just this descriptor accepted?  What becomes of it. */
static bool is_accepted(uint64_t desc, uint64_t *after)
{
	entries_of(g.data[2])[7] = desc;
	if (set_gdt(g.data[2], 8)) {
		references_check();
		return false;
	}
	*after = entries_of(g.data[2])[7];
	pv_gdt_drop(g.v);
	references_check();
	return true;
}

TEST(code_and_data_become_ring_3)
{
	uint64_t after;

	one_guest();
	CHECK(is_accepted(CODE64, &after));
	CHECK_EQ(after, CODE64 | DPL3);
	CHECK(is_accepted(DATA & ~BIT(40), &after));
	CHECK_EQ(after, DATA | DPL3);
	CHECK(is_accepted(DATA | 1UL << 45, &after));
	CHECK_EQ(after, DATA | DPL3);
	CHECK(is_accepted(0, &after));
	CHECK_EQ(after, 0);
	/* what is not present is nothing, whatever it says */
	CHECK(is_accepted(0x00008c0000000000UL & ~BIT(47), &after));
}

TEST(system_descriptors_and_gates_are_refused)
{
	uint64_t after;

	one_guest();
	for (unsigned int type = 0; type < 16; type++)
		for (unsigned int dpl = 0; dpl < 4; dpl++)
			CHECK(!is_accepted(BIT(47) | (uint64_t)type << 40 | (uint64_t)dpl << 45,
					   &after));
	CHECK(!is_accepted(CODE64 | BIT(54), &after)); /* L and D */
}

TEST(gdt_frames_are_read_only_to_the_guest)
{
	one_guest();
	CHECK_EQ(set_gdt(g.data[1], 8), -EINVAL); /* mapped writable */
	CHECK_EQ(set_gdt(g.l1, 8), -EINVAL);
	CHECK_EQ(set_gdt(g.data[2], 8), 0);
	CHECK_EQ(page_type(g.data[2]), PAGE_SEGDESC);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[2], RW)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[2], P)), 0);
	CHECK_EQ(guest_set_entry(g.data[2], 0, CODE64), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_CLEAR_PAGE, mfn_of(g.data[2]), 0), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(g.data[2]), 0), -EINVAL);
	references_check();
	guest_end(&g);
}

TEST(gdt_frames_must_be_own_and_few)
{
	struct domain *other;

	one_guest();
	other = fake_domain(2, 1);
	CHECK_EQ(set_gdt(fake_frame_alloc(other), 8), -EINVAL);
	CHECK_EQ(set_gdt(fake_frame_alloc(NULL), 8), -EINVAL);
	CHECK_EQ(set_gdt(g.data[2], FIRST_RESERVED_GDT_ENTRY + 1), -EINVAL);
	CHECK_EQ(set_gdt(g.data[2], ~0U), -EINVAL);
	CHECK_EQ(set_gdt(g.data[2], FIRST_RESERVED_GDT_ENTRY), 0);
	CHECK_EQ(page_type_count(g.data[2]), 14);
	CHECK_EQ(hypercall_set_gdt((uint64_t[]){0x1000, 8}), -EFAULT);
	references_check();
	CHECK_EQ(set_gdt(g.data[2], 0), 0);
	CHECK_EQ(page_type_count(g.data[2]), 0);
}

TEST(the_last_bad_frame_undoes_the_others)
{
	uint64_t *list;

	one_guest();
	list = fake_guest_alloc(2 * 8);
	list[0] = mfn_of(g.data[2]);
	list[1] = mfn_of(g.l1);
	CHECK_EQ(hypercall_set_gdt((uint64_t[]){(uint64_t)list, 513}), -EINVAL);
	CHECK_EQ(page_type_count(g.data[2]), 0);
	references_check();
}

TEST(the_gdt_stands_in_the_window_of_its_cpu)
{
	one_guest();
	memset(fake_tlb_flushes, 0, sizeof(fake_tlb_flushes));
	CHECK_EQ(set_gdt(g.data[2], 513), 0);
	CHECK_EQ(fake_gdt_ptes[0][0], pte_of(g.data[2], PTE_HYP_RO));
	CHECK_EQ(fake_gdt_ptes[0][1], pte_of(g.data[2], PTE_HYP_RO));
	CHECK_EQ(fake_gdt_ptes[0][2], 0);
	CHECK_EQ(fake_tlb_flushes[0], 1);
	/* our own page is left alone */
	fake_gdt_ptes[0][14] = 0x1234;
	CHECK_EQ(set_gdt(g.data[3], 1), 0);
	CHECK_EQ(fake_gdt_ptes[0][0], pte_of(g.data[3], PTE_HYP_RO));
	CHECK_EQ(fake_gdt_ptes[0][1], 0);
	CHECK_EQ(fake_gdt_ptes[0][14], 0x1234);
	CHECK_EQ(fake_tlb_flushes[0], 2);
	CHECK_EQ(page_type_count(g.data[2]), 0);
	/* on a switch, in that of the other CPU */
	pv_desc_load(g.v, 5);
	CHECK_EQ(fake_gdt_ptes[5][0], pte_of(g.data[3], PTE_HYP_RO));
	CHECK_EQ(fake_gdt_ptes[5][13], 0);
	CHECK_EQ(fake_gdt_ptes[5][16], 0);
}

TEST(ldt_frames_come_by_fault)
{
	one_guest();
	CHECK(!pv_ldt_fault(g.v, 0));
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, GUEST_VA, 600), 0);
	CHECK_EQ(fake_ldt_entries[0], 600);
	entries_of(g.data[0])[3] = DATA;
	CHECK(pv_ldt_fault(g.v, 24));
	CHECK_EQ(entries_of(g.data[0])[3], DATA | DPL3);
	CHECK_EQ(page_type(g.data[0]), PAGE_SEGDESC);
	CHECK_EQ(fake_gdt_ptes[0][16], pte_of(g.data[0], PTE_HYP_RO));
	references_check();
	CHECK(!pv_ldt_fault(g.v, 24));	      /* it is there */
	CHECK(!pv_ldt_fault(g.v, PAGE_SIZE)); /* mapped writable */
	CHECK(!pv_ldt_fault(g.v, 2 * PAGE_SIZE));
	CHECK(!pv_ldt_fault(g.v, ~0U));
	/* a bad descriptor in it */
	CHECK_EQ(guest_set_entry(g.l1, 5, pte_of(g.data[1], P)), 0);
	entries_of(g.data[1])[0] = BIT(47) | 12UL << 40;
	CHECK(!pv_ldt_fault(g.v, PAGE_SIZE));
	references_check();
	/* the end of it */
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, 0, 0), 0);
	CHECK_EQ(fake_ldt_entries[0], 0);
	CHECK_EQ(fake_gdt_ptes[0][16], 0);
	CHECK_EQ(page_type_count(g.data[0]), 0);
	references_check();
	guest_end(&g);
}

TEST(ldt_frames_are_the_guests_own)
{
	struct domain *other;
	struct page *theirs;

	one_guest();
	other = fake_domain(2, 1);
	theirs = fake_frame_alloc(other);
	CHECK(page_get(theirs, other));
	entries_of(g.l1)[4] = pte_of(theirs, P | PTE_USER); /* as a grant maps it */
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, GUEST_VA, 10), 0);
	CHECK(!pv_ldt_fault(g.v, 0));
	CHECK_EQ(page_type_count(theirs), 0);
	entries_of(g.l1)[4] = 0;
	CHECK(!pv_ldt_fault(g.v, 0));
}

TEST(ldt_arguments_are_checked)
{
	one_guest();
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, GUEST_VA + 8, 8), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, GUEST_VA, 8193), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, M2P_START, 8), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, (1UL << 47) - PAGE_SIZE, 600), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, -PAGE_SIZE, 600), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, GUEST_VA, 8192), 0);
	/* the same again keeps what was faulted in */
	CHECK(pv_ldt_fault(g.v, 0));
	CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, GUEST_VA, 8192), 0);
	CHECK_EQ(page_type_count(g.data[0]), 1);
}

TEST(update_descriptor_checks_and_writes)
{
	struct domain *other;

	one_guest();
	other = fake_domain(2, 1);
	CHECK_EQ(set_gdt(g.data[2], 8), 0);
	CHECK_EQ(update_descriptor(entry_ma(g.data[2], 5), CODE64), 0);
	CHECK_EQ(entries_of(g.data[2])[5], CODE64 | DPL3);
	CHECK_EQ(update_descriptor(entry_ma(g.data[2], 5), BIT(47) | 12UL << 40), -EINVAL);
	CHECK_EQ(entries_of(g.data[2])[5], CODE64 | DPL3);
	CHECK_EQ(update_descriptor(entry_ma(g.data[2], 5) + 4, DATA), -EINVAL);
	CHECK_EQ(update_descriptor(entry_ma(g.l1, 5), DATA), -EINVAL);
	CHECK_EQ(update_descriptor(entry_ma(fake_frame_alloc(other), 0), DATA), -EINVAL);
	CHECK_EQ(update_descriptor(1UL << 45, DATA), -EINVAL);
	CHECK_EQ(update_descriptor(entry_ma(g.data[3], 1), DATA), 0); /* plain memory */
	/* a page shared for reading, on which the hypervisor has a writable count */
	g.data[3]->type = (uint64_t)PAGE_WRITABLE << PAGE_TYPE_SHIFT | PAGE_T_VALIDATED | 1;
	g.data[3]->count |= PAGE_F_NO_WRITE;
	CHECK_EQ(update_descriptor(entry_ma(g.data[3], 1), CODE64), -EINVAL);
	CHECK_EQ(entries_of(g.data[3])[1], DATA | DPL3);
	g.data[3]->type = 0;
	references_check();
}
