/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_mmuext_op and update_va_mapping: each operation, who may do it,
 * and whose TLBs are flushed.
 * Links: mm/page.c mm/page_type.c pv/pagetable.c pv/mmu_update.c pv/walk.c pv/flush.c pv/mmuext.c
 * Links: pv/update_va.c pv/desc.c pv/teardown.c lib/bits.c lib/rangeset.c
 * Helpers: pv/guest.c
 */
#include "guest.h"

static struct guest g, h;

static void one_guest(void)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
	fake_vcpu_run(g.d->vcpus[1], 2);
	fake_cpu_set(0);
	memset(fake_tlb_flushes, 0, sizeof(fake_tlb_flushes));
}

TEST(pin_and_unpin_each_level)
{
	struct page *tables[4];

	guest_init(&g, 1, 0);
	tables[0] = g.l1, tables[1] = g.l2, tables[2] = g.l3, tables[3] = g.l4;
	for (unsigned int i = 0; i < 4; i++) {
		CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE + i, mfn_of(tables[i]), 0), 0);
		references_check();
		CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE + i, mfn_of(tables[i]), 0), -EINVAL);
		CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE + (i + 1) % 4, mfn_of(tables[i]), 0),
			 -EINVAL);
		references_check();
		CHECK_EQ(guest_mmuext(MMUEXT_UNPIN_TABLE, mfn_of(tables[i]), 0), 0);
		CHECK_EQ(guest_mmuext(MMUEXT_UNPIN_TABLE, mfn_of(tables[i]), 0), -EINVAL);
		CHECK_EQ(page_type_count(tables[i]), 0);
		references_check();
	}
}

TEST(pins_are_of_own_frames)
{
	guest_init(&h, 2, 1);
	one_guest();
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(h.l1), 0), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_PIN_L1_TABLE, 1UL << 40, 0), -EINVAL);
	CHECK_EQ(guest_mmuext_for(MMUEXT_PIN_L1_TABLE, mfn_of(h.l1), 0, 2), -EPERM);
	CHECK_EQ(guest_mmuext(MMUEXT_UNPIN_TABLE, mfn_of(h.l1), 0), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_UNPIN_TABLE, 1UL << 40, 0), -EINVAL);
}

TEST(a_builder_pins_for_another)
{
	guest_init(&h, 2, 1);
	guest_init(&g, 0, 0);
	CHECK_EQ(guest_mmuext_for(MMUEXT_PIN_L4_TABLE, mfn_of(h.l4), 0, 2), 0);
	CHECK(h.l4->type & PAGE_T_PINNED);
	CHECK_EQ(guest_mmuext_for(MMUEXT_PIN_L4_TABLE, mfn_of(g.l4), 0, 2), -EINVAL);
	references_check();
	/* not what concerns the caller's own CPU */
	CHECK_EQ(guest_mmuext_for(MMUEXT_NEW_BASEPTR, mfn_of(h.l4), 0, 2), -EPERM);
	CHECK_EQ(guest_mmuext_for(MMUEXT_SET_LDT, 0, 0, 2), -EPERM);
	CHECK_EQ(guest_mmuext_for(MMUEXT_UNPIN_TABLE, mfn_of(h.l4), 0, 2), 0);
	references_check();
}

TEST(a_dying_domain_gets_no_pins)
{
	guest_init(&h, 2, 1);
	guest_init(&g, 0, 0);
	h.d->is_dying = true;
	CHECK_EQ(guest_mmuext_for(MMUEXT_PIN_L4_TABLE, mfn_of(h.l4), 0, 2), -ESRCH);
	CHECK_EQ(page_type_count(h.l4), 0);
	references_check();
}

TEST(base_pointers_hold_their_tables)
{
	struct page *user;

	one_guest();
	user = fake_frame_alloc(g.d);
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(user), 0), 0);
	CHECK(g.v->pv.user_l4 == user);
	CHECK_EQ(page_type(user), PAGE_L4);
	CHECK_EQ(fake_cr3[0], mfn_of(g.l4) << PAGE_SHIFT);
	CHECK_EQ(guest_mmuext(MMUEXT_UNPIN_TABLE, mfn_of(g.l4), 0), 0);
	CHECK_EQ(page_type_count(g.l4), 1);
	/* the CPU leaves the old table before its reference goes */
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_BASEPTR, mfn_of(user), 0), 0);
	CHECK_EQ(fake_cr3[0], mfn_of(user) << PAGE_SHIFT);
	CHECK_EQ(page_type_count(g.l4), 0);
	CHECK_EQ(page_type_count(user), 2);
	references_check();
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
	CHECK(!g.v->pv.user_l4);
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_BASEPTR, 0, 0), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_BASEPTR, mfn_of(g.data[2]), 0), 0); /* empty: legal */
	references_check();
	guest_end(&g);
}

TEST(bad_base_pointers_change_nothing)
{
	guest_init(&h, 2, 1);
	one_guest();
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_BASEPTR, mfn_of(g.l3), 0), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_BASEPTR, mfn_of(h.l4), 0), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_BASEPTR, 1UL << 50, 0), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(g.data[1]), 0), -EINVAL);
	CHECK(g.v->pv.kernel_l4 == g.l4);
	CHECK(!g.v->pv.user_l4);
	CHECK_EQ(fake_cr3[0], mfn_of(g.l4) << PAGE_SHIFT);
	references_check();
}

TEST(loading_the_same_base_flushes)
{
	one_guest();
	CHECK_EQ(guest_mmuext(MMUEXT_NEW_BASEPTR, mfn_of(g.l4), 0), 0);
	CHECK_EQ(fake_tlb_flushes[0], 1);
	references_check();
}

TEST(flushes_reach_the_vcpus_named)
{
	unsigned long *mask;

	one_guest();
	mask = fake_guest_alloc(sizeof(*mask));
	CHECK_EQ(guest_mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
	CHECK_EQ(fake_tlb_flushes[0], 1);
	CHECK_EQ(fake_tlb_flushes[2], 0);
	CHECK_EQ(guest_mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
	CHECK_EQ(fake_tlb_flushes[0], 2);
	CHECK_EQ(fake_tlb_flushes[2], 1);
	*mask = ~1UL; /* bits beyond its vCPUs mean nothing */
	CHECK_EQ(guest_mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, (uint64_t)mask), 0);
	CHECK_EQ(fake_tlb_flushes[0], 2);
	CHECK_EQ(fake_tlb_flushes[2], 2);
	CHECK_EQ(guest_mmuext(MMUEXT_INVLPG_MULTI, GUEST_VA, (uint64_t)mask), 0);
	CHECK_EQ(fake_tlb_page_flushes[2], 1);
	CHECK_EQ(guest_mmuext(MMUEXT_INVLPG_ALL, GUEST_VA, 0), 0);
	CHECK_EQ(fake_tlb_page_flushes[0], 1);
	CHECK_EQ(fake_tlb_page_flushes[2], 2);
	CHECK_EQ(guest_mmuext(MMUEXT_INVLPG_LOCAL, GUEST_VA, 0), 0);
	CHECK_EQ(fake_tlb_page_flushes[0], 2);
	CHECK_EQ(guest_mmuext(MMUEXT_INVLPG_LOCAL, DIRECTMAP_START, 0), 0);
	CHECK_EQ(fake_tlb_page_flushes[0], 2);
	CHECK_EQ(guest_mmuext(MMUEXT_TLB_FLUSH_MULTI, 0, 0x1000), -EFAULT);
	/* one that does not run needs none */
	g.d->vcpus[1]->sched.is_running = false;
	CHECK_EQ(guest_mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
	CHECK_EQ(fake_tlb_flushes[2], 2);
	CHECK_EQ(fake_tlb_flushes[1], 0);
}

TEST(cache_flushes_need_devices)
{
	one_guest();
	CHECK_EQ(guest_mmuext(MMUEXT_FLUSH_CACHE, 0, 0), -EPERM);
	CHECK_EQ(guest_mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), -EPERM);
	CHECK_EQ(fake_cache_flushes[0], 0);
	CHECK_EQ(rangeset_add(&g.d->iomem, 0x100, 0x100), 0);
	CHECK_EQ(guest_mmuext(MMUEXT_FLUSH_CACHE, 0, 0), 0);
	CHECK_EQ(fake_cache_flushes[0], 1);
	CHECK_EQ(fake_cache_flushes[1], 0);
	CHECK_EQ(guest_mmuext(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), 0);
	CHECK_EQ(fake_cache_flushes[1], 1);
	rangeset_fini(&g.d->iomem);
}

TEST(pages_are_cleared_and_copied)
{
	guest_init(&h, 2, 1);
	one_guest();
	memset(entries_of(g.data[1]), 0x55, PAGE_SIZE);
	CHECK_EQ(guest_mmuext(MMUEXT_COPY_PAGE, mfn_of(g.data[2]), mfn_of(g.data[1])), 0);
	CHECK_EQ(entries_of(g.data[2])[511], 0x5555555555555555);
	CHECK_EQ(guest_mmuext(MMUEXT_CLEAR_PAGE, mfn_of(g.data[2]), 0), 0);
	CHECK_EQ(entries_of(g.data[2])[511], 0);
	/* tables are not memory, others' memory is not ours */
	CHECK_EQ(guest_mmuext(MMUEXT_CLEAR_PAGE, mfn_of(g.l1), 0), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_CLEAR_PAGE, mfn_of(h.data[0]), 0), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_COPY_PAGE, mfn_of(g.l1), mfn_of(g.data[1])), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_COPY_PAGE, mfn_of(g.data[2]), mfn_of(h.data[0])), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_COPY_PAGE, mfn_of(h.data[2]), mfn_of(g.data[0])), -EINVAL);
	CHECK_EQ(guest_mmuext(MMUEXT_COPY_PAGE, mfn_of(g.data[2]), 1UL << 40), -EINVAL);
	references_check();
}

TEST(unknown_and_refused_operations)
{
	one_guest();
	CHECK_EQ(guest_mmuext(MMUEXT_MARK_SUPER, mfn_of(g.data[0]), 0), -EOPNOTSUPP);
	CHECK_EQ(guest_mmuext(MMUEXT_UNMARK_SUPER, mfn_of(g.data[0]), 0), -EOPNOTSUPP);
	CHECK_EQ(guest_mmuext(14, 0, 0), -EOPNOTSUPP);
	CHECK_EQ(guest_mmuext(~0U, 0, 0), -EOPNOTSUPP);
	CHECK_EQ(guest_call(hypercall_mmuext_op, 0x1000, 1, 0, DOMID_SELF), -EFAULT);
	CHECK_EQ(guest_mmuext_for(MMUEXT_TLB_FLUSH_LOCAL, 0, 0, 77), -ESRCH);
}

TEST(a_batch_counts_what_it_did_and_gives_way)
{
	struct mmuext_op *ops;
	unsigned int *done;

	one_guest();
	ops = fake_guest_alloc(20 * sizeof(*ops));
	done = fake_guest_alloc(sizeof(*done));
	for (unsigned int i = 0; i < 20; i++)
		ops[i].cmd = MMUEXT_TLB_FLUSH_LOCAL;
	fake_preempt_every = 1;
	CHECK_EQ(guest_call(hypercall_mmuext_op, (uint64_t)ops, 20, (uint64_t)done, DOMID_SELF), 0);
	CHECK_EQ(*done, 20);
	CHECK_EQ(fake_tlb_flushes[0], 20);
	ops[13].cmd = 14;
	CHECK_EQ(guest_call(hypercall_mmuext_op, (uint64_t)ops, 20, (uint64_t)done, DOMID_SELF),
		 -EOPNOTSUPP);
	CHECK_EQ(*done, 13);
	CHECK_EQ(guest_call(hypercall_mmuext_op, (uint64_t)ops, 1, 0x1000, DOMID_SELF), -EFAULT);
}

/* --- update_va_mapping --- */

TEST(update_va_changes_the_entry_of_the_address)
{
	one_guest();
	CHECK_EQ(guest_update_va(GUEST_VA, pte_of(g.data[2], RW), UVMF_NONE), 0);
	CHECK_EQ(entries_of(g.l1)[4], pte_of(g.data[2], US));
	CHECK_EQ(fake_tlb_flushes[0], 0);
	CHECK_EQ(guest_update_va(GUEST_VA, pte_of(g.l1, RW), UVMF_NONE), -EINVAL);
	CHECK_EQ(guest_update_va(GUEST_VA + (1UL << 21), 0, UVMF_NONE), -EINVAL);
	CHECK_EQ(guest_update_va(GUEST_VA + (1UL << 30), 0, UVMF_NONE), -EINVAL);
	CHECK_EQ(guest_update_va(GUEST_VA + (1UL << 39), 0, UVMF_NONE), -EINVAL);
	CHECK_EQ(guest_update_va(DIRECTMAP_START, 0, UVMF_NONE), -EINVAL);
	CHECK_EQ(guest_update_va(1UL << 47, 0, UVMF_NONE), -EINVAL);
	CHECK_EQ(guest_update_va(M2P_START, 0, UVMF_NONE), -EINVAL);
	references_check();
	guest_end(&g);
}

TEST(update_va_never_walks_our_slots)
{
	guest_init(&g, 1, 0);
	hyp_l4[HYP_SLOT_FIRST] = pte_of(g.l3, US);
	guest_start(&g);
	CHECK_EQ(guest_update_va(M2P_START | (GUEST_VA & ((1UL << 39) - 1)), 0, UVMF_NONE),
		 -EINVAL);
	CHECK(entries_of(g.l1)[4]);
}

TEST(update_va_flushes_as_told)
{
	unsigned long *mask;
	uint64_t pte;

	one_guest();
	pte = pte_of(g.data[0], P);
	mask = fake_guest_alloc(sizeof(*mask));
	*mask = 2;
	CHECK_EQ(guest_update_va(GUEST_VA, pte, UVMF_INVLPG | UVMF_LOCAL), 0);
	CHECK_EQ(fake_tlb_page_flushes[0], 1);
	CHECK_EQ(guest_update_va(GUEST_VA, pte, UVMF_TLB_FLUSH | UVMF_LOCAL), 0);
	CHECK_EQ(fake_tlb_flushes[0], 1);
	CHECK_EQ(guest_update_va(GUEST_VA, pte, UVMF_TLB_FLUSH | UVMF_ALL), 0);
	CHECK_EQ(fake_tlb_flushes[0], 2);
	CHECK_EQ(fake_tlb_flushes[2], 1);
	CHECK_EQ(guest_update_va(GUEST_VA, pte, UVMF_INVLPG | UVMF_ALL), 0);
	CHECK_EQ(fake_tlb_page_flushes[2], 1);
	CHECK_EQ(guest_update_va(GUEST_VA, pte, UVMF_TLB_FLUSH | (uint64_t)mask), 0);
	CHECK_EQ(fake_tlb_flushes[0], 2);
	CHECK_EQ(fake_tlb_flushes[2], 2);
	CHECK_EQ(guest_update_va(GUEST_VA, pte, UVMF_INVLPG | (uint64_t)mask), 0);
	CHECK_EQ(fake_tlb_page_flushes[2], 2);
	CHECK_EQ(guest_update_va(GUEST_VA, pte, UVMF_TLB_FLUSH | 0x1000), -EFAULT);
	CHECK_EQ(guest_update_va(GUEST_VA, pte, UVMF_FLUSHTYPE_MASK), -EINVAL);
}

TEST(update_va_of_another_domains_frames)
{
	guest_init(&h, 2, 1);
	guest_init(&g, 0, 0);
	guest_start(&g);
	CHECK_EQ(guest_call(hypercall_update_va_mapping_otherdomain, GUEST_VA,
			    pte_of(h.data[0], RW), 0, 2),
		 0);
	CHECK_EQ(guest_update_va(GUEST_VA + PAGE_SIZE, pte_of(h.data[0], RW), 0), -EINVAL);
	CHECK_EQ(guest_call(hypercall_update_va_mapping_otherdomain, GUEST_VA, 0, 0, 33), -ESRCH);
	references_check();
	fake_vcpu_run(h.v, 1);
	CHECK_EQ(guest_call(hypercall_update_va_mapping_otherdomain, GUEST_VA, 0, 0, 0), -EPERM);
}
