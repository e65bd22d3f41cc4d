/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying through grants: both directions, parts of pages, grants passed on,
 * and each argument that is refused.
 *
 * Links: grant/table.c grant/entry.c grant/map.c grant/copy.c grant/ops.c lib/bits.c
 */
#include "fixture.h"

static struct page *own, *granted;

static char *bytes(struct page *pg)
{
	return page_to_virt(pg);
}

static void copy_begin(void)
{
	fixture_begin();
	own = fake_frame_alloc(user);
	granted = grant(granter, 8, user->id, 0);
	for (unsigned int i = 0; i < PAGE_SIZE; i++) {
		bytes(own)[i] = (char)i;
		bytes(granted)[i] = (char)(i * 7);
	}
}

/* Nothing stays pinned after a batch. */
static void copy_end(void)
{
	CHECK_EQ(refs(own), 1);
	CHECK_EQ(refs(granted), 1);
	CHECK_EQ(page_type_count(own), 0);
	CHECK_EQ(page_type_count(granted), 0);
	CHECK_EQ(granter->references, 1);
	if (granter->grant->version == 1)
		CHECK_EQ(v1(granter, 8)->flags & (GTF_reading | GTF_writing), 0);
	else
		CHECK_EQ(*grant_status(granter->grant, 8), 0);
	fixture_end();
}

static struct gnttab_copy from_ref(uint32_t ref, uint16_t offset, uint16_t to, uint16_t len)
{
	return (struct gnttab_copy){
		.source = {.u.ref = ref, .domid = granter->id, .offset = offset},
		.dest = {.u.gmfn = page_to_mfn(own).v, .domid = DOMID_SELF, .offset = to},
		.len = len,
		.flags = GNTCOPY_source_gref,
		.status = 1,
	};
}

static struct gnttab_copy to_ref(uint32_t ref, uint16_t offset, uint16_t to, uint16_t len)
{
	return (struct gnttab_copy){
		.source = {.u.gmfn = page_to_mfn(own).v, .domid = DOMID_SELF, .offset = offset},
		.dest = {.u.ref = ref, .domid = granter->id, .offset = to},
		.len = len,
		.flags = GNTCOPY_dest_gref,
		.status = 1,
	};
}

static int copy(struct gnttab_copy arg)
{
	CHECK_EQ(op(GNTTABOP_copy, &arg, 1), 0);
	return arg.status;
}

TEST(grant_copy_both_ways)
{
	struct gnttab_copy both;
	struct page *other;

	copy_begin();
	CHECK_EQ(copy(from_ref(8, 100, 200, 50)), GNTST_okay);
	CHECK(!memcmp(bytes(own) + 200, bytes(granted) + 100, 50));
	CHECK_EQ(bytes(own)[199], (char)199);
	CHECK_EQ(bytes(own)[250], (char)250);
	CHECK_EQ(copy(to_ref(8, 0, 4000, 96)), GNTST_okay);
	CHECK(!memcmp(bytes(granted) + 4000, bytes(own), 96));
	CHECK_EQ(copy(from_ref(8, 0, 0, 4096)), GNTST_okay);
	CHECK(!memcmp(bytes(granted), bytes(own), 4096));
	CHECK_EQ(copy(from_ref(8, 4096, 0, 0)), GNTST_okay);
	/* from one grant to another */
	other = grant(third, 9, user->id, 0);
	both = from_ref(8, 0, 0, 4096);
	both.dest = (struct gnttab_copy_ptr){.u.ref = 9, .domid = third->id};
	both.flags |= GNTCOPY_dest_gref;
	CHECK_EQ(copy(both), GNTST_okay);
	CHECK(!memcmp(bytes(granted), bytes(other), 4096));
	copy_end();
}

TEST(grant_copy_refusals)
{
	struct gnttab_copy c;
	struct page *foreign;

	copy_begin();
	CHECK_EQ(copy(from_ref(8, 4095, 0, 2)), GNTST_bad_copy_arg);
	CHECK_EQ(copy(from_ref(8, 0, 4095, 2)), GNTST_bad_copy_arg);
	CHECK_EQ(copy(from_ref(8, 65535, 0, 65535)), GNTST_bad_copy_arg);
	CHECK_EQ(copy(from_ref(512, 0, 0, 1)), GNTST_bad_gntref);
	CHECK_EQ(copy(from_ref(9, 0, 0, 1)), GNTST_general_error);
	c = from_ref(8, 0, 0, 1);
	c.source.domid = 77;
	CHECK_EQ(copy(c), GNTST_bad_domain);
	/* a frame without a grant: only one's own */
	c = from_ref(8, 0, 0, 1);
	c.flags = 0;
	c.source.u.gmfn = page_to_mfn(granted).v;
	CHECK_EQ(copy(c), GNTST_permission_denied);
	c.source.domid = DOMID_SELF;
	CHECK_EQ(copy(c), GNTST_bad_page);
	c.source.u.gmfn = ~0UL;
	CHECK_EQ(copy(c), GNTST_bad_page);
	c = to_ref(8, 0, 0, 1);
	c.flags = 0;
	c.dest.u.gmfn = page_to_mfn(granted).v;
	CHECK_EQ(copy(c), GNTST_permission_denied);
	c.dest.domid = DOMID_SELF;
	CHECK_EQ(copy(c), GNTST_bad_page);
	/* what the grant does not give */
	grant(granter, 10, third->id, 0);
	CHECK_EQ(copy(from_ref(10, 0, 0, 1)), GNTST_general_error);
	grant(granter, 11, user->id, GTF_readonly);
	CHECK_EQ(copy(to_ref(11, 0, 0, 1)), GNTST_general_error);
	CHECK_EQ(copy(from_ref(11, 0, 0, 1)), GNTST_okay);
	foreign = fake_frame_alloc(third);
	*v1(granter, 12) = (struct grant_entry_v1){GTF_permit_access, user->id,
						   (uint32_t)page_to_mfn(foreign).v};
	CHECK_EQ(copy(from_ref(12, 0, 0, 1)), GNTST_bad_page);
	CHECK_EQ(v1(granter, 12)->flags, GTF_permit_access);
	/* page tables are read, never written */
	granted->type = own->type = (uint64_t)PAGE_L1 << PAGE_TYPE_SHIFT | 1;
	CHECK_EQ(copy(to_ref(8, 0, 0, 1)), GNTST_bad_page);
	CHECK_EQ(copy(from_ref(8, 0, 0, 1)), GNTST_bad_page);
	granted->type = own->type = 0;
	granter->is_dying = true;
	CHECK_EQ(copy(from_ref(8, 0, 0, 1)), GNTST_bad_domain);
	granter->is_dying = false;
	copy_end();
}

TEST(grant_copy_batch_goes_on_after_an_error)
{
	struct gnttab_copy ops[5];

	copy_begin();
	for (unsigned int i = 0; i < 5; i++)
		ops[i] = from_ref(8, 0, (uint16_t)(i * 16), 16);
	ops[2].source.u.ref = 9;
	ops[3].source.offset = 4090;
	CHECK_EQ(op(GNTTABOP_copy, ops, 5), 0);
	CHECK_EQ(ops[0].status, GNTST_okay);
	CHECK_EQ(ops[1].status, GNTST_okay);
	CHECK_EQ(ops[2].status, GNTST_general_error);
	CHECK_EQ(ops[3].status, GNTST_bad_copy_arg);
	CHECK_EQ(ops[4].status, GNTST_okay);
	CHECK(!memcmp(bytes(own) + 64, bytes(granted), 16));
	copy_end();
}

/* The same number means another page when it is a reference, or in another domain. */
TEST(grant_copy_does_not_mix_up_what_is_pinned)
{
	struct gnttab_copy ops[3];
	struct page *other;

	copy_begin();
	other = grant(third, 8, user->id, 0);
	memset(bytes(other), 0x55, PAGE_SIZE);
	ops[0] = from_ref(8, 0, 0, 16);
	ops[1] = from_ref(8, 0, 16, 16);
	ops[1].source.domid = third->id;
	ops[2] = from_ref((uint32_t)page_to_mfn(own).v, 0, 32, 16);
	ops[2].source.domid = DOMID_SELF;
	ops[2].flags = 0;
	CHECK_EQ(op(GNTTABOP_copy, ops, 3), 0);
	CHECK_EQ(ops[2].status, GNTST_okay);
	CHECK(!memcmp(bytes(own), bytes(granted), 16));
	CHECK(!memcmp(bytes(own) + 16, bytes(other), 16));
	CHECK(!memcmp(bytes(own) + 32, bytes(granted), 16));
	/* one's own frame number, which is also a reference into one's own table */
	other = grant(user, (uint32_t)page_to_mfn(own).v, user->id, 0);
	memset(bytes(other), 0x77, PAGE_SIZE);
	ops[0] = ops[2];
	ops[1] = ops[2];
	ops[1].flags = GNTCOPY_source_gref;
	ops[1].dest.offset = 48;
	CHECK_EQ(op(GNTTABOP_copy, ops, 2), 0);
	CHECK_EQ(ops[1].status, GNTST_okay);
	CHECK(!memcmp(bytes(own) + 48, bytes(other), 16));
	copy_end();
}

TEST(grant_copy_is_preempted_with_nothing_pinned)
{
	struct gnttab_copy ops[10];

	copy_begin();
	for (unsigned int i = 0; i < 10; i++)
		ops[i] = to_ref(8, 0, 0, 1);
	fake_preempt_every = 4;
	CHECK_EQ(op(GNTTABOP_copy, ops, 10), -ERESTART);
	CHECK_EQ(fake_continuation.args[1], (uint64_t)&ops[4]);
	CHECK_EQ(fake_continuation.args[2], 6);
	CHECK_EQ(refs(granted), 1);
	fake_preempt_every = 0;
	copy_end();
}

TEST(grant_copy_faults_with_nothing_pinned)
{
	struct gnttab_copy *ops;

	copy_begin();
	ops = fake_guest_alloc(2 * sizeof(*ops));
	ops[0] = ops[1] = to_ref(8, 0, 0, 1);
	fake_guest_any = false;
	CHECK_EQ(op(GNTTABOP_copy, ops, 3), -EFAULT);
	CHECK_EQ(ops[1].status, GNTST_okay);
	fake_guest_fault_after = sizeof(*ops);
	CHECK_EQ(op(GNTTABOP_copy, ops, 1), -EFAULT); /* where the status goes */
	fake_guest_fault_after = -1;
	copy_end();
}

static void use_v2(struct domain *d)
{
	run(d);
	CHECK_EQ(do_set_version(2, 2), 0);
	run(user);
}

TEST(grant_copy_sub_page)
{
	copy_begin();
	use_v2(granter);
	v2(granter, 8)->sub_page.hdr =
		(struct grant_entry_header){GTF_permit_access | GTF_sub_page, user->id};
	v2(granter, 8)->sub_page.page_off = 100;
	v2(granter, 8)->sub_page.length = 50;
	v2(granter, 8)->sub_page.frame = page_to_mfn(granted).v;
	CHECK_EQ(copy(from_ref(8, 100, 0, 50)), GNTST_okay);
	CHECK_EQ(copy(from_ref(8, 149, 0, 1)), GNTST_okay);
	CHECK_EQ(copy(from_ref(8, 99, 0, 1)), GNTST_general_error);
	CHECK_EQ(copy(from_ref(8, 149, 0, 2)), GNTST_general_error);
	CHECK_EQ(copy(to_ref(8, 0, 150, 1)), GNTST_general_error);
	CHECK_EQ(copy(to_ref(8, 0, 100, 50)), GNTST_okay);
	v2(granter, 8)->sub_page.page_off = 4090;
	CHECK_EQ(copy(from_ref(8, 4090, 0, 1)), GNTST_general_error); /* past the page's end */
	v2(granter, 8)->sub_page.page_off = 65535;
	v2(granter, 8)->sub_page.length = 65535;
	CHECK_EQ(copy(from_ref(8, 0, 0, 1)), GNTST_general_error);
	copy_end();
}

static void pass_on(uint32_t ref, uint16_t flags, domid_t domid, uint32_t to)
{
	v2(granter, ref)->transitive.hdr =
		(struct grant_entry_header){(uint16_t)(GTF_transitive | flags), user->id};
	v2(granter, ref)->transitive.trans_domid = domid;
	v2(granter, ref)->transitive.gref = to;
}

TEST(grant_copy_transitive)
{
	struct page *far;

	copy_begin();
	use_v2(granter);
	far = grant(third, 20, granter->id, 0); /* to the granter, who passes it on */
	memset(bytes(far), 0x33, PAGE_SIZE);
	pass_on(8, 0, third->id, 20);
	CHECK_EQ(copy(from_ref(8, 0, 0, 16)), GNTST_okay);
	CHECK(!memcmp(bytes(own), bytes(far), 16));
	CHECK_EQ(copy(to_ref(8, 100, 0, 16)), GNTST_okay);
	CHECK(!memcmp(bytes(own) + 100, bytes(far), 16));
	CHECK_EQ(v1(third, 20)->flags, GTF_permit_access);
	CHECK_EQ(third->references, 1);
	CHECK_EQ(refs(far), 1);
	/* each of the two may forbid writing */
	pass_on(8, GTF_readonly, third->id, 20);
	CHECK_EQ(copy(to_ref(8, 0, 0, 1)), GNTST_general_error);
	CHECK_EQ(copy(from_ref(8, 0, 0, 1)), GNTST_okay);
	pass_on(8, 0, third->id, 20);
	v1(third, 20)->flags |= GTF_readonly;
	CHECK_EQ(copy(to_ref(8, 0, 0, 1)), GNTST_general_error);
	/* not granted to the one who passes it on */
	v1(third, 20)->flags = GTF_permit_access;
	v1(third, 20)->domid = user->id;
	CHECK_EQ(copy(from_ref(8, 0, 0, 1)), GNTST_general_error);
	pass_on(8, 0, 77, 20);
	CHECK_EQ(copy(from_ref(8, 0, 0, 1)), GNTST_general_error);
	pass_on(8, 0, third->id, 512);
	CHECK_EQ(copy(from_ref(8, 0, 0, 1)), GNTST_bad_gntref);
	CHECK_EQ(third->references, 1);
	copy_end();
}

/* A chain ends at once, and a circle too. */
TEST(grant_copy_transitive_is_not_followed_twice)
{
	copy_begin();
	use_v2(granter);
	pass_on(8, 0, granter->id, 9);
	v2(granter, 9)->transitive.hdr = (struct grant_entry_header){GTF_transitive, granter->id};
	v2(granter, 9)->transitive.trans_domid = granter->id;
	v2(granter, 9)->transitive.gref = 9;
	CHECK_EQ(copy(from_ref(8, 0, 0, 1)), GNTST_general_error);
	CHECK_EQ(*grant_status(granter->grant, 9), 0);
	v2(granter, 8)->transitive.gref = 8;
	CHECK_EQ(copy(from_ref(8, 0, 0, 1)), GNTST_general_error);
	copy_end();
}

/* Overlapping parts of one page. */
TEST(grant_copy_within_a_page)
{
	struct gnttab_copy c;

	copy_begin();
	c = from_ref(0, 0, 8, 64);
	c.source.u.gmfn = page_to_mfn(own).v;
	c.source.domid = DOMID_SELF;
	c.flags = 0;
	CHECK_EQ(copy(c), GNTST_okay);
	for (unsigned int i = 0; i < 64; i++)
		CHECK_EQ(bytes(own)[8 + i], (char)i);
	copy_end();
}
