/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping grants: what is marked and counted, what is refused, what a granter
 * can do to it meanwhile, and how it ends.
 *
 * Links: grant/table.c grant/entry.c grant/map.c grant/copy.c grant/ops.c lib/bits.c
 */
#include "fixture.h"

TEST(grant_map_readonly_and_writable)
{
	struct page *pg;
	uint32_t h, h2;

	fixture_begin();
	pg = grant(granter, 8, user->id, 0);
	CHECK_EQ(do_map(8, ADDR, RO, &h), GNTST_okay);
	CHECK_EQ(v1(granter, 8)->flags, GTF_permit_access | GTF_reading);
	CHECK_EQ(refs(pg), 2);
	CHECK_EQ(page_type_count(pg), 0);
	CHECK(pte_find(ADDR) && !pte_find(ADDR)->writable);

	CHECK_EQ(do_map(8, ADDR + 1, RW | 5U << 16, &h2), GNTST_okay);
	CHECK(h != h2);
	CHECK_EQ(v1(granter, 8)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	CHECK_EQ(refs(pg), 3);
	CHECK_EQ(page_type_count(pg), 1);
	CHECK_EQ(pte_find(ADDR + 1)->avail, 5 << 9);
	CHECK_EQ(granter->references, 3);

	CHECK_EQ(do_unmap(h2, ADDR + 1, 0), GNTST_okay);
	CHECK_EQ(v1(granter, 8)->flags, GTF_permit_access | GTF_reading);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	CHECK_EQ(v1(granter, 8)->flags, GTF_permit_access);
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(page_type_count(pg), 0);
	CHECK_EQ(granter->references, 1);
	fixture_end();
}

TEST(grant_map_refusals)
{
	struct gnttab_map_grant_ref bad_dom = {ADDR, RO, 8, 77, 0, 0, 0};
	struct page *pg, *foreign;

	fixture_begin();
	pg = grant(granter, 8, user->id, 0);
	CHECK_EQ(do_map(8, ADDR, 0, NULL), GNTST_bad_gntref);
	CHECK_EQ(do_map(8, ADDR, GNTMAP_readonly, NULL), GNTST_bad_gntref);
	CHECK_EQ(op(GNTTABOP_map_grant_ref, &bad_dom, 1), 0);
	CHECK_EQ(bad_dom.status, GNTST_bad_domain);
	CHECK_EQ(do_map(512, ADDR, RO, NULL), GNTST_bad_gntref);
	CHECK_EQ(do_map(~0U, ADDR, RO, NULL), GNTST_bad_gntref);
	CHECK_EQ(do_map(9, ADDR, RO, NULL), GNTST_general_error); /* never granted */
	grant(granter, 10, third->id, 0);
	CHECK_EQ(do_map(10, ADDR, RO, NULL), GNTST_general_error);
	grant(granter, 11, user->id, GTF_readonly);
	CHECK_EQ(do_map(11, ADDR, RW, NULL), GNTST_general_error);
	CHECK_EQ(v1(granter, 11)->flags, GTF_permit_access | GTF_readonly);
	*v1(granter, 12) = (struct grant_entry_v1){GTF_accept_transfer, user->id, 5};
	CHECK_EQ(do_map(12, ADDR, RO, NULL), GNTST_general_error);
	foreign = fake_frame_alloc(third);
	*v1(granter, 13) = (struct grant_entry_v1){GTF_permit_access, user->id,
						   (uint32_t)page_to_mfn(foreign).v};
	CHECK_EQ(do_map(13, ADDR, RO, NULL), GNTST_general_error); /* not its to grant */
	CHECK_EQ(v1(granter, 13)->flags, GTF_permit_access);
	*v1(granter, 14) = (struct grant_entry_v1){GTF_permit_access, user->id, ~0U};
	CHECK_EQ(do_map(14, ADDR, RO, NULL), GNTST_general_error);
	pg->type = (uint64_t)PAGE_L1 << PAGE_TYPE_SHIFT | 1;
	CHECK_EQ(do_map(8, ADDR, RW, NULL), GNTST_general_error); /* a page table */
	CHECK_EQ(do_map(8, ADDR, RW | GNTMAP_device_map, NULL), GNTST_general_error);
	pg->type = 0;
	CHECK_EQ(do_map(8, 0, RW, NULL), GNTST_general_error); /* no such place */
	CHECK_EQ(do_map(8, 0, RW | GNTMAP_device_map, NULL), GNTST_general_error);
	CHECK_EQ(v1(granter, 8)->flags, GTF_permit_access);
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(page_type_count(pg), 0);
	granter->is_dying = true;
	CHECK_EQ(do_map(8, ADDR, RO, NULL), GNTST_bad_domain);
	CHECK_EQ(user->grant->maptrack_used, 0);
	CHECK_EQ(granter->references, 1);
	fixture_end();
}

/* Its id can be guessed before it is made. */
TEST(grant_map_of_a_domain_without_a_table)
{
	struct gnttab_map_grant_ref map = {ADDR, RO, 8, 9, 1, 0, 0};
	struct gnttab_query_size size = {.dom = 9};
	struct gnttab_get_version version = {.dom = 9};
	struct gnttab_copy copy = {.source = {.u.ref = 8, .domid = 9},
				   .dest = {.domid = DOMID_SELF},
				   .flags = GNTCOPY_source_gref};
	struct domain *d;
	mfn_t mfn;

	fixture_begin();
	d = fake_domain(9, 1);
	CHECK_EQ(op(GNTTABOP_map_grant_ref, &map, 1), 0);
	CHECK_EQ(map.status, GNTST_bad_domain);
	CHECK_EQ(op(GNTTABOP_copy, &copy, 1), 0);
	CHECK_EQ(copy.status, GNTST_bad_domain);
	run(dom0);
	CHECK_EQ(op(GNTTABOP_query_size, &size, 1), 0);
	CHECK_EQ(size.status, GNTST_bad_domain);
	CHECK_EQ(op(GNTTABOP_get_version, &version, 1), -ESRCH);
	CHECK_EQ(grant_shared_frame(d, 0, &mfn), -EINVAL);
	CHECK_EQ(grant_status_frame(d, 0, &mfn), -EINVAL);
	grant_dump(d);
	fixture_end();
}

/* What tracked a busy moment is given back when nothing is mapped any more, and not before. */
TEST(grant_map_track_shrinks)
{
	uint32_t n = MAPTRACK_PER_PAGE + 1;
	uint32_t handles[MAPTRACK_PER_PAGE + 1];

	fixture_begin();
	grant(granter, 8, user->id, 0);
	for (uint32_t i = 0; i < n; i++)
		CHECK_EQ(do_map(8, ADDR + i, RO, &handles[i]), GNTST_okay);
	CHECK_EQ(user->grant->nr_maptrack_frames, 2);
	for (uint32_t i = 1; i < n; i++)
		CHECK_EQ(do_unmap(handles[i], ADDR + i, 0), GNTST_okay);
	CHECK_EQ(user->grant->nr_maptrack_frames, 2);
	CHECK_EQ(do_unmap(handles[0], ADDR, 0), GNTST_okay);
	CHECK_EQ(user->grant->nr_maptrack_frames, 0);
	CHECK_EQ(do_map(8, ADDR, RO, &handles[0]), GNTST_okay);
	CHECK_EQ(do_unmap(handles[0], ADDR, 0), GNTST_okay);
	fixture_end();
}

TEST(grant_map_handles_end)
{
	uint32_t n = 4 * MAPTRACK_PER_PAGE;

	fixture_begin();
	grant(granter, 8, user->id, 0);
	for (uint32_t i = 0; i < n; i++)
		CHECK_EQ(do_map(8, ADDR + i, RO, NULL), GNTST_okay);
	CHECK_EQ(do_map(8, ADDR + n, RO, NULL), GNTST_no_space);
	CHECK_EQ(do_unmap(17, ADDR + 17, 0), GNTST_okay);
	CHECK_EQ(do_map(8, ADDR + n, RO, NULL), GNTST_okay);
	run(third); /* its limit is none at all */
	CHECK_EQ(do_map(8, ADDR, RO, NULL), GNTST_no_space);
	run(dom0);
	fake_alloc_fail_at = 1;
	CHECK_EQ(do_map(8, ADDR, RO, NULL), GNTST_no_space);
	fixture_end();
}

/* The count of a frame's references cannot be driven over. */
TEST(grant_map_count_overflow)
{
	struct page *pg;

	fixture_begin();
	pg = grant(granter, 8, user->id, 0);
	pg->count |= PAGE_COUNT_MASK;
	CHECK_EQ(do_map(8, ADDR, RO, NULL), GNTST_general_error);
	CHECK_EQ(v1(granter, 8)->flags, GTF_permit_access);
	pg->count = (pg->count & ~PAGE_COUNT_MASK) | 1;
	grant_active(granter->grant, 8)->readers = UINT32_MAX;
	grant_active(granter->grant, 8)->domid = user->id;
	CHECK_EQ(do_map(8, ADDR, RO, NULL), GNTST_general_error);
	grant_active(granter->grant, 8)->readers = 0;
	fixture_end();
}

/* What a granter writes into an entry in use changes nothing for those who use it. */
TEST(grant_revoked_while_mapped)
{
	struct page *pg, *other;
	uint32_t h, h2;

	fixture_begin();
	pg = grant(granter, 8, user->id, 0);
	other = fake_frame_alloc(third);
	CHECK_EQ(do_map(8, ADDR, RO, &h), GNTST_okay);
	v1(granter, 8)->frame = (uint32_t)page_to_mfn(other).v;
	CHECK_EQ(do_map(8, ADDR + 1, RO, &h2), GNTST_okay);
	CHECK_EQ(pte_find(ADDR + 1)->frame, page_to_mfn(pg).v);
	*v1(granter, 8) = (struct grant_entry_v1){0, third->id, 0};
	/* writing was not agreed to */
	CHECK_EQ(do_map(8, ADDR + 2, RW, NULL), GNTST_general_error);
	run(third);
	CHECK_EQ(grant_acquire(granter, 8, third->id, false, true, &(struct grant_hold){0}),
		 GNTST_general_error);
	run(user);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	CHECK_EQ(do_unmap(h2, ADDR + 1, 0), GNTST_okay);
	CHECK_EQ(v1(granter, 8)->flags, 0);
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(do_map(8, ADDR, RO, NULL), GNTST_general_error);
	fixture_end();
}

TEST(grant_map_v2)
{
	struct page *pg;
	uint32_t h;

	fixture_begin();
	run(granter);
	CHECK_EQ(do_set_version(2, 2), 0);
	run(user);
	pg = fake_frame_alloc(granter);
	v2(granter, 8)->full_page.hdr = (struct grant_entry_header){GTF_permit_access, user->id};
	v2(granter, 8)->full_page.frame = page_to_mfn(pg).v;
	CHECK_EQ(do_map(8, ADDR, RW, &h), GNTST_okay);
	CHECK_EQ(*grant_status(granter->grant, 8), GTF_reading | GTF_writing);
	/* the guest's own word is left alone */
	CHECK_EQ(v2(granter, 8)->hdr.flags, GTF_permit_access);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	CHECK_EQ(*grant_status(granter->grant, 8), 0);
	v2(granter, 8)->hdr.flags |= GTF_sub_page;
	CHECK_EQ(do_map(8, ADDR, RO, NULL), GNTST_general_error);
	CHECK_EQ(*grant_status(granter->grant, 8), 0);
	v2(granter, 8)->hdr.flags = GTF_transitive;
	CHECK_EQ(do_map(8, ADDR, RO, NULL), GNTST_general_error);
	v2(granter, 8)->hdr.flags = GTF_permit_access | GTF_readonly;
	CHECK_EQ(do_map(8, ADDR, RW, NULL), GNTST_general_error);
	CHECK_EQ(do_map(256, ADDR, RO, NULL), GNTST_bad_gntref);
	CHECK_EQ(*grant_status(granter->grant, 8), 0);
	fixture_end();
}

static struct page *flush_page;
static unsigned int flushes;

/* When the TLBs are flushed the frame must still be held, and the entry marked. */
static void flush_look(unsigned int cpu, bool all, uint64_t va)
{
	(void)cpu, (void)all, (void)va;
	flushes++;
	CHECK(refs(flush_page) > 1);
	CHECK(v1(granter, 8)->flags & GTF_writing);
}

TEST(grant_unmap_flushes_before_it_lets_go)
{
	uint32_t h;

	fixture_begin();
	flush_page = grant(granter, 8, user->id, 0);
	CHECK_EQ(do_map(8, ADDR, RW, &h), GNTST_okay);
	flushes = 0;
	fake_tlb_hook = flush_look;
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	CHECK_EQ(flushes, 1);
	fake_tlb_hook = NULL;
	fixture_end();
}

TEST(grant_unmap_refusals)
{
	struct page *pg;
	uint32_t h;

	fixture_begin();
	pg = grant(granter, 8, user->id, 0);
	CHECK_EQ(do_unmap(0, ADDR, 0), GNTST_bad_handle);
	CHECK_EQ(do_unmap(~0U, ADDR, 0), GNTST_bad_handle);
	CHECK_EQ(do_map(8, ADDR, RW | GNTMAP_device_map, &h), GNTST_okay);
	CHECK_EQ(refs(pg), 3);
	CHECK_EQ(page_type_count(pg), 2);
	CHECK_EQ(do_unmap(h + 1, ADDR, 0), GNTST_bad_handle);
	/* another place, or one whose entry the guest has changed */
	CHECK_EQ(do_unmap(h, ADDR + 1, 0), GNTST_general_error);
	pte_find(ADDR)->frame ^= 1;
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_general_error);
	pte_find(ADDR)->frame ^= 1;
	CHECK_EQ(do_unmap(h, ADDR, PAGE_SIZE), GNTST_general_error); /* wrong bus address */
	CHECK(pte_find(ADDR));
	run(third);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_bad_handle); /* handles are the mapper's */
	run(user);
	CHECK_EQ(refs(pg), 3);
	/* one kind, then the other */
	CHECK_EQ(do_unmap(h, 0, 0), GNTST_okay);
	CHECK_EQ(refs(pg), 3);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	CHECK_EQ(refs(pg), 2);
	CHECK(v1(granter, 8)->flags & GTF_writing);
	CHECK_EQ(do_unmap(h, 0, page_to_mfn(pg).v << PAGE_SHIFT), GNTST_okay);
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(v1(granter, 8)->flags, GTF_permit_access);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_bad_handle);
	fixture_end();
}

TEST(grant_unmap_batch)
{
	struct gnttab_unmap_grant_ref ops[70];
	uint32_t h[69];

	fixture_begin();
	grant(granter, 8, user->id, 0);
	for (unsigned int i = 0; i < 69; i++) {
		CHECK_EQ(do_map(8, ADDR + i, RO, &h[i]), GNTST_okay);
		ops[i] = (struct gnttab_unmap_grant_ref){ADDR + i, 0, h[i], 1};
	}
	ops[69] = ops[68]; /* the same again */
	CHECK_EQ(op(GNTTABOP_unmap_grant_ref, ops, 70), 0);
	for (unsigned int i = 0; i < 69; i++)
		CHECK_EQ(ops[i].status, GNTST_okay);
	CHECK_EQ(ops[69].status, GNTST_bad_handle);
	CHECK_EQ(fake_tlb_flushes[3], 3); /* one for each 32 */
	CHECK_EQ(user->grant->maptrack_used, 0);
	fixture_end();
}

/* What was done before the fault is finished; the rest is untouched. */
TEST(grant_unmap_batch_faults_half_way)
{
	struct gnttab_unmap_grant_ref *ops;
	struct page *pg;
	uint32_t h;

	fixture_begin();
	pg = grant(granter, 8, user->id, 0);
	ops = fake_guest_alloc(4 * sizeof(*ops));
	for (unsigned int i = 0; i < 4; i++) {
		CHECK_EQ(do_map(8, ADDR + i, RO, &h), GNTST_okay);
		ops[i] = (struct gnttab_unmap_grant_ref){ADDR + i, 0, h, 1};
	}
	fake_guest_any = false;
	fake_guest_fault_after = 2 * (sizeof(*ops) + sizeof(int16_t)) + 3;
	CHECK_EQ(op(GNTTABOP_unmap_grant_ref, ops, 4), -EFAULT);
	fake_guest_fault_after = -1;
	CHECK_EQ(ops[1].status, GNTST_okay);
	CHECK_EQ(user->grant->maptrack_used, 2);
	CHECK_EQ(refs(pg), 3);
	fixture_end();
}

TEST(grant_batches_are_preempted)
{
	struct gnttab_map_grant_ref ops[10];
	struct gnttab_unmap_grant_ref un[100];
	uint32_t h;

	fixture_begin();
	grant(granter, 8, user->id, 0);
	for (unsigned int i = 0; i < 10; i++)
		ops[i] = (struct gnttab_map_grant_ref){ADDR + i, RO, 8, granter->id, 1, 0, 0};
	fake_preempt_every = 3;
	CHECK_EQ(op(GNTTABOP_map_grant_ref, ops, 10), -ERESTART);
	CHECK_EQ(fake_continuation.op, __HYPERVISOR_grant_table_op);
	CHECK_EQ(fake_continuation.args[0], GNTTABOP_map_grant_ref);
	CHECK_EQ(fake_continuation.args[1], (uint64_t)&ops[3]);
	CHECK_EQ(fake_continuation.args[2], 7);
	CHECK_EQ(ops[2].status, GNTST_okay);
	CHECK_EQ(ops[3].status, 1);
	fake_preempt_every = 0;
	for (unsigned int i = 3; i < 100; i++)
		CHECK_EQ(do_map(8, ADDR + i, RO, &h), GNTST_okay);
	for (unsigned int i = 0; i < 100; i++)
		un[i] = (struct gnttab_unmap_grant_ref){ADDR + i, 0, i, 1};
	fake_preempt_every = 1;
	CHECK_EQ(op(GNTTABOP_unmap_grant_ref, un, 100), -ERESTART);
	CHECK_EQ(fake_continuation.args[1], (uint64_t)&un[32]);
	CHECK_EQ(fake_continuation.args[2], 68);
	fake_preempt_every = 0;
	fixture_end();
}

TEST(grant_unmap_and_replace)
{
	struct gnttab_unmap_and_replace arg = {ADDR, ADDR + 1, 0, 1};
	uint32_t h;

	fixture_begin();
	grant(granter, 8, user->id, 0);
	CHECK_EQ(do_map(8, ADDR, RW | GNTMAP_contains_pte, &arg.handle), GNTST_okay);
	CHECK_EQ(pv_grant_map(ADDR + 1, false, MFN(55), true, 0), 0);
	CHECK_EQ(op(GNTTABOP_unmap_and_replace, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_general_error); /* only by address */
	CHECK_EQ(pv_grant_unmap(ADDR + 1, false, MFN(55), true, 0), 0);
	CHECK_EQ(do_unmap(arg.handle, ADDR, 0), GNTST_okay);
	CHECK_EQ(do_map(8, ADDR, RW, &h), GNTST_okay);
	arg.handle = h;
	CHECK_EQ(op(GNTTABOP_unmap_and_replace, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_general_error); /* nothing there to move */
	CHECK_EQ(pv_grant_map(ADDR + 1, false, MFN(55), true, 0), 0);
	CHECK_EQ(op(GNTTABOP_unmap_and_replace, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_okay);
	CHECK_EQ(pte_find(ADDR)->frame, 55);
	CHECK(!pte_find(ADDR + 1));
	fixture_end();
}

/* A domain that maps ends: at each point where that may be interrupted. */
TEST(grant_mapper_ends)
{
	struct page *pg;
	unsigned int calls = 0;

	fixture_begin();
	pg = grant(granter, 8, user->id, 0);
	for (unsigned int i = 0; i < 5; i++)
		CHECK_EQ(do_map(8, ADDR + i, RW | GNTMAP_device_map, NULL), GNTST_okay);
	CHECK_EQ(refs(pg), 11);
	fake_preempt_every = 1;
	while (grant_domain_release_mappings(user) == -ERESTART)
		calls++;
	fake_preempt_every = 0;
	CHECK_EQ(calls, 5);
	CHECK_EQ(refs(pg), 6); /* those of the page tables go with them */
	CHECK_EQ(v1(granter, 8)->flags, GTF_permit_access);
	CHECK_EQ(granter->references, 1);
	CHECK_EQ(user->grant->maptrack_used, 0);
	fixture_end();
}

/* A granter ends while its page is mapped: it stays, itself and the page, until the unmap. */
TEST(grant_granter_ends)
{
	struct page *pg;
	uint32_t h;

	fixture_begin();
	pg = grant(granter, 8, user->id, 0);
	CHECK_EQ(do_map(8, ADDR, RW, &h), GNTST_okay);
	granter->is_dying = true;
	CHECK(page_drop_allocation(pg));
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(granter->references, 2);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	CHECK_EQ(granter->references, 1);
	CHECK_EQ(refs(pg), 0);
	fixture_end();
}

TEST(grant_own_page_mapped_by_oneself)
{
	struct page *pg;
	struct gnttab_map_grant_ref arg = {ADDR, RW, 8, DOMID_SELF, 1, 0, 0};

	fixture_begin();
	pg = grant(user, 8, user->id, 0);
	CHECK_EQ(op(GNTTABOP_map_grant_ref, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_okay);
	CHECK_EQ(arg.dev_bus_addr, page_to_mfn(pg).v << PAGE_SHIFT);
	CHECK_EQ(do_unmap(arg.handle, ADDR, 0), GNTST_okay);
	fixture_end();
}
