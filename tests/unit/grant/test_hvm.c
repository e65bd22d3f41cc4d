/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants of and to translated domains: frames by their own numbers, mappings
 * in their physical memory, over a real p2m.
 *
 * Links: grant/table.c grant/entry.c grant/map.c grant/copy.c grant/ops.c
 * Links: hvm/p2m.c hvm/p2m_pool.c hvm/p2m_table.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "fixture.h"
#include "hvm/fake_vendor.h"

#define GFN_GRANTED 20UL
#define GPA	    (40UL << PAGE_SHIFT) /* where the user wants it */

static struct domain *hvm; /* id 9, has frames 20..23, of which 22 is read-only */

int page_put_type(struct page *pg, bool preemptible)
{
	CHECK(page_type_count(pg));
	pg->type--;
	return 0;
}

static struct page *frame_at(struct domain *d, uint64_t gfn, enum p2m_type *type)
{
	mfn_t mfn = p2m_lookup(d, GFN(gfn), type);

	return *type == P2M_NONE ? NULL : mfn_to_page(mfn);
}

static struct page *own_at(uint64_t gfn)
{
	enum p2m_type type;

	return frame_at(hvm, gfn, &type);
}

static void begin(void)
{
	fixture_begin();
	hvm = fake_hvm_domain(9, 2);
	CHECK_EQ(p2m_init(hvm), 0);
	CHECK_EQ(grant_domain_init(hvm, 4, 4, 2), 0);
	for (uint64_t i = 0; i < 4; i++)
		CHECK_EQ(p2m_set(hvm, GFN(GFN_GRANTED + i), page_to_mfn(fake_frame_alloc(hvm)), 0,
				 i == 2 ? P2M_RAM_RO : P2M_RAM),
			 0);
}

static void end(void)
{
	hvm->is_dying = true;
	CHECK_EQ(grant_domain_release_mappings(hvm), 0);
	CHECK_EQ(p2m_relinquish(hvm), 0);
	for (uint64_t n = 1; n < FAKE_FRAMES; n++)
		if (frame_table[n].count & PAGE_COUNT_MASK)
			CHECK_EQ(page_type_count(&frame_table[n]), 0);
	fixture_end();
	fake_hvm_free(hvm);
}

static void hvm_grants(uint32_t ref, uint32_t gfn, uint16_t flags)
{
	*v1(hvm, ref) = (struct grant_entry_v1){GTF_permit_access | flags, user->id, gfn};
}

static int map_of(domid_t dom, uint32_t ref, uint64_t addr, uint32_t flags, uint32_t *handle)
{
	struct gnttab_map_grant_ref arg = {
		.host_addr = addr, .flags = flags, .ref = ref, .dom = dom};

	CHECK_EQ(op(GNTTABOP_map_grant_ref, &arg, 1), 0);
	*handle = arg.handle;
	return arg.status;
}

TEST(a_translated_granters_frames_go_by_its_numbers)
{
	struct page *pg;
	uint32_t h;

	begin();
	hvm_grants(8, GFN_GRANTED, 0);
	pg = own_at(GFN_GRANTED);
	CHECK_EQ(map_of(9, 8, ADDR, RW, &h), GNTST_okay);
	CHECK_EQ(pte_find(ADDR)->frame, page_to_mfn(pg).v);
	CHECK_EQ(refs(pg), 2);
	CHECK_EQ(page_type_count(pg), 1);
	/* it may balloon the frame away meanwhile: it is the mapper's until the end */
	CHECK_EQ(p2m_give_up(hvm, GFN(GFN_GRANTED), 0), 0);
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	CHECK_EQ(refs(pg), 0);
	end();
}

TEST(a_translated_granter_grants_only_what_it_has)
{
	struct page *pg;
	uint32_t h;

	begin();
	pg = grant(granter, 8, 9, 0);
	hvm_grants(8, GFN_GRANTED + 8, 0); /* nothing there */
	CHECK_EQ(map_of(9, 8, ADDR, RO, &h), GNTST_general_error);
	hvm_grants(8, ~0U, 0);
	CHECK_EQ(map_of(9, 8, ADDR, RO, &h), GNTST_general_error);
	hvm_grants(8, (uint32_t)page_to_mfn(own_at(GFN_GRANTED)).v, 0); /* a machine frame */
	CHECK_EQ(map_of(9, 8, ADDR, RO, &h), GNTST_general_error);
	/* read-only memory, and what it was itself granted */
	hvm_grants(8, GFN_GRANTED + 2, 0);
	CHECK_EQ(map_of(9, 8, ADDR, RW, &h), GNTST_general_error);
	CHECK_EQ(map_of(9, 8, ADDR, RO, &h), GNTST_okay);
	CHECK_EQ(do_unmap(h, ADDR, 0), GNTST_okay);
	run(hvm);
	CHECK_EQ(map_of(granter->id, 8, GPA, RW, &h), GNTST_okay);
	hvm_grants(9, GPA >> PAGE_SHIFT, 0);
	run(user);
	CHECK_EQ(map_of(9, 9, ADDR, RW, &(uint32_t){0}), GNTST_general_error);
	CHECK_EQ(map_of(9, 9, ADDR, RO, &(uint32_t){0}), GNTST_general_error);
	run(hvm);
	CHECK_EQ(do_unmap(h, GPA, 0), GNTST_okay);
	CHECK_EQ(refs(pg), 1);
	end();
}

TEST(a_translated_domain_maps_into_its_physical_memory)
{
	enum p2m_type type;
	struct page *pg;
	uint32_t h, h2;
	uint64_t generation;

	begin();
	pg = grant(granter, 8, 9, 0);
	run(hvm);
	CHECK_EQ(map_of(granter->id, 8, GPA, RW, &h), GNTST_okay);
	CHECK(frame_at(hvm, GPA >> PAGE_SHIFT, &type) == pg);
	CHECK_EQ(type, P2M_GRANT_RW);
	CHECK_EQ(map_of(granter->id, 8, GPA + PAGE_SIZE, RO | GNTMAP_device_map, &h2), GNTST_okay);
	CHECK(frame_at(hvm, (GPA >> PAGE_SHIFT) + 1, &type) == pg);
	CHECK_EQ(type, P2M_GRANT_RO);
	CHECK_EQ(refs(pg), 4);
	CHECK_EQ(page_type_count(pg), 1);
	CHECK_EQ(granter->references, 3);

	/* the wrong place, the wrong kind, no page */
	CHECK_EQ(do_unmap(h, GPA + PAGE_SIZE, 0), GNTST_general_error);
	CHECK_EQ(do_unmap(h, GFN_GRANTED << PAGE_SHIFT, 0), GNTST_general_error);
	CHECK_EQ(do_unmap(h2, GPA, 0), GNTST_general_error);
	CHECK_EQ(do_unmap(h, GPA + 8, 0), GNTST_general_error);
	CHECK_EQ(refs(pg), 4);
	fake_vcpu_run(hvm->vcpus[1], 3);
	run(hvm);
	fake_tlb_flushes[3] = 0;
	generation = hvm->hvm->p2m.flush_generation;
	CHECK_EQ(do_unmap(h, GPA, 0), GNTST_okay);
	CHECK(fake_tlb_flushes[3]); /* where a vCPU of it runs... */
	CHECK(hvm->hvm->p2m.flush_generation > generation); /* ...and where one will */
	CHECK_EQ(page_type_count(pg), 0);
	CHECK_EQ(do_unmap(h2, GPA + PAGE_SIZE, mfn_to_paddr(page_to_mfn(pg))), GNTST_okay);
	CHECK(!frame_at(hvm, GPA >> PAGE_SHIFT, &type));
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(do_unmap(h, GPA, 0), GNTST_bad_handle);
	end();
}

TEST(a_translated_domains_mappings_are_checked)
{
	struct page *pg;
	uint32_t h;

	begin();
	pg = grant(granter, 8, 9, 0);
	run(hvm);
	CHECK_EQ(map_of(granter->id, 8, GPA + 1, RW, &h), GNTST_general_error);
	CHECK_EQ(map_of(granter->id, 8, 1UL << 48, RW, &h), GNTST_general_error);
	CHECK_EQ(map_of(granter->id, 8, ~0UL << PAGE_SHIFT, RW, &h), GNTST_general_error);
	CHECK_EQ(map_of(granter->id, 8, GPA, RW | GNTMAP_contains_pte, &h), GNTST_general_error);
	CHECK_EQ(map_of(granter->id, 8, GPA + 1, RW | GNTMAP_device_map, &h), GNTST_general_error);
	hvm->is_dying = true;
	CHECK_EQ(map_of(granter->id, 8, GPA, RW, &h), GNTST_general_error);
	hvm->is_dying = false;
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(page_type_count(pg), 0);
	CHECK_EQ(hvm->grant->maptrack_used, 0);
	CHECK_EQ(granter->references, 1);
	end();
}

/* What it puts elsewhere in its map takes the mapping's place, and its references. */
TEST(a_mapping_that_was_overwritten_does_not_end_twice)
{
	struct page *pg, *ram;
	uint32_t h;

	begin();
	pg = grant(granter, 8, 9, 0);
	run(hvm);
	CHECK_EQ(map_of(granter->id, 8, GPA, RW, &h), GNTST_okay);
	ram = fake_frame_alloc(hvm);
	CHECK_EQ(p2m_set(hvm, GFN(GPA >> PAGE_SHIFT), page_to_mfn(ram), 0, P2M_RAM), 0);
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(do_unmap(h, GPA, 0), GNTST_general_error);
	CHECK_EQ(refs(pg), 1);
	CHECK_EQ(refs(ram), 1);
	CHECK_EQ(v1(granter, 8)->flags & GTF_writing, GTF_writing);
	end(); /* and then its entry is released */
}

TEST(a_translated_domain_that_ends_holds_nothing)
{
	struct page *pg;
	uint32_t h;

	begin();
	pg = grant(granter, 8, 9, 0);
	run(hvm);
	for (unsigned int i = 0; i < 5; i++)
		CHECK_EQ(map_of(granter->id, 8, GPA + i * PAGE_SIZE, RW | GNTMAP_device_map, &h),
			 GNTST_okay);
	CHECK_EQ(refs(pg), 11);
	run(user);
	end();
	CHECK_EQ(refs(pg), 1);
}

TEST(copies_of_translated_domains)
{
	struct gnttab_copy arg = {
		.source = {.u.gmfn = GFN_GRANTED, .domid = DOMID_SELF},
		.dest = {.u.ref = 8, .offset = 8},
		.len = 16,
		.flags = GNTCOPY_dest_gref,
	};
	struct page *pg;

	begin();
	pg = grant(granter, 8, 9, 0);
	arg.dest.domid = granter->id;
	run(hvm);
	memcpy(page_to_virt(own_at(GFN_GRANTED)), "a machine's page", 16);
	CHECK_EQ(op(GNTTABOP_copy, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_okay);
	CHECK_EQ(memcmp((char *)page_to_virt(pg) + 8, "a machine's page", 16), 0);
	arg.source.u.gmfn = page_to_mfn(own_at(GFN_GRANTED)).v + 1000;
	CHECK_EQ(op(GNTTABOP_copy, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_bad_page);
	/* the other way round, not into read-only memory */
	arg.source = arg.dest;
	arg.dest.domid = DOMID_SELF;
	arg.dest.offset = 0;
	arg.dest.u.gmfn = GFN_GRANTED + 2;
	arg.flags = GNTCOPY_source_gref;
	CHECK_EQ(op(GNTTABOP_copy, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_bad_page);
	arg.dest.u.gmfn = GFN_GRANTED + 3;
	CHECK_EQ(op(GNTTABOP_copy, &arg, 1), 0);
	CHECK_EQ(arg.status, GNTST_okay);
	CHECK_EQ(memcmp(page_to_virt(own_at(GFN_GRANTED + 3)), "a machine's page", 16), 0);
	CHECK_EQ(refs(pg), 1);
	end();
}

TEST(a_translated_domain_is_told_no_machine_frames)
{
	uint64_t frames[2] = {1, 1};
	struct gnttab_setup_table setup = {
		.dom = DOMID_SELF, .nr_frames = 2, .frame_list.p = frames};
	static const unsigned int refused[] = {GNTTABOP_dump_table, GNTTABOP_transfer,
					       GNTTABOP_unmap_and_replace,
					       GNTTABOP_get_status_frames};

	begin();
	run(hvm);
	CHECK_EQ(op(GNTTABOP_setup_table, &setup, 1), 0);
	CHECK_EQ(setup.status, GNTST_okay);
	CHECK_EQ(hvm->grant->nr_frames, 2);
	CHECK_EQ(frames[0], ~0UL);
	CHECK_EQ(frames[1], ~0UL);
	for (unsigned int i = 0; i < ARRAY_SIZE(refused); i++)
		CHECK_EQ(op(refused[i], frames, 1), -ENOSYS);
	end();
}
