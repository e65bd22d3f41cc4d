/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The p2m: what is where, large entries split and joined, references of each
 * kind of entry, flushes before a frame is let go, the pool of its tables, and
 * its end at every point where that may be interrupted.
 *
 * Links: hvm/p2m.c hvm/p2m_pool.c hvm/p2m_table.c lib/bits.c
 * Helpers: hvm/fake_vendor.c hvm/fake_ram.c
 */
#include "fake_ram.h"
#include "lib/printk.h"
#include "mm/mm.h"

static struct domain *d, *other;
static struct p2m *p;
static unsigned int pool;

static void begin(void)
{
	d = fake_ram_domain();
	other = fake_domain(7, 1);
	p = &d->hvm->p2m;
	pool = p->pool_pages;
	fake_vendor.has_1g_pages = true;
}

/* The frames of `other` that a test took have their one reference left. */
static void end(void)
{
	d->is_dying = true;
	CHECK_EQ(p2m_relinquish(d), 0);
	for (uint64_t n = 1; n < FAKE_FRAMES; n++) {
		if (!page_is_owned_by(&frame_table[n], 7) ||
		    !(frame_table[n].count & PAGE_COUNT_MASK))
			continue;
		CHECK_EQ(frame_table[n].count & PAGE_COUNT_MASK, 1);
		CHECK_EQ(page_type_count(&frame_table[n]), 0);
		page_put(&frame_table[n]);
	}
	fake_ram_end(d);
}

/* 512 frames of d's in a row, aligned. */
static mfn_t large_frame(void)
{
	for (uint64_t first = 512;; first += 512) {
		CHECK(first < FAKE_FRAMES);
		if (frame_table[first].count != PAGE_F_RAM)
			continue;
		for (uint64_t i = 0; i < 512; i++) {
			struct page *pg = &frame_table[first + i];

			CHECK_EQ(pg->count, PAGE_F_RAM);
			pg->count = (uint64_t)d->id << PAGE_OWNER_SHIFT | PAGE_F_RAM |
				    PAGE_F_ALLOCATED | 1;
			pg->prev = 0;
			pg->next = d->mm.page_list;
			if (pg->next)
				frame_table[pg->next].prev = first + i;
			d->mm.page_list = first + i;
			d->mm.tot_pages++;
		}
		return MFN(first);
	}
}

static enum p2m_type type_at(uint64_t gfn, uint64_t *mfn)
{
	enum p2m_type type;

	*mfn = p2m_lookup(d, GFN(gfn), &type).v;
	return type;
}

#define IS_AT(gfn, want_type, want_mfn)                   \
	do {                                              \
		uint64_t mfn_;                            \
                                                          \
		CHECK_EQ(type_at(gfn, &mfn_), want_type); \
		CHECK_EQ(mfn_, want_mfn);                 \
	} while (0)
#define NOTHING_AT(gfn) IS_AT(gfn, P2M_NONE, ~0UL)

static uint32_t refs(mfn_t mfn)
{
	return frame_table[mfn.v].count & PAGE_COUNT_MASK;
}

TEST(entries_are_found_where_they_were_put)
{
	struct page *pg;

	begin();
	pg = fake_frame_alloc(d);
	NOTHING_AT(0);
	CHECK_EQ(p2m_set(d, GFN(5), page_to_mfn(pg), 0, P2M_RAM), 0);
	IS_AT(5, P2M_RAM, page_to_mfn(pg).v);
	NOTHING_AT(4);
	NOTHING_AT(5 + 512);
	NOTHING_AT(~0UL);
	NOTHING_AT(5 + (1UL << 36));
	CHECK_EQ(fake_m2p[page_to_mfn(pg).v], 5);
	CHECK_EQ(p->max_gfn, 5);
	CHECK_EQ(p->pool_free, pool - 4);
	end();
}

TEST(set_refuses_what_makes_no_sense)
{
	mfn_t mfn;

	begin();
	mfn = large_frame();
	CHECK_EQ(p2m_set(d, GFN(1), mfn, 9, P2M_RAM), -EINVAL);
	CHECK_EQ(p2m_set(d, GFN(512), MFN(mfn.v + 1), 9, P2M_RAM), -EINVAL);
	CHECK_EQ(p2m_set(d, GFN(512), mfn, 3, P2M_RAM), -EINVAL);
	CHECK_EQ(p2m_set(d, GFN(0), mfn, 27, P2M_RAM), -EINVAL);
	CHECK_EQ(p2m_set(d, GFN(1UL << 36), mfn, 0, P2M_RAM), -EINVAL);
	CHECK_EQ(p2m_set(d, GFN(512), mfn, 0, P2M_NONE), -EINVAL);
	CHECK_EQ(p2m_set(d, GFN(512), mfn, 0, P2M_MMIO), -EINVAL);
	CHECK_EQ(p2m_set(d, GFN(512), mfn, 9, P2M_GRANT_RW), -EINVAL);
	CHECK_EQ(p2m_set(d, GFN(512), mfn, 9, P2M_LOGDIRTY), -EINVAL);
	fake_vendor.has_1g_pages = false;
	CHECK_EQ(p2m_set(d, GFN(0), MFN(0), 18, P2M_RAM), -EINVAL);
	d->is_dying = true;
	CHECK_EQ(p2m_set(d, GFN(512), mfn, 9, P2M_RAM), -EINVAL);
	d->is_dying = false;
	NOTHING_AT(512);
	end();
}

TEST(a_large_entry_is_split_and_joined_again)
{
	mfn_t mfn;

	begin();
	mfn = large_frame();
	CHECK_EQ(p2m_set(d, GFN(1024), mfn, 9, P2M_RAM), 0);
	IS_AT(1024 + 77, P2M_RAM, mfn.v + 77);
	CHECK_EQ(fake_m2p[mfn.v + 77], 1024 + 77);
	CHECK_EQ(p->pool_free, pool - 3);
	CHECK_EQ(p2m_remove(d, GFN(1024 + 77), MFN_NONE), 0);
	NOTHING_AT(1024 + 77);
	IS_AT(1024 + 76, P2M_RAM, mfn.v + 76);
	IS_AT(1535, P2M_RAM, mfn.v + 511);
	CHECK_EQ(fake_m2p[mfn.v + 77], M2P_INVALID);
	CHECK_EQ(p->pool_free, pool - 4);
	/* whole again, once the last one is set */
	CHECK_EQ(p2m_set(d, GFN(1024 + 77), MFN(mfn.v + 77), 0, P2M_RAM), 0);
	CHECK_EQ(p2m_set(d, GFN(1535), MFN(mfn.v + 511), 0, P2M_RAM), 0);
	CHECK_EQ(p->pool_free, pool - 3);
	IS_AT(1024 + 77, P2M_RAM, mfn.v + 77);
	end();
}

TEST(entries_of_two_kinds_do_not_join)
{
	mfn_t mfn;

	begin();
	mfn = large_frame();
	for (uint64_t i = 0; i < 512; i++)
		CHECK_EQ(p2m_set(d, GFN(i), MFN(mfn.v + i), 0, i == 9 ? P2M_RAM_RO : P2M_RAM), 0);
	CHECK_EQ(p->pool_free, pool - 4);
	IS_AT(9, P2M_RAM_RO, mfn.v + 9);
	CHECK_EQ(p2m_change_type(d, GFN(9), P2M_RAM_RO, P2M_RAM), 0);
	CHECK_EQ(p2m_change_type(d, GFN(511), P2M_RAM, P2M_RAM), 0); /* the last is looked at */
	CHECK_EQ(p->pool_free, pool - 3);
	end();
}

TEST(without_room_for_tables_nothing_changes)
{
	mfn_t mfn;

	begin();
	mfn = large_frame();
	CHECK_EQ(p2m_set(d, GFN(1024), mfn, 9, P2M_RAM), 0);
	CHECK_EQ(p2m_pool_set(d, 3), 0);
	CHECK_EQ(p2m_remove(d, GFN(1030), MFN_NONE), -ENOMEM);
	CHECK_EQ(p2m_give_up(d, GFN(1030), 0), -ENOMEM);
	CHECK_EQ(p2m_set(d, GFN(1030), mfn, 0, P2M_RAM), -ENOMEM);
	CHECK_EQ(p2m_set(d, GFN(1UL << 30), mfn, 0, P2M_RAM), -ENOMEM);
	CHECK_EQ(p2m_change_type(d, GFN(1030), P2M_RAM, P2M_RAM_RO), -ENOMEM);
	IS_AT(1030, P2M_RAM, mfn.v + 6);
	CHECK_EQ(fake_m2p[mfn.v + 6], 1030);
	CHECK_EQ(p2m_pool_set(d, 4), 0);
	CHECK_EQ(p2m_remove(d, GFN(1030), MFN_NONE), 0);
	end();
}

/* A look at the frame when its translation is flushed: it must still be held. */
static struct page *flushed_frame;
static unsigned int flushes;

static void look(unsigned int cpu, bool all, uint64_t va)
{
	CHECK(all);
	flushes++;
	if (flushed_frame)
		CHECK(flushed_frame->count & PAGE_COUNT_MASK);
}

TEST(what_leaves_is_flushed_from_other_cpus_first)
{
	uint64_t generation;

	begin();
	fake_tlb_hook = look;
	flushes = 0;
	flushed_frame = NULL;
	fake_vcpu_stop(d->vcpus[0]);
	fake_vcpu_run(d->vcpus[0], 2); /* a vCPU of it runs there */
	fake_cpu = 0;
	generation = p->flush_generation;
	fake_ram_add(d, 0, 1);
	CHECK_EQ(flushes, 0); /* nothing was there */
	flushed_frame = virt_to_page(fake_ram_at(d, 0));
	CHECK_EQ(p2m_give_up(d, GFN(0), 0), 0);
	CHECK_EQ(flushes, 1);
	CHECK(!(flushed_frame->count & PAGE_COUNT_MASK));
	CHECK(p->flush_generation > generation);
	/* one that is this CPU's passes through its entry before it runs again */
	fake_vcpu_stop(d->vcpus[0]);
	fake_vcpu_run(d->vcpus[0], 0);
	fake_ram_add(d, 0, 1);
	flushed_frame = NULL;
	generation = p->flush_generation;
	CHECK_EQ(p2m_give_up(d, GFN(0), 0), 0);
	CHECK_EQ(flushes, 1);
	CHECK(p->flush_generation > generation);
	end();
}

TEST(give_up_takes_only_ram)
{
	struct page *theirs;
	mfn_t mfn;

	begin();
	mfn = large_frame();
	theirs = fake_frame_alloc(other);
	CHECK_EQ(p2m_set(d, GFN(512), mfn, 9, P2M_RAM), 0);
	CHECK_EQ(p2m_give_up(d, GFN(513), 9), -EINVAL);
	CHECK_EQ(p2m_give_up(d, GFN(0), 9), -EINVAL);
	CHECK_EQ(p2m_give_up(d, GFN(0), 4), -EINVAL);
	CHECK_EQ(p2m_give_up(d, GFN(1UL << 36), 0), -EINVAL);
	CHECK(page_hold(theirs));
	CHECK(page_get_writable(theirs));
	CHECK_EQ(p2m_set(d, GFN(600), page_to_mfn(theirs), 0, P2M_GRANT_RW), 0);
	CHECK_EQ(p2m_give_up(d, GFN(600), 0), -EINVAL);
	CHECK_EQ(p2m_give_up(d, GFN(512), 9), -EINVAL);
	IS_AT(700, P2M_RAM, mfn.v + 188);
	CHECK_EQ(p2m_set(d, GFN(600), MFN(mfn.v + 88), 0, P2M_RAM), 0); /* the grant goes */
	CHECK_EQ(refs(page_to_mfn(theirs)), 1);
	CHECK_EQ(page_type_count(theirs), 0);
	CHECK_EQ(p2m_give_up(d, GFN(512), 9), 0);
	NOTHING_AT(700);
	CHECK_EQ(d->mm.tot_pages, 0);
	end();
}

TEST(a_frame_that_is_anothers_by_now_is_not_given_up)
{
	struct page *pg;

	begin();
	fake_ram_add(d, 3, 1);
	pg = virt_to_page(fake_ram_at(d, 3UL << PAGE_SHIFT));
	/* as if d's end had been faster */
	pg->count = (pg->count & ~(0xffffUL << PAGE_OWNER_SHIFT)) | 7UL << PAGE_OWNER_SHIFT;
	CHECK_EQ(p2m_give_up(d, GFN(3), 0), 0);
	CHECK_EQ(refs(page_to_mfn(pg)), 1);
	CHECK(pg->count & PAGE_F_ALLOCATED);
	d->mm.page_list = 0;
	d->mm.tot_pages = 0;
	other->mm.page_list = page_to_mfn(pg).v;
	other->mm.tot_pages = 1;
	end();
}

TEST(pages_are_got_as_their_type_allows)
{
	static const struct {
		enum p2m_type type;
		bool read, write;
	} allowed[] = {
		{P2M_RAM, true, true},	  {P2M_RAM_RO, true, false}, {P2M_LOGDIRTY, true, true},
		{P2M_IOREQ, true, false}, {P2M_MMIO, false, false},
	};
	enum p2m_type type;
	struct page *pg;

	begin();
	fake_ram_add(d, 0, 1);
	type = P2M_RAM;
	for (unsigned int i = 0; i < ARRAY_SIZE(allowed); i++) {
		CHECK_EQ(p2m_change_type(d, GFN(0), type, allowed[i].type), 0);
		type = allowed[i].type;
		pg = p2m_page_get(d, GFN(0), false, &type);
		CHECK_EQ(type, allowed[i].type);
		CHECK_EQ(pg != NULL, allowed[i].read);
		if (pg)
			page_put(pg);
		pg = p2m_page_get(d, GFN(0), true, &type);
		CHECK_EQ(pg != NULL, allowed[i].write);
		if (pg) {
			CHECK_EQ(page_type_count(pg), 1);
			page_put_and_type(pg);
		}
		/* a write makes it dirty */
		type = allowed[i].type == P2M_LOGDIRTY ? P2M_RAM : allowed[i].type;
		CHECK_EQ(p2m_change_type(d, GFN(0), type, type), 0);
	}
	CHECK(!p2m_page_get(d, GFN(1), false, &type));
	CHECK(!p2m_page_get(d, GFN(~0UL), false, &type));
	CHECK_EQ(p2m_change_type(d, GFN(0), P2M_MMIO, P2M_RAM), 0);
	end();
}

TEST(a_frame_that_may_not_be_written_is_not_got_so)
{
	enum p2m_type type;
	struct page *pg;

	begin();
	fake_ram_add(d, 0, 1);
	pg = virt_to_page(fake_ram_at(d, 0));
	pg->type = (uint64_t)PAGE_SEGDESC << PAGE_TYPE_SHIFT | 1;
	CHECK(!p2m_page_get(d, GFN(0), true, &type));
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 1);
	pg->type = 0;
	end();
}

TEST(guest_frames_are_the_domains_own)
{
	struct page *theirs, *pg;

	begin();
	fake_ram_add(d, 0, 1);
	theirs = fake_frame_alloc(other);
	CHECK(page_hold(theirs));
	CHECK_EQ(p2m_set(d, GFN(1), page_to_mfn(theirs), 0, P2M_GRANT_RO), 0);
	pg = page_get_guest_frame(d, 0, true);
	CHECK(pg == virt_to_page(fake_ram_at(d, 0)));
	page_put_guest_frame(pg, true);
	CHECK(!page_get_guest_frame(d, 1, false));
	CHECK(!page_get_guest_frame(d, 2, false));
	CHECK_EQ(refs(page_to_mfn(theirs)), 2);
	/* of a PV domain: machine frames */
	CHECK(page_get_guest_frame(other, page_to_mfn(theirs).v, true) == theirs);
	page_put_guest_frame(theirs, true);
	CHECK(!page_get_guest_frame(other, page_to_mfn(pg).v, false));
	CHECK(!page_get_guest_frame(other, ~0UL, false));
	theirs->type = (uint64_t)PAGE_L1 << PAGE_TYPE_SHIFT | 1;
	CHECK(!page_get_guest_frame(other, page_to_mfn(theirs).v, true));
	theirs->type = 0;
	end();
}

TEST(types_change_only_among_those_of_ram)
{
	begin();
	fake_ram_add(d, 0, 1);
	CHECK_EQ(p2m_change_type(d, GFN(0), P2M_RAM_RO, P2M_RAM), -EINVAL);
	CHECK_EQ(p2m_change_type(d, GFN(1), P2M_RAM, P2M_RAM_RO), -EINVAL);
	CHECK_EQ(p2m_change_type(d, GFN(0), P2M_RAM, P2M_GRANT_RW), -EINVAL);
	CHECK_EQ(p2m_change_type(d, GFN(0), P2M_SHARED, P2M_RAM), -EINVAL);
	CHECK_EQ(p2m_change_type(d, GFN(0), P2M_RAM, P2M_NONE), -EINVAL);
	CHECK_EQ(p2m_change_type(d, GFN(0), P2M_NONE, P2M_NONE), -EINVAL);
	end();
}

TEST(remove_may_name_the_frame)
{
	begin();
	fake_ram_add(d, 0, 2);
	CHECK_EQ(p2m_remove(d, GFN(0), virt_to_mfn(fake_ram_at(d, PAGE_SIZE))), -ENOENT);
	CHECK_EQ(p2m_remove(d, GFN(2), MFN_NONE), -ENOENT);
	CHECK_EQ(p2m_remove(d, GFN(0), virt_to_mfn(fake_ram_at(d, 0))), 0);
	CHECK_EQ(p2m_remove(d, GFN(0), MFN_NONE), -ENOENT);
	CHECK_EQ(d->mm.tot_pages, 2); /* its own still */
	end();
}

TEST(dirty_frames_are_told_once)
{
	unsigned long bitmap[2];
	enum p2m_type type;
	struct page *pg;

	begin();
	fake_ram_add(d, 0, 70);
	CHECK_EQ(p2m_dirty_take(d, GFN(0), 70, bitmap), 0);
	CHECK_EQ(bitmap[0], ~0UL);
	CHECK_EQ(bitmap[1], 0x3f);
	CHECK_EQ(p2m_dirty_take(d, GFN(0), 70, bitmap), 0);
	CHECK_EQ(bitmap[0] | bitmap[1], 0);
	CHECK(p2m_fault(d->vcpus[0], 66 << PAGE_SHIFT, true, false));
	CHECK(p2m_fault(d->vcpus[0], 2 << PAGE_SHIFT, false, true));
	pg = p2m_page_get(d, GFN(5), true, &type);
	page_put_and_type(pg);
	CHECK_EQ(p2m_dirty_take(d, GFN(0), 70, bitmap), 0);
	CHECK_EQ(bitmap[0], 1UL << 5);
	CHECK_EQ(bitmap[1], 1UL << 2);
	CHECK_EQ(p2m_dirty_take(d, GFN(60), 20, bitmap), -EINVAL);
	CHECK_EQ(p2m_dirty_take(d, GFN(0), P2M_DIRTY_MAX + 1, bitmap), -EINVAL);
	end();
}

TEST(faults_are_devices_where_there_is_no_right)
{
	struct vcpu *v;

	begin();
	v = d->vcpus[0];
	fake_ram_add(d, 0, 3);
	CHECK_EQ(p2m_change_type(d, GFN(1), P2M_RAM, P2M_RAM_RO), 0);
	CHECK_EQ(p2m_change_type(d, GFN(2), P2M_RAM, P2M_MMIO), 0);
	CHECK(p2m_fault(v, 0x10, true, true));
	CHECK(!p2m_fault(v, 0x1010, true, false));
	CHECK(p2m_fault(v, 0x1010, false, true));
	CHECK(!p2m_fault(v, 0x2010, false, false));
	CHECK(!p2m_fault(v, 0x3010, false, false));
	CHECK(!p2m_fault(v, 1UL << 50, false, false));
	end();
}

TEST(what_others_granted_holds_no_code)
{
	struct page *theirs;

	begin();
	theirs = fake_frame_alloc(other);
	CHECK(page_hold(theirs));
	CHECK_EQ(p2m_set(d, GFN(1), page_to_mfn(theirs), 0, P2M_GRANT_RO), 0);
	CHECK(!p2m_fault(d->vcpus[0], 0x1010, true, false));
	CHECK(!p2m_fault(d->vcpus[0], 0x1010, false, true));
	CHECK(p2m_fault(d->vcpus[0], 0x1010, false, false));
	end();
}

TEST(the_pool_grows_and_shrinks_as_far_as_it_can)
{
	unsigned int used;

	begin();
	used = fake_frames_used();
	CHECK_EQ(p2m_pool_set(d, pool + 10), 0);
	CHECK_EQ(fake_frames_used(), used + 10);
	fake_ram_add(d, 0, 1);
	CHECK_EQ(p2m_pool_set(d, 3), -EBUSY); /* four are in use */
	CHECK_EQ(p->pool_pages, 4);
	CHECK_EQ(p->pool_free, 0);
	fake_alloc_fail_at = 3;
	CHECK_EQ(p2m_pool_set(d, 10), -ENOMEM);
	CHECK_EQ(p->pool_pages, 6);
	fake_preempt_every = 1;
	CHECK_EQ(p2m_pool_set(d, 200), -ERESTART);
	CHECK_EQ(p2m_pool_set(d, 72), 0);
	fake_preempt_every = 0;
	d->is_dying = true;
	CHECK_EQ(p2m_pool_set(d, 80), -EINVAL);
	d->is_dying = false;
	end();
}

TEST(without_memory_there_is_no_p2m)
{
	struct domain *h = fake_hvm_domain(8, 1);

	fake_alloc_fail_at = 5;
	CHECK_EQ(p2m_init(h), -ENOMEM);
	CHECK_EQ(fake_frames_used(), 0);
	fake_hvm_free(h);
}

TEST(the_end_gives_all_back_at_every_step)
{
	struct page *theirs;
	unsigned int calls = 0;
	int ret;
	mfn_t mfn;

	begin();
	mfn = large_frame();
	theirs = fake_frame_alloc(other);
	CHECK_EQ(p2m_set(d, GFN(512), mfn, 9, P2M_RAM), 0);
	fake_ram_add(d, 1024, 3);
	for (unsigned int i = 0; i < 3; i++) {
		CHECK(page_hold(theirs));
		CHECK(page_get_writable(theirs));
		CHECK_EQ(p2m_set(d, GFN((1UL << 30) + i * 600), page_to_mfn(theirs), 0,
				 i ? P2M_GRANT_RW : P2M_FOREIGN),
			 0);
	}
	d->is_dying = true;
	fake_preempt_every = 1;
	do {
		ret = p2m_relinquish(d);
		calls++;
		CHECK(ret == 0 || ret == -ERESTART);
	} while (ret);
	CHECK(calls > 6);
	fake_preempt_every = 0;
	CHECK_EQ(refs(page_to_mfn(theirs)), 1);
	CHECK_EQ(page_type_count(theirs), 0);
	CHECK_EQ(p->pool_pages, 0);
	NOTHING_AT(512);
	CHECK_EQ(p2m_remove(d, GFN(512), MFN_NONE), -ENOENT);
	CHECK_EQ(p2m_give_up(d, GFN(512), 0), -EINVAL);
	CHECK_EQ(p2m_grant_unmap(d, 1UL << 42, page_to_mfn(theirs), true), -EINVAL);
	end();
}

/* A translation that allows more than its entry, or leads to tables that are no more, must go. */
TEST(what_changes_is_flushed)
{
	unsigned long bitmap[1];
	uint64_t generation;

	begin();
	fake_ram_add(d, 0, 2);
	generation = p->flush_generation;
	CHECK_EQ(p2m_change_type(d, GFN(0), P2M_RAM, P2M_RAM_RO), 0);
	CHECK(p->flush_generation > generation);
	CHECK_EQ(p2m_change_type(d, GFN(0), P2M_RAM_RO, P2M_RAM), 0);
	generation = p->flush_generation;
	CHECK_EQ(p2m_dirty_take(d, GFN(0), 2, bitmap), 0);
	CHECK(p->flush_generation > generation);
	end();
}

TEST(half_a_split_is_flushed_and_maps_the_same)
{
	enum p2m_type type;
	uint64_t generation;

	begin();
	CHECK_EQ(p2m_set(d, GFN(0), MFN(0), 18, P2M_RAM), 0);
	CHECK_EQ(p2m_pool_set(d, 3), 0); /* two are in use: the second table is not to be had */
	generation = p->flush_generation;
	CHECK_EQ(p2m_remove(d, GFN(700), MFN_NONE), -ENOMEM);
	CHECK(p->flush_generation > generation);
	CHECK_EQ(p2m_lookup(d, GFN(700), &type).v, 700);
	CHECK_EQ(p2m_lookup(d, GFN((1UL << 18) - 1), &type).v, (1UL << 18) - 1);
	CHECK_EQ(type, P2M_RAM);
	CHECK_EQ(p2m_pool_set(d, 4), 0);
	CHECK_EQ(p2m_pool_set(d, 5), 0);
	CHECK_EQ(p2m_set(d, GFN(1UL << 18), MFN(0), 18, P2M_RAM), 0);
	CHECK_EQ(p2m_pool_set(d, 4), 0);
	generation = p->flush_generation;
	CHECK_EQ(p2m_set(d, GFN((1UL << 18) + 7), MFN(7), 0, P2M_RAM), -ENOMEM);
	CHECK(p->flush_generation > generation);
	end();
}

TEST(what_others_granted_keeps_its_own_number)
{
	struct page *theirs;
	mfn_t mfn;

	begin();
	theirs = fake_frame_alloc(other);
	mfn = page_to_mfn(theirs);
	m2p_set(mfn, 1234);
	CHECK(page_hold(theirs));
	CHECK_EQ(p2m_set(d, GFN(1), mfn, 0, P2M_GRANT_RO), 0);
	CHECK_EQ(fake_m2p[mfn.v], 1234);
	CHECK_EQ(p2m_remove(d, GFN(1), mfn), 0);
	CHECK_EQ(fake_m2p[mfn.v], 1234);
	end();
}
