/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant tables themselves: their frames, versions, limits, and what may be
 * asked about whose.
 *
 * Links: grant/table.c grant/entry.c grant/map.c grant/copy.c grant/ops.c lib/bits.c
 */
#include "fixture.h"

static int do_setup(domid_t dom, uint32_t n, uint64_t *list)
{
	struct gnttab_setup_table arg = {.dom = dom, .nr_frames = n, .frame_list.p = list};

	CHECK_EQ(op(GNTTABOP_setup_table, &arg, 1), 0);
	return arg.status;
}

static int do_status_frames(domid_t dom, uint32_t n, uint64_t *list)
{
	struct gnttab_get_status_frames arg = {.dom = dom, .nr_frames = n, .frame_list.p = list};

	CHECK_EQ(op(GNTTABOP_get_status_frames, &arg, 1), 0);
	return arg.status;
}

TEST(grant_ops_refused)
{
	struct gnttab_cache_flush flush = {0};
	char buf[64] = {0};

	fixture_begin();
	CHECK_EQ(op(13, buf, 1), -ENOSYS);
	CHECK_EQ(op(~0U, buf, 1), -ENOSYS);
	CHECK_EQ(op(GNTTABOP_cache_flush, &flush, 1), -ENOSYS);
	CHECK_EQ(op(GNTTABOP_map_grant_ref, buf, 0x80000000U), -EINVAL);
	CHECK_EQ(op(GNTTABOP_setup_table, buf, 2), -EINVAL);
	CHECK_EQ(op(GNTTABOP_query_size, buf, 0), -EINVAL);
	CHECK_EQ(op(GNTTABOP_get_status_frames, buf, 2), -EINVAL);
	CHECK_EQ(op(GNTTABOP_dump_table, buf, 2), -EINVAL);
	fake_guest_any = false;
	for (unsigned int cmd = 0; cmd < 12; cmd++)
		CHECK_EQ(op(cmd, (void *)0x1000, 1), -EFAULT);
	fixture_end();
}

TEST(grant_init_limits)
{
	struct domain *d;

	fixture_begin();
	d = fake_domain(9, 1);
	CHECK_EQ(grant_domain_init(d, 0, -1, 1), -EINVAL);
	CHECK_EQ(grant_domain_init(d, 5000, -1, 1), -EINVAL);
	CHECK_EQ(grant_domain_init(d, 1, 70000, 1), -EINVAL);
	CHECK_EQ(grant_domain_init(d, 1, -1, 0), -EINVAL);
	CHECK_EQ(grant_domain_init(d, 1, -1, 3), -EINVAL);
	CHECK(!d->grant);
	CHECK_EQ(grant_domain_release_mappings(d), 0);
	for (unsigned int fail = 1; fail <= 10; fail++) {
		fake_alloc_fail_at = fail;
		CHECK_EQ(grant_domain_init(d, 1, -1, 1), -ENOMEM);
		CHECK(!d->grant);
	}
	fake_alloc_fail_at = 0;
	CHECK_EQ(grant_domain_init(d, 1, -1, 1), 0);
	fixture_end();
}

TEST(grant_setup_table_grows_and_lists)
{
	uint64_t list[4] = {0};

	fixture_begin();
	CHECK_EQ(do_setup(DOMID_SELF, 2, list), GNTST_okay);
	CHECK_EQ(list[0], virt_to_mfn(user->grant->shared[0]).v);
	CHECK_EQ(list[1], virt_to_mfn(user->grant->shared[1]).v);
	CHECK_EQ(list[2], 0);
	CHECK(page_is_owned_by(&frame_table[list[1]], user->id));
	CHECK_EQ(do_setup(DOMID_SELF, 1, list), GNTST_okay); /* never shrinks */
	CHECK_EQ(user->grant->nr_frames, 2);
	CHECK_EQ(do_setup(DOMID_SELF, 5, list), GNTST_general_error);
	CHECK_EQ(do_setup(DOMID_SELF, ~0U, list), GNTST_general_error);
	CHECK_EQ(user->grant->nr_frames, 2);
	CHECK_EQ(do_setup(1, 1, list), GNTST_permission_denied);
	CHECK_EQ(do_setup(77, 1, list), GNTST_bad_domain);
	CHECK_EQ(do_setup(DOMID_SELF, 2, NULL), GNTST_bad_virt_addr);
	run(dom0);
	CHECK_EQ(do_setup(1, 1, list), GNTST_okay);
	CHECK_EQ(list[0], virt_to_mfn(granter->grant->shared[0]).v);
	fixture_end();
}

TEST(grant_grow_without_memory)
{
	uint64_t list[4];

	for (unsigned int fail = 1; fail <= 5; fail++) {
		fake_reset();
		fixture_begin();
		fake_alloc_fail_at = fail;
		CHECK_EQ(do_setup(DOMID_SELF, 2, list), GNTST_general_error);
		CHECK_EQ(user->grant->nr_frames, 1);
		CHECK_EQ(do_setup(DOMID_SELF, 2, list), GNTST_okay);
		fixture_end();
	}
}

TEST(grant_query_size_and_get_version)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	struct gnttab_get_version g = {.dom = DOMID_SELF};

	fixture_begin();
	CHECK_EQ(op(GNTTABOP_query_size, &q, 1), 0);
	CHECK_EQ(q.status, GNTST_okay);
	CHECK_EQ(q.nr_frames, 1);
	CHECK_EQ(q.max_nr_frames, 4);
	q.dom = 1;
	CHECK_EQ(op(GNTTABOP_query_size, &q, 1), 0);
	CHECK_EQ(q.status, GNTST_permission_denied);
	CHECK_EQ(op(GNTTABOP_get_version, &g, 1), 0);
	CHECK_EQ(g.version, 1);
	g.dom = 1;
	CHECK_EQ(op(GNTTABOP_get_version, &g, 1), -EPERM);
	g.dom = 77;
	CHECK_EQ(op(GNTTABOP_get_version, &g, 1), -ESRCH);
	fixture_end();
}

TEST(grant_set_version)
{
	uint64_t list[4] = {0};

	fixture_begin();
	CHECK_EQ(do_set_version(3, 1), -EINVAL);
	CHECK_EQ(do_set_version(0, 1), -EINVAL);
	CHECK_EQ(do_set_version(1, 1), 0);
	CHECK_EQ(do_status_frames(DOMID_SELF, 1, list), GNTST_general_error);
	*v1(user, 9) = (struct grant_entry_v1){GTF_permit_access, 1, 5};
	CHECK_EQ(do_set_version(2, 2), 0);
	CHECK_EQ(v2(user, 9)->hdr.flags, 0); /* no old entry is read as a new one */
	CHECK_EQ(do_status_frames(DOMID_SELF, 1, list), GNTST_okay);
	CHECK_EQ(list[0], virt_to_mfn(user->grant->status[0]).v);
	CHECK_EQ(do_status_frames(DOMID_SELF, 2, list), GNTST_general_error);
	CHECK_EQ(do_status_frames(1, 1, list), GNTST_permission_denied);
	CHECK_EQ(do_set_version(1, 1), 0);
	CHECK_EQ(user->grant->nr_status_frames, 0);
	run(third); /* created with version 1 at most */
	CHECK_EQ(do_set_version(2, 1), -ENOSYS);
	fixture_end();
}

TEST(grant_set_version_without_memory)
{
	fixture_begin();
	*v1(user, 20) = (struct grant_entry_v1){GTF_permit_access, 1, 5};
	fake_alloc_fail_at = 1;
	CHECK_EQ(do_set_version(2, 1), -ENOMEM);
	CHECK_EQ(v1(user, 20)->frame, 5);
	fixture_end();
}

TEST(grant_set_version_while_in_use)
{
	uint32_t h;

	fixture_begin();
	grant(granter, 8, user->id, 0);
	CHECK_EQ(do_map(8, ADDR, RW, &h), GNTST_okay);
	run(granter);
	CHECK_EQ(do_set_version(2, 1), -EBUSY);
	run(user);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	run(granter);
	CHECK_EQ(do_set_version(2, 2), 0);
	v2(granter, 8)->full_page.hdr.flags = GTF_permit_access;
	v2(granter, 8)->full_page.hdr.domid = user->id;
	v2(granter, 8)->full_page.frame = page_to_mfn(fake_frame_alloc(granter)).v;
	run(user);
	CHECK_EQ(do_map(8, ADDR, RO, &h), GNTST_okay);
	CHECK_EQ(*grant_status(granter->grant, 8), GTF_reading);
	run(granter);
	CHECK_EQ(do_set_version(1, 2), -EBUSY);
	run(user);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	CHECK_EQ(*grant_status(granter->grant, 8), 0);
	fixture_end();
}

/* The console's and the store's entries stay mapped across a change. */
TEST(grant_set_version_keeps_reserved_entries)
{
	struct page *pg;
	uint32_t h;

	fixture_begin();
	pg = grant(granter, 1, user->id, 0);
	CHECK_EQ(do_map(1, ADDR, RW, &h), GNTST_okay);
	run(granter);
	CHECK_EQ(do_set_version(2, 2), 0);
	CHECK_EQ(v2(granter, 1)->full_page.hdr.flags, GTF_permit_access);
	CHECK_EQ(v2(granter, 1)->full_page.hdr.domid, user->id);
	CHECK_EQ(v2(granter, 1)->full_page.frame, page_to_mfn(pg).v);
	CHECK_EQ(*grant_status(granter->grant, 1), GTF_reading | GTF_writing);
	CHECK_EQ(do_set_version(1, 1), 0);
	CHECK_EQ(v1(granter, 1)->flags, GTF_permit_access | GTF_reading | GTF_writing);
	run(user);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	CHECK_EQ(v1(granter, 1)->flags, GTF_permit_access);
	fixture_end();
}

TEST(grant_set_version_1_has_no_words_for_it)
{
	fixture_begin();
	CHECK_EQ(do_set_version(2, 2), 0);
	v2(user, 3)->hdr.flags = GTF_permit_access | GTF_sub_page;
	CHECK_EQ(do_set_version(1, 2), -EINVAL);
	v2(user, 3)->hdr.flags = GTF_transitive;
	CHECK_EQ(do_set_version(1, 2), -EINVAL);
	v2(user, 3)->hdr.flags = GTF_permit_access;
	v2(user, 3)->full_page.frame = 1UL << 32;
	CHECK_EQ(do_set_version(1, 2), -EINVAL);
	v2(user, 3)->full_page.frame = 4;
	CHECK_EQ(do_set_version(1, 1), 0);
	CHECK_EQ(v1(user, 3)->frame, 4);
	fixture_end();
}

TEST(grant_swap)
{
	struct gnttab_swap_grant_ref s[2] = {{8, 9, 1}, {8, 512, 1}};
	uint32_t h;

	fixture_begin();
	*v1(user, 8) = (struct grant_entry_v1){GTF_permit_access, 1, 5};
	CHECK_EQ(op(GNTTABOP_swap_grant_ref, s, 2), 0);
	CHECK_EQ(s[0].status, GNTST_okay);
	CHECK_EQ(s[1].status, GNTST_bad_gntref);
	CHECK_EQ(v1(user, 9)->frame, 5);
	CHECK_EQ(v1(user, 8)->flags, 0);
	s[1] = (struct gnttab_swap_grant_ref){512, 8, 1};
	CHECK_EQ(op(GNTTABOP_swap_grant_ref, &s[1], 1), 0);
	CHECK_EQ(s[1].status, GNTST_bad_gntref);

	grant(granter, 10, user->id, 0);
	CHECK_EQ(do_map(10, ADDR, RW, &h), GNTST_okay);
	run(granter);
	s[0] = (struct gnttab_swap_grant_ref){10, 11, 1};
	s[1] = (struct gnttab_swap_grant_ref){11, 10, 1};
	CHECK_EQ(op(GNTTABOP_swap_grant_ref, s, 2), 0);
	CHECK_EQ(s[0].status, GNTST_eagain);
	CHECK_EQ(s[1].status, GNTST_eagain);

	run(third);
	CHECK_EQ(do_set_version(1, 1), 0);
	run(user);
	CHECK_EQ(do_set_version(2, 2), 0);
	v2(user, 20)->transitive.gref = 77;
	s[0] = (struct gnttab_swap_grant_ref){20, 255, 1};
	s[1] = (struct gnttab_swap_grant_ref){20, 256, 1};
	CHECK_EQ(op(GNTTABOP_swap_grant_ref, s, 2), 0);
	CHECK_EQ(v2(user, 255)->transitive.gref, 77);
	CHECK_EQ(s[1].status, GNTST_bad_gntref); /* half as many entries */
	fixture_end();
}

TEST(grant_transfer_leaves_the_page)
{
	struct gnttab_transfer t[2] = {{.mfn = 5, .domid = 1}, {.mfn = ~0UL, .domid = 77}};

	fixture_begin();
	CHECK_EQ(op(GNTTABOP_transfer, t, 2), 0);
	CHECK_EQ(t[0].status, GNTST_bad_page);
	CHECK_EQ(t[1].status, GNTST_bad_page);
	fixture_end();
}

TEST(grant_dump_is_for_the_privileged)
{
	struct gnttab_dump_table arg = {.dom = DOMID_SELF};

	fixture_begin();
	CHECK_EQ(op(GNTTABOP_dump_table, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_permission_denied);
	CHECK(!fake_log[0]);
	grant(granter, 8, user->id, 0);
	CHECK_EQ(do_map(8, ADDR, RO, NULL), GNTST_okay);
	run(dom0);
	arg.dom = granter->id;
	CHECK_EQ(op(GNTTABOP_dump_table, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_okay);
	CHECK(strstr(fake_log, "ref 8"));
	fixture_end();
}

TEST(grant_frames_for_the_builder)
{
	mfn_t mfn = MFN_NONE;

	fixture_begin();
	CHECK_EQ(grant_shared_frame(granter, 0, &mfn), 0);
	CHECK_EQ(mfn.v, virt_to_mfn(granter->grant->shared[0]).v);
	CHECK_EQ(grant_shared_frame(granter, 3, &mfn), 0);
	CHECK_EQ(granter->grant->nr_frames, 4);
	CHECK_EQ(grant_shared_frame(granter, 4, &mfn), -EINVAL);
	CHECK_EQ(grant_shared_frame(granter, ~0U, &mfn), -EINVAL);
	CHECK_EQ(grant_status_frame(granter, 0, &mfn), -EINVAL);
	run(user);
	CHECK_EQ(do_set_version(2, 2), 0);
	CHECK_EQ(grant_status_frame(user, 0, &mfn), 0);
	CHECK_EQ(mfn.v, virt_to_mfn(user->grant->status[0]).v);
	CHECK_EQ(grant_status_frame(user, 1, &mfn), -EINVAL);

	CHECK_EQ(grant_seed(granter, GNTTAB_RESERVED_CONSOLE, 0, 99), 0);
	CHECK_EQ(v1(granter, 0)->flags, GTF_permit_access);
	CHECK_EQ(v1(granter, 0)->frame, 99);
	CHECK_EQ(grant_seed(granter, 2048, 0, 99), -EINVAL);
	CHECK_EQ(grant_seed(granter, 0, 0, 1UL << 32), -EINVAL);
	fixture_end();
}
