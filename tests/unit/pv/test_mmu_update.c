/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_mmu_update as a hypercall: its commands, the domains it may
 * name, its count of what was done, and its continuation.
 * Links: mm/page.c mm/page_type.c pv/pagetable.c pv/mmu_update.c pv/walk.c pv/flush.c pv/mmuext.c
 * Links: pv/update_va.c pv/desc.c pv/teardown.c lib/bits.c lib/rangeset.c
 * Helpers: pv/guest.c
 */
#include "guest.h"
#include "hvm/p2m.h"

static struct guest g, h;

static void one_guest(void)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
}

TEST(normal_update_replaces_and_drops_the_old)
{
	one_guest();
	CHECK_EQ(guest_set_entry(g.l1, 5, pte_of(g.data[2], RW)), 0);
	CHECK_EQ(entries_of(g.l1)[5], pte_of(g.data[2], US));
	CHECK_EQ(page_type_count(g.data[1]), 0);
	CHECK_EQ(g.data[1]->count & PAGE_COUNT_MASK, 1);
	CHECK_EQ(page_type_count(g.data[2]), 1);
	CHECK_EQ(guest_set_entry(g.l1, 5, 0), 0);
	CHECK_EQ(page_type_count(g.data[2]), 0);
	references_check();
	guest_end(&g);
}

TEST(entries_that_are_not_present_may_hold_anything)
{
	one_guest();
	CHECK_EQ(guest_set_entry(g.l1, 5, ~1UL), 0);
	CHECK_EQ(entries_of(g.l1)[5], ~1UL);
	CHECK_EQ(guest_set_entry(g.l2, 9, 0xdeadbeef0000UL), 0);
	references_check();
}

TEST(preserve_ad_keeps_what_the_cpu_set)
{
	one_guest();
	entries_of(g.l1)[5] |= PTE_ACCESSED | PTE_DIRTY;
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 5) | MMU_PT_UPDATE_PRESERVE_AD,
				  pte_of(g.data[1], P), DOMID_SELF),
		 0);
	CHECK_EQ(entries_of(g.l1)[5], pte_of(g.data[1], P | PTE_USER | PTE_ACCESSED | PTE_DIRTY));
	CHECK_EQ(page_type_count(g.data[1]), 0);
	CHECK_EQ(guest_set_entry(g.l1, 5, pte_of(g.data[1], P)), 0);
	CHECK_EQ(entries_of(g.l1)[5], pte_of(g.data[1], P | PTE_USER));
}

TEST(no_translate_is_as_normal_for_pv)
{
	one_guest();
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9) | MMU_PT_UPDATE_NO_TRANSLATE,
				  pte_of(g.data[2], RW), DOMID_SELF),
		 0);
	CHECK_EQ(page_type_count(g.data[2]), 1);
}

TEST(rights_given_and_taken_on_the_same_frame)
{
	one_guest();
	CHECK_EQ(guest_set_entry(g.l1, 4, pte_of(g.data[0], RW)), 0);
	CHECK_EQ(page_type_count(g.data[0]), 1);
	references_check();
	CHECK_EQ(guest_set_entry(g.l1, 4, pte_of(g.data[0], P)), 0);
	CHECK_EQ(page_type_count(g.data[0]), 0);
	references_check();
}

TEST(upper_entries_with_other_flags)
{
	one_guest();
	CHECK_EQ(guest_set_entry(g.l2, 3, pte_of(g.l1, P | PTE_NX)), 0);
	CHECK_EQ(entries_of(g.l2)[3], pte_of(g.l1, P | PTE_USER | PTE_NX));
	references_check();
}

TEST(memory_that_is_no_table_is_just_written)
{
	one_guest();
	CHECK_EQ(guest_set_entry(g.data[1], 7, ~0UL), 0);
	CHECK_EQ(entries_of(g.data[1])[7], ~0UL);
	CHECK_EQ(guest_set_entry(g.data[2], 0, pte_of(g.l4, RW)), 0);
	CHECK_EQ(page_type_count(g.data[2]), 0);
	references_check();
}

TEST(bad_places_are_refused)
{
	struct domain *other;

	one_guest();
	other = fake_domain(2, 1);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9) | 4, 0, DOMID_SELF), -EINVAL);
	CHECK_EQ(guest_set_entry(fake_frame_alloc(other), 0, 0), -EINVAL);
	CHECK_EQ(guest_set_entry(fake_frame_alloc(NULL), 0, 0), -EINVAL);
	CHECK_EQ(guest_mmu_update(1UL << 45, 0, DOMID_SELF), -EINVAL);
	CHECK_EQ(guest_mmu_update(~7UL, 0, DOMID_SELF), -EINVAL);
}

TEST(machphys_updates_need_the_frame)
{
	struct domain *other;
	struct page *theirs;

	one_guest();
	other = fake_domain(2, 1);
	theirs = fake_frame_alloc(other);
	CHECK_EQ(guest_mmu_update(entry_ma(g.data[0], 0) | MMU_MACHPHYS_UPDATE, 77, DOMID_SELF), 0);
	CHECK_EQ(fake_m2p[mfn_of(g.data[0])], 77);
	CHECK_EQ(guest_mmu_update(entry_ma(theirs, 0) | MMU_MACHPHYS_UPDATE, 77, DOMID_SELF),
		 -EINVAL);
	CHECK_EQ(fake_m2p[mfn_of(theirs)], M2P_INVALID);
	CHECK_EQ(guest_mmu_update(1UL << 45 | MMU_MACHPHYS_UPDATE, 77, DOMID_SELF), -EINVAL);
	references_check();
}

TEST(foreign_domains_are_for_the_privileged)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
	guest_init(&h, 2, 1);
	fake_vcpu_run(g.v, 0);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), pte_of(h.data[0], P), 2), -EPERM);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), 0, DOMID_IO), -EPERM);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), 0, DOMID_XEN), -EPERM);
	CHECK_EQ(guest_mmu_update(entry_ma(h.l1, 9), 0, DOMID_SELF | 3 << 16), -EPERM);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), 0, 9), -ESRCH);
	references_check();
}

/* Linux goes on after a failed entry by the count it finds, so an old one must not stay there. */
TEST(the_count_is_stored_when_the_domain_is_gone)
{
	static struct {
		struct mmu_update update;
		struct mmuext_op op;
		unsigned int done;
	} * mem;

	guest_init(&g, 1, 0);
	guest_start(&g);
	fake_vcpu_run(g.v, 0);
	mem = fake_guest_alloc(sizeof(*mem));
	mem->done = 77;
	CHECK_EQ(guest_call(hypercall_mmu_update, (uint64_t)&mem->update, 1, (uint64_t)&mem->done,
			    9),
		 -ESRCH);
	CHECK_EQ(mem->done, 0);
	mem->done = 77;
	CHECK_EQ(guest_call(hypercall_mmuext_op, (uint64_t)&mem->op, 1, (uint64_t)&mem->done, 9),
		 -ESRCH);
	CHECK_EQ(mem->done, 0);
}

TEST(a_privileged_domain_maps_frames_of_the_named_one)
{
	guest_init(&h, 2, 1);
	guest_start(&h);
	guest_init(&g, 0, 0);
	guest_start(&g);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), pte_of(h.data[2], RW), 2), 0);
	CHECK_EQ(page_type_count(h.data[2]), 1);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 10), pte_of(h.l1, RW), 2), -EINVAL);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 10), pte_of(h.l1, P), 2), 0);
	/* not without naming it, and not its own under that name */
	CHECK_EQ(guest_set_entry(g.l1, 11, pte_of(h.data[2], P)), -EINVAL);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 11), pte_of(g.data[2], P), 2), -EINVAL);
	/* nor more rights on what is mapped */
	CHECK_EQ(guest_set_entry(g.l1, 10, pte_of(h.l1, RW)), -EINVAL);
	/* tables are never foreign */
	CHECK_EQ(guest_mmu_update(entry_ma(g.l2, 9), pte_of(h.data[3], US), 2), -EINVAL);
	references_check();
	/* tables of the other, changed for it */
	CHECK_EQ(guest_mmu_update(entry_ma(h.l1, 9), pte_of(h.data[3], RW), 2 | 3 << 16), 0);
	CHECK_EQ(guest_mmu_update(entry_ma(h.l1, 10), pte_of(g.data[3], RW), 2 | 3 << 16), -EINVAL);
	references_check();
	fake_vcpu_run(g.v, 0);
	guest_end(&h);
	guest_end(&g);
	references_check();
}

TEST(io_frames_of_another_need_both_rangesets)
{
	uint64_t io = 0xfed00UL << PAGE_SHIFT;

	guest_init(&h, 2, 1);
	guest_init(&g, 0, 0);
	guest_start(&g);
	CHECK_EQ(rangeset_add(&g.d->iomem, 0xfed00, 0xfed0f), 0);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), io | P, 2), -EINVAL);
	CHECK_EQ(rangeset_add(&h.d->iomem, 0xfed00, 0xfed00), 0);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), io | P, 2), 0);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 10), (io + PAGE_SIZE) | P, DOMID_IO), 0);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 10), pte_of(g.data[0], P), DOMID_IO), -EINVAL);
	rangeset_fini(&g.d->iomem);
	rangeset_fini(&h.d->iomem);
}

TEST(a_foreign_mapping_is_flushed_when_it_goes)
{
	guest_init(&h, 2, 1);
	guest_init(&g, 0, 0);
	guest_start(&g);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), pte_of(h.data[2], RW), 2), 0);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 10), pte_of(h.data[3], P), 2), 0);
	memset(fake_tlb_flushes, 0, sizeof(fake_tlb_flushes));
	/* its right to write, then itself */
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(h.data[2], P)), 0);
	CHECK_EQ(fake_tlb_flushes[0], 1);
	CHECK_EQ(guest_set_entry(g.l1, 9, 0), 0);
	CHECK_EQ(fake_tlb_flushes[0], 2);
	CHECK_EQ(guest_set_entry(g.l1, 10, pte_of(g.data[2], P)), 0);
	CHECK_EQ(fake_tlb_flushes[0], 3);
	/* with its whole table: one flush for all */
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), pte_of(h.data[2], RW), 2), 0);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 10), pte_of(h.data[3], P), 2), 0);
	CHECK_EQ(guest_set_entry(g.l2, 3, 0), 0);
	CHECK_EQ(fake_tlb_flushes[0], 4);
	references_check();
}

static struct mmu_update *batch(unsigned int n)
{
	struct mmu_update *u = fake_guest_alloc(n * sizeof(*u));

	for (unsigned int i = 0; i < n; i++)
		u[i] = (struct mmu_update){entry_ma(g.l1, i % 500 + 10), pte_of(g.data[i % 4], P)};
	return u;
}

TEST(done_counts_up_to_the_error)
{
	struct mmu_update *u;
	unsigned int *done;

	one_guest();
	u = batch(100);
	done = fake_guest_alloc(sizeof(*done));
	u[40].val = pte_of(g.l4, RW);
	CHECK_EQ(guest_call(hypercall_mmu_update, (uint64_t)u, 100, (uint64_t)done, DOMID_SELF),
		 -EINVAL);
	CHECK_EQ(*done, 40);
	references_check();
	CHECK_EQ(guest_call(hypercall_mmu_update, (uint64_t)u, 40, (uint64_t)done, DOMID_SELF), 0);
	CHECK_EQ(*done, 40);
	CHECK_EQ(guest_call(hypercall_mmu_update, (uint64_t)u, 0, (uint64_t)done, DOMID_SELF), 0);
	CHECK_EQ(*done, 0);
}

TEST(done_is_right_after_continuations)
{
	struct mmu_update *u;
	unsigned int *done;

	one_guest();
	u = batch(300);
	done = fake_guest_alloc(sizeof(*done));
	*done = 12345;
	fake_preempt_every = 2;
	CHECK_EQ(guest_call(hypercall_mmu_update, (uint64_t)u, 300, (uint64_t)done, DOMID_SELF), 0);
	CHECK_EQ(*done, 300);
	u[200].val = pte_of(g.l4, RW);
	CHECK_EQ(guest_call(hypercall_mmu_update, (uint64_t)u, 300, (uint64_t)done, DOMID_SELF),
		 -EINVAL);
	CHECK_EQ(*done, 200);
	references_check();
}

TEST(requests_the_guest_cannot_read)
{
	struct mmu_update *u;
	unsigned int *done;

	one_guest();
	u = batch(50);
	done = fake_guest_alloc(sizeof(*done));
	CHECK_EQ(guest_call(hypercall_mmu_update, 0x1000, 1, 0, DOMID_SELF), -EFAULT);
	/* the last one lies outside */
	CHECK_EQ(guest_call(hypercall_mmu_update, (uint64_t)u, 51, (uint64_t)done, DOMID_SELF),
		 -EFAULT);
	CHECK_EQ(*done, 50);
	CHECK_EQ(guest_call(hypercall_mmu_update, (uint64_t)u, 1, 0x1000, DOMID_SELF), -EFAULT);
	references_check();
}

TEST(an_endless_batch_gives_way)
{
	struct mmu_update *u;
	uint64_t args[4];

	one_guest();
	u = batch(64);
	args[0] = (uint64_t)u, args[1] = 0x7fffffff, args[2] = 0, args[3] = DOMID_SELF;
	fake_preempt_every = 1;
	CHECK_EQ(hypercall_mmu_update(args), -ERESTART);
	CHECK(fake_continuation.set);
	CHECK_EQ(fake_continuation.args[0], u + 32);
	CHECK_EQ(fake_continuation.args[1], (0x7fffffffU - 32) | 1U << 31);
}

TEST(dropping_a_big_tree_gives_way)
{
	fake_reset();
	guest_init(&g, 1, 0);
	for (unsigned int i = 0; i < 100; i++)
		entries_of(g.l2)[100 + i] = pte_of(fake_frame_alloc(g.d), US);
	guest_start(&g);
	fake_preempt_every = 1;
	CHECK_EQ(guest_set_entry(g.l4, 1, 0), 0);
	CHECK_EQ(page_type_count(g.l3), 0);
	CHECK_EQ(page_type_count(g.l1), 0);
	CHECK_EQ(g.v->pv.nr_pending, 0);
	references_check();
	CHECK_EQ(guest_set_entry(g.l4, 1, pte_of(g.l3, US)), 0);
	guest_end(&g);
}

/* --- frames of a translated domain, whose numbers are 1000 more than the machine's --- */

struct page *page_get_guest_frame(struct domain *d, uint64_t frame, bool is_write)
{
	CHECK_EQ(d->type, DOMAIN_HVM);
	CHECK(!is_write);
	return page_get_mfn(MFN(frame - 1000), d);
}

static struct domain *translated_domain(struct page **pg)
{
	struct domain *d = fake_domain(7, 1);

	d->type = DOMAIN_HVM;
	*pg = fake_frame_alloc(d);
	g.d->is_privileged = true;
	return d;
}

TEST(a_translated_domains_frames_go_by_its_numbers)
{
	struct page *pg;
	uint64_t val;

	one_guest();
	(void)translated_domain(&pg);
	val = (mfn_of(pg) + 1000) << PAGE_SHIFT | RW;
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), val, 7), 0);
	CHECK_EQ(entries_of(g.l1)[9], pte_of(pg, US));
	CHECK_EQ(page_type_count(pg), 1);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 2);
	entries_of(g.l1)[9] |= PTE_DIRTY;
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9) | MMU_PT_UPDATE_PRESERVE_AD, val, 7), 0);
	CHECK_EQ(entries_of(g.l1)[9], pte_of(pg, US | PTE_DIRTY));
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 2);
	/* none of its */
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), val + PAGE_SIZE, 7), -EINVAL);
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), pte_of(pg, RW), 7), -EINVAL);
	/* no frame at all */
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), 0, 7), 0);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 1);
	CHECK_EQ(page_type_count(pg), 0);
	/* what acquire_resource told is a machine frame */
	CHECK_EQ(
		guest_mmu_update(entry_ma(g.l1, 9) | MMU_PT_UPDATE_NO_TRANSLATE, pte_of(pg, RW), 7),
		0);
	CHECK_EQ(entries_of(g.l1)[9], pte_of(pg, US));
	CHECK_EQ(guest_mmu_update(entry_ma(g.l1, 9), 0, DOMID_SELF), 0);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 1);
}

TEST(a_translated_domain_has_no_tables_here)
{
	struct page *pg;

	one_guest();
	(void)translated_domain(&pg);
	/* its m2p entries are the p2m's */
	m2p_set(MFN(mfn_of(pg)), 5);
	CHECK_EQ(guest_mmu_update(mfn_of(pg) << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 6, 7), -EINVAL);
	CHECK_EQ(m2p_get(MFN(mfn_of(pg))), 5);
	/* nor does anybody write entries in its memory, or make tables of it */
	CHECK_EQ(guest_mmu_update(entry_ma(pg, 0), 0, 8U << 16 | DOMID_SELF), -EINVAL);
	CHECK_EQ(guest_mmuext_for(MMUEXT_PIN_L1_TABLE, mfn_of(pg), 0, 7), -EINVAL);
	CHECK_EQ(guest_mmuext_for(MMUEXT_CLEAR_PAGE, mfn_of(pg), 0, 7), -EINVAL);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 1);
	CHECK_EQ(page_type_count(pg), 0);
}
