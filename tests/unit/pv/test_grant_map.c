/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant mappings in a guest's page tables, and the end of a domain's tables.
 * Links: mm/page.c mm/page_type.c pv/pagetable.c pv/mmu_update.c pv/walk.c pv/flush.c pv/mmuext.c
 * Links: pv/update_va.c pv/desc.c pv/teardown.c pv/grant_map.c lib/bits.c lib/rangeset.c
 * Helpers: pv/guest.c
 */
#include "guest.h"

static struct guest g;
static struct domain *other;
static struct page *theirs;

static void one_guest(void)
{
	guest_init(&g, 1, 0);
	guest_start(&g);
	other = fake_domain(2, 1);
	theirs = fake_frame_alloc(other);
}

/* As grant/ does: the references first, they are the entry's if it succeeds. */
static int map(uint64_t where, bool by_pte, bool writable)
{
	int ret;

	CHECK(page_get(theirs, other));
	CHECK(!writable || page_get_writable(theirs));
	ret = pv_grant_map(where, by_pte, page_to_mfn(theirs), writable, ~0UL);
	if (ret) {
		if (writable)
			page_put_type(theirs, false);
		page_put(theirs);
	}
	references_check();
	return ret;
}

static int unmap(uint64_t where, bool by_pte, bool writable, uint64_t new_addr)
{
	int ret = pv_grant_unmap(where, by_pte, page_to_mfn(theirs), writable, new_addr);

	if (!ret) {
		if (writable)
			page_put_type(theirs, false);
		page_put(theirs);
	}
	references_check();
	return ret;
}

TEST(maps_by_address_and_unmaps)
{
	one_guest();
	CHECK_EQ(map(GUEST_VA + PAGE_SIZE, false, true), 0);
	CHECK_EQ(entries_of(g.l1)[5], pte_of(theirs, US | PTE_ACCESSED | PTE_DIRTY | 7UL << 9));
	CHECK_EQ(page_type_count(theirs), 1);
	CHECK_EQ(page_type_count(g.data[1]), 0); /* what was there is dropped */
	CHECK_EQ(unmap(GUEST_VA + PAGE_SIZE, false, true, 0), 0);
	CHECK_EQ(entries_of(g.l1)[5], 0);
	CHECK_EQ(page_type_count(theirs), 0);
	guest_end(&g);
}

TEST(maps_by_entry)
{
	one_guest();
	CHECK_EQ(map(entry_ma(g.l1, 77), true, false), 0);
	CHECK_EQ(entries_of(g.l1)[77] & (PTE_WRITE | PTE_PRESENT), PTE_PRESENT);
	CHECK_EQ(unmap(entry_ma(g.l1, 77), true, false, 0), 0);
	CHECK_EQ(entries_of(g.l1)[77], 0);
}

TEST(only_into_own_l1s)
{
	one_guest();
	CHECK_EQ(map(entry_ma(g.l2, 7), true, false), -EINVAL);
	CHECK_EQ(map(entry_ma(g.l4, 256), true, false), -EINVAL);
	CHECK_EQ(map(entry_ma(g.data[1], 7), true, false), -EINVAL);
	CHECK_EQ(map(entry_ma(g.l1, 7) + 1, true, false), -EINVAL);
	CHECK_EQ(map(entry_ma(theirs, 7), true, false), -EINVAL);
	CHECK_EQ(map(1UL << 45, true, false), -EINVAL);
	CHECK_EQ(map(GUEST_VA + (1UL << 21), false, false), -EINVAL);
	CHECK_EQ(map(M2P_START, false, false), -EINVAL);
	CHECK_EQ(entries_of(g.data[1])[7], 0);
}

TEST(unmaps_only_what_it_mapped)
{
	one_guest();
	CHECK_EQ(map(GUEST_VA, false, false), 0);
	CHECK_EQ(unmap(GUEST_VA, false, true, 0), -EINVAL);
	CHECK_EQ(unmap(GUEST_VA + PAGE_SIZE, false, false, 0), -EINVAL);
	CHECK_EQ(unmap(GUEST_VA + (1UL << 30), false, false, 0), -EINVAL);
	/* the guest has put something else there: the references went with it */
	CHECK_EQ(guest_set_entry(g.l1, 4, pte_of(g.data[2], P)), 0);
	CHECK_EQ(theirs->count & PAGE_COUNT_MASK, 1);
	CHECK_EQ(unmap(GUEST_VA, false, false, 0), -EINVAL);
	guest_end(&g);
}

TEST(a_read_only_grant_cannot_be_made_writable)
{
	one_guest();
	CHECK_EQ(map(GUEST_VA, false, false), 0);
	CHECK_EQ(guest_set_entry(g.l1, 4, pte_of(theirs, RW)), -EINVAL);
	CHECK_EQ(guest_set_entry(g.l1, 9, pte_of(theirs, P)), -EINVAL); /* nor copied */
	/* but other bits may change */
	CHECK_EQ(guest_set_entry(g.l1, 4, pte_of(theirs, P | PTE_NX)), 0);
	CHECK_EQ(unmap(GUEST_VA, false, false, 0), 0);
}

TEST(unmap_and_replace_moves_an_entry)
{
	one_guest();
	CHECK_EQ(map(GUEST_VA, false, true), 0);
	CHECK_EQ(unmap(GUEST_VA, false, true, GUEST_VA + PAGE_SIZE), 0);
	CHECK_EQ(entries_of(g.l1)[4], pte_of(g.data[1], US));
	CHECK_EQ(entries_of(g.l1)[5], 0);
	CHECK_EQ(page_type_count(g.data[1]), 1);
	CHECK_EQ(map(GUEST_VA, false, true), 0);
	CHECK_EQ(unmap(GUEST_VA, false, true, GUEST_VA + (1UL << 21)), -EINVAL);
	CHECK_EQ(unmap(GUEST_VA, false, true, GUEST_VA), -EINVAL); /* onto itself */
	guest_end(&g);
}

/* --- the end of a domain --- */

TEST(a_domain_gives_back_all_at_every_step)
{
	for (unsigned int every = 0; every < 10; every++) {
		struct page *user, *gdt;

		fake_reset();
		guest_init(&g, 1, 0);
		user = fake_frame_alloc(g.d);
		gdt = fake_frame_alloc(g.d);
		for (unsigned int i = 0; i < 20; i++)
			entries_of(g.l2)[100 + i] = pte_of(fake_frame_alloc(g.d), US);
		entries_of(user)[0] = pte_of(g.l3, US);
		guest_start(&g);
		CHECK_EQ(guest_mmuext(MMUEXT_PIN_L4_TABLE, mfn_of(user), 0), 0);
		CHECK_EQ(guest_mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(user), 0), 0);
		CHECK_EQ(guest_mmuext(MMUEXT_SET_LDT, GUEST_VA, 8), 0);
		CHECK(pv_ldt_fault(g.v, 0));
		CHECK_EQ(pv_gdt_set(g.v, &(mfn_t){mfn_of(gdt)}, 4), 0);
		fake_preempt_every = every;
		guest_end(&g);
		CHECK_EQ(page_type_count(gdt) + page_type_count(g.data[0]), 0);
		CHECK_EQ(g.v->pv.ldt_entries, 0);
		CHECK_EQ(g.v->pv.gdt_entries, 0);
	}
}
