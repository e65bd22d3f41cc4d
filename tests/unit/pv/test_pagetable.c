/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a page table of a PV guest may hold, at its validation and entry by
 * entry: each rule with the entry that breaks it alone.
 * Links: mm/page.c mm/page_type.c pv/pagetable.c pv/mmu_update.c pv/walk.c pv/flush.c pv/mmuext.c
 * Links: pv/update_va.c pv/desc.c pv/teardown.c lib/bits.c lib/rangeset.c
 * Helpers: pv/guest.c
 */
#include "guest.h"

static struct guest g;

/* Pinning the tree of g fails, and leaves nothing behind. */
static void check_pin_refused(void)
{
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(g.l4), 0), -EINVAL);
	references_check();
	CHECK_EQ(page_type_count(g.l4), 0);
	CHECK_EQ(page_type_count(g.l3), 0);
	CHECK_EQ(page_type_count(g.l2), 0);
	CHECK_EQ(page_type_count(g.l1), 0);
	CHECK_EQ(page_type_count(g.data[1]), 0);
}

TEST(pin_validates_the_whole_tree)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
	CHECK_EQ(page_type(g.l4), PAGE_L4);
	CHECK_EQ(page_type_count(g.l4), 2);
	CHECK_EQ(page_type(g.l1), PAGE_L1);
	CHECK_EQ(page_type_count(g.l1), 1);
	CHECK_EQ(page_type(g.data[1]), PAGE_WRITABLE);
	CHECK_EQ(page_type_count(g.data[1]), 1);
	CHECK_EQ(page_type_count(g.data[0]), 0);
	CHECK_EQ(fake_cr3[0], mfn_of(g.l4) << PAGE_SHIFT);
	guest_end(&g);
}

TEST(kernel_entries_get_the_user_bit_and_none_is_global)
{
	guest_init(&g, 1, 0);
	entries_of(g.l4)[1] = pte_of(g.l3, RW);
	entries_of(g.l3)[2] = pte_of(g.l2, RW);
	entries_of(g.l2)[3] = pte_of(g.l1, RW);
	entries_of(g.l1)[5] = pte_of(g.data[1], RW | PTE_GLOBAL | PTE_NX);
	guest_start(&g);
	CHECK_EQ(entries_of(g.l4)[1], pte_of(g.l3, US));
	CHECK_EQ(entries_of(g.l3)[2], pte_of(g.l2, US));
	CHECK_EQ(entries_of(g.l2)[3], pte_of(g.l1, US));
	CHECK_EQ(entries_of(g.l1)[5], pte_of(g.data[1], US | PTE_NX));
}

TEST(hypervisor_slots_become_ours)
{
	guest_init(&g, 1, 0);
	entries_of(g.l4)[256] = pte_of(g.l3, US);
	entries_of(g.l4)[271] = ~0UL;
	entries_of(g.l4)[272] = 0;
	guest_start(&g);
	for (unsigned int i = 256; i < 272; i++)
		CHECK_EQ(entries_of(g.l4)[i], hyp_l4[i]);
	CHECK_EQ(page_type_count(g.l3), 1);
	guest_end(&g);
}

TEST(hypervisor_slots_cannot_be_updated)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
	CHECK_EQ(guest_set_entry(g.l4, 256, pte_of(g.l3, US)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l4, 262, 0), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l4, 271, pte_of(g.l3, US)), -EINVAL);
	CHECK_EQ(entries_of(g.l4)[262], hyp_l4[262]);
	CHECK_EQ(guest_set_entry(g.l4, 272, pte_of(g.l3, US)), 0);
	CHECK_EQ(guest_set_entry(g.l4, 255, pte_of(g.l3, US)), 0);
	references_check();
}

TEST(large_pages_are_refused)
{
	guest_init(&g, 1, 0);
	entries_of(g.l2)[3] |= PTE_LARGE;
	check_pin_refused();
	entries_of(g.l2)[3] &= ~PTE_LARGE;
	entries_of(g.l3)[2] |= PTE_LARGE;
	check_pin_refused();
	entries_of(g.l3)[2] &= ~PTE_LARGE;
	guest_start(&g);
	CHECK_EQ(guest_set_entry(g.l2, 9, pte_of(g.l1, US | PTE_LARGE)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l2, 3, pte_of(g.l1, US | PTE_LARGE)), -EINVAL);
	references_check();
}

TEST(reserved_and_high_bits_are_refused)
{
	guest_init(&g, 1, 0);
	for (unsigned int bit = 52; bit < 63; bit++) {
		entries_of(g.l1)[5] |= BIT(bit);
		check_pin_refused();
		entries_of(g.l1)[5] &= ~BIT(bit);
		entries_of(g.l3)[2] |= BIT(bit);
		check_pin_refused();
		entries_of(g.l3)[2] &= ~BIT(bit);
	}
	entries_of(g.l1)[5] |= BIT(51); /* beyond any frame there is */
	check_pin_refused();
	entries_of(g.l1)[5] &= ~BIT(51);
	guest_start(&g);
	CHECK_EQ(guest_set_entry(g.l1, 4, pte_of(g.data[0], P | BIT(58))), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[0], P | BIT(58))), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[0], P | 7UL << 9)), 0);
}

TEST(cache_attributes_need_devices)
{
	guest_init(&g, 1, 0);
	entries_of(g.l1)[5] |= PTE_PCD;
	check_pin_refused();
	entries_of(g.l1)[5] &= ~PTE_PCD;
	guest_start(&g);
	CHECK_EQ(guest_set_entry(g.l1, 4, pte_of(g.data[0], P | PTE_PAT)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[0], P | PTE_PWT)), -EINVAL);
	CHECK_EQ(rangeset_add(&g.d->iomem, 0x100000, 0x1000ff), 0);
	CHECK_EQ(guest_set_entry(g.l1, 4, pte_of(g.data[0], P | PTE_PAT)), 0);
	/* tables themselves are always write-back */
	CHECK_EQ(guest_set_entry(g.l2, 9, pte_of(g.l1, US | PTE_PCD)), -EINVAL);
	rangeset_fini(&g.d->iomem);
}

TEST(recursive_tables_are_refused)
{
	guest_init(&g, 1, 0);
	entries_of(g.l4)[7] = pte_of(g.l4, US);
	check_pin_refused();
	entries_of(g.l4)[7] = 0;
	entries_of(g.l2)[7] = pte_of(g.l2, US);
	check_pin_refused();
	entries_of(g.l2)[7] = 0;
	guest_start(&g);
	CHECK_EQ(guest_set_entry(g.l4, 7, pte_of(g.l4, US)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l3, 7, pte_of(g.l4, US)), -EINVAL);
	references_check();
}

TEST(a_table_is_never_mapped_writable)
{
	struct page *tables[4];

	guest_init(&g, 1, 0);
	tables[0] = g.l1, tables[1] = g.l2, tables[2] = g.l3, tables[3] = g.l4;
	for (unsigned int i = 0; i < 4; i++) {
		entries_of(g.l1)[9] = pte_of(tables[i], RW);
		check_pin_refused();
	}
	entries_of(g.l1)[9] = 0;
	guest_start(&g);
	for (unsigned int i = 0; i < 4; i++) {
		CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(tables[i], RW)), -EINVAL);
		CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(tables[i], P)), 0);
		/* nor by more rights for a read-only mapping */
		CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(tables[i], RW)), -EINVAL);
	}
	references_check();
	guest_end(&g);
}

TEST(a_writable_frame_is_never_a_table)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(g.data[1]), 0), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l2, 9, pte_of(g.data[1], US)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 5, pte_of(g.data[1], P)), 0);
	CHECK_EQ(guest_set_entry(g.l2, 9, pte_of(g.data[1], US)), 0);
	CHECK_EQ(guest_set_entry(g.l1, 5, pte_of(g.data[1], RW)), -EINVAL);
	references_check();
	guest_end(&g);
}

TEST(only_own_frames_may_be_mapped)
{
	struct domain *other;
	struct page *theirs, *ours;

	guest_init(&g, 1, 0);
	other = fake_domain(2, 1);
	theirs = fake_frame_alloc(other);
	ours = fake_frame_alloc(NULL);
	guest_start(&g);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(theirs, P)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(theirs, RW)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(ours, P)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l2, 9, pte_of(theirs, US)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 9, 4000UL << PAGE_SHIFT | P), -EINVAL); /* a free frame */
	CHECK_EQ(guest_set_entry(g.l1, 9, 1UL << 36 | P), -EINVAL);	       /* no memory */
	entries_of(g.data[2])[0] = pte_of(theirs, P);
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(g.data[2]), 0), -EINVAL);
	entries_of(g.data[2])[0] = pte_of(theirs, US);
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L2_TABLE, mfn_of(g.data[2]), 0), -EINVAL);
	references_check();
}

TEST(read_only_frames_stay_so)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
	g.data[2]->count |= PAGE_F_NO_WRITE;
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[2], P)), 0);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[2], RW)), -EINVAL);
	/* nor may the hypervisor write to it for the guest */
	CHECK_EQ(guest_set_entry(g.data[2], 0, 0), -EINVAL);
	/* not even when it has a writable count, as pages the hypervisor shares have */
	g.data[3]->type = (uint64_t)PAGE_WRITABLE << PAGE_TYPE_SHIFT | PAGE_T_VALIDATED | 1;
	g.data[3]->count |= PAGE_F_NO_WRITE | PAGE_F_HYP;
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[3], RW)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.data[3], 0, 0), -EINVAL);
	CHECK_EQ(page_type_count(g.data[3]), 1);
}

TEST(io_frames_need_the_rangeset)
{
	uint64_t io = 0xfee00UL << PAGE_SHIFT;

	guest_init(&g, 1, 0);
	guest_start(&g);
	CHECK_EQ(guest_set_entry(g.l1, 9, io | RW | PTE_PCD), -EINVAL);
	CHECK_EQ(rangeset_add(&g.d->iomem, 0xfee00, 0xfee00), 0);
	CHECK_EQ(guest_set_entry(g.l1, 9, io | RW | PTE_PCD), 0);
	CHECK_EQ(guest_set_entry(g.l1, 9, io | P | PTE_PCD), 0);
	CHECK_EQ(guest_set_entry(g.l1, 10, (io + PAGE_SIZE) | P), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l2, 10, io | US), -EINVAL);
	/* frames the CPU cannot address */
	CHECK_EQ(rangeset_add(&g.d->iomem, 1UL << 28, 1UL << 30), 0);
	CHECK_EQ(guest_set_entry(g.l1, 10, (1UL << 40) | P), -EINVAL);
	references_check();
	CHECK_EQ(guest_set_entry(g.l1, 9, 0), 0);
	guest_end(&g);
	rangeset_fini(&g.d->iomem);
}

TEST(counts_do_not_overflow)
{
	uint64_t type;

	guest_init(&g, 1, 0);
	guest_start(&g);
	type = g.data[1]->type;
	g.data[1]->type |= PAGE_TYPE_COUNT;
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[1], RW)), -EINVAL);
	g.data[1]->type = type;
	type = g.l1->type;
	g.l1->type |= PAGE_TYPE_COUNT;
	CHECK_EQ(guest_set_entry(g.l2, 9, pte_of(g.l1, US)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 9, 0), -EINVAL);
	g.l1->type = type;
	type = g.data[0]->count;
	g.data[0]->count |= PAGE_COUNT_MASK;
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(g.data[0], P)), -EINVAL);
	g.data[0]->count = type;
	references_check();
}

TEST(type_changes_flush_the_domains_cpus)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
	fake_vcpu_run(g.d->vcpus[1], 3);
	fake_cpu_set(0);
	memset(fake_tlb_flushes, 0, sizeof(fake_tlb_flushes));
	CHECK_EQ(guest_set_entry(g.l1, 5, 0), 0);
	CHECK_EQ(fake_tlb_flushes[0] + fake_tlb_flushes[3], 0);
	/* was writable, becomes a table */
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(g.data[1]), 0), 0);
	CHECK_EQ(fake_tlb_flushes[0], 1);
	CHECK_EQ(fake_tlb_flushes[3], 1);
	CHECK_EQ(fake_tlb_flushes[1], 0);
	/* was a table, becomes writable */
	CHECK_EQ(guest_mmuext(MMUEXT_UNPIN_TABLE, mfn_of(g.data[1]), 0), 0);
	CHECK_EQ(guest_set_entry(g.l1, 5, pte_of(g.data[1], RW)), 0);
	CHECK_EQ(fake_tlb_flushes[0], 2);
	CHECK_EQ(fake_tlb_flushes[3], 2);
	/* writable again, and a first type: no flush */
	CHECK_EQ(guest_set_entry(g.l1, 5, 0), 0);
	CHECK_EQ(guest_set_entry(g.l1, 5, pte_of(g.data[1], RW)), 0);
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(g.data[2]), 0), 0);
	CHECK_EQ(fake_tlb_flushes[0], 2);
}

TEST(a_domain_of_one_vcpu_flushes_its_own_cpu)
{
	struct guest other;

	guest_init(&g, 0, 0);
	g.d->max_vcpus = 1;
	guest_start(&g);
	guest_init(&other, 2, 3);
	other.d->max_vcpus = 1;
	fake_cpu_set(0);
	memset(fake_tlb_flushes, 0, sizeof(fake_tlb_flushes));
	CHECK_EQ(guest_set_entry(g.l1, 5, 0), 0);
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(g.data[1]), 0), 0);
	CHECK_EQ(fake_tlb_flushes[0], 1);
	CHECK_EQ(fake_tlb_flushes[3], 0);
	/* for a frame of another, that one's */
	other.data[1]->type = (uint64_t)PAGE_WRITABLE << PAGE_TYPE_SHIFT;
	CHECK_EQ(guest_mmuext_for(MMUEXT_PIN_L1_TABLE, mfn_of(other.data[1]), 0, 2), 0);
	CHECK_EQ(fake_tlb_flushes[0], 1);
	CHECK_EQ(fake_tlb_flushes[3], 1);
	g.d->max_vcpus = other.d->max_vcpus = 2;
}

TEST(validation_and_undoing_go_on_after_every_step)
{
	for (unsigned int every = 1; every < 12; every++) {
		fake_reset();
		guest_init(&g, 1, 0);
		/* a wider tree: 3 L3s, 3 L2s in each, one L1 in all */
		for (unsigned int i = 0; i < 3; i++) {
			struct page *l3 = fake_frame_alloc(g.d);

			entries_of(g.l4)[10 + i] = pte_of(l3, US);
			for (unsigned int j = 0; j < 3; j++) {
				struct page *l2 = fake_frame_alloc(g.d);

				entries_of(l3)[100 * j] = pte_of(l2, US);
				entries_of(l2)[511] = pte_of(g.l1, US);
				entries_of(l2)[0] = pte_of(g.l1, US);
			}
		}
		fake_preempt_every = every;
		guest_start(&g);
		CHECK_EQ(page_type_count(g.l1), 19);
		CHECK_EQ(guest_set_entry(g.l4, 11, 0), 0);
		CHECK_EQ(page_type_count(g.l1), 13);
		guest_end(&g);
	}
}

TEST(a_bad_entry_found_late_is_undone_step_by_step)
{
	for (unsigned int every = 1; every < 8; every++) {
		fake_reset();
		guest_init(&g, 1, 0);
		for (unsigned int i = 0; i < 8; i++)
			entries_of(g.l2)[100 + i] = pte_of(g.l1, US);
		entries_of(g.l2)[200] = pte_of(g.l2, US);
		fake_preempt_every = every;
		check_pin_refused();
		entries_of(g.l2)[200] = 0;
		guest_start(&g);
		guest_end(&g);
	}
}

TEST(an_abandoned_validation_ends_with_the_domain)
{
	struct mmuext_op op;
	uint64_t args[4] = {(uint64_t)&op, 1, 0, DOMID_SELF};

	guest_init(&g, 1, 0);
	for (unsigned int i = 0; i < 8; i++)
		entries_of(g.l2)[100 + i] = pte_of(g.l1, US);
	op = (struct mmuext_op){.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = mfn_of(g.l4)};
	fake_guest_add(&op, sizeof(op));
	fake_preempt_every = 3;
	CHECK_EQ(hypercall_mmuext_op(args), -ERESTART);
	CHECK(fake_continuation.set);
	CHECK(g.l4->type & PAGE_T_PARTIAL);
	CHECK(g.l4->type & PAGE_T_HELD);
	references_check();
	/* meanwhile it can be neither written to nor be anything else */
	fake_preempt_every = 0;
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L3_TABLE, mfn_of(g.l4), 0), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l4, 9, pte_of(g.l3, US)), -EINVAL);
	references_check();
	guest_end(&g);
}
