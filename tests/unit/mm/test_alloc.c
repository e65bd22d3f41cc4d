/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame allocator, domains' frames, claims and references.
 *
 * Links: mm/alloc.c mm/owned.c mm/page.c lib/bits.c
 */
#include "fake.h"
#include "mm/alloc_state.h"
#include "mm/mm.h"

#define FIRST 16UL
#define TOTAL (FAKE_FRAMES - FIRST)

static struct domain *d;

/* All fake RAM from frame FIRST on is free; one domain that may have 100 pages. */
static void setup(void)
{
	memset(&frame_allocator, 0, sizeof(frame_allocator));
	frame_allocator.flush_begun = frame_allocator.flush_ended = 1;
	for (uint64_t n = 0; n < FAKE_FRAMES; n++)
		frame_table[n] = (struct page){.count = n ? PAGE_COUNT_UNOWNED : 0};
	frames_add(FIRST << PAGE_SHIFT, FAKE_FRAMES << PAGE_SHIFT);
	d = fake_domain(7, 1);
	d->mm.max_pages = 100;
}

static unsigned int list_length(const struct domain *dom)
{
	unsigned int n = 0;

	for (uint32_t f = dom->mm.page_list; f; f = frame_table[f].next)
		n++;
	return n;
}

TEST(all_ram_is_free_and_comes_back_whole)
{
	static struct page *pages[FAKE_FRAMES];
	unsigned int n = 0;
	struct page *pg;

	setup();
	CHECK_EQ(frames_free_count(), TOTAL);
	while ((pg = frames_alloc(0, FRAMES_ANY)))
		pages[n++] = pg;
	CHECK_EQ(n, TOTAL);
	CHECK_EQ(frames_free_count(), 0);
	for (unsigned int i = 0; i < n; i += 2)
		frames_free(pages[i], 0);
	for (unsigned int i = 1; i < n; i += 2)
		frames_free(pages[i], 0);
	CHECK_EQ(frames_free_count(), TOTAL);
	/* joined again: the upper half is one block */
	pg = frames_alloc(11, FRAMES_ANY);
	CHECK(pg && page_to_mfn(pg).v == 2048);
	CHECK(!frames_alloc(11, FRAMES_ANY));
}

TEST(blocks_are_aligned_and_disjoint)
{
	struct page *a, *b;

	setup();
	a = frames_alloc(4, FRAMES_ANY);
	b = frames_alloc(4, FRAMES_ANY);
	CHECK(a && b);
	CHECK_EQ(page_to_mfn(a).v % 16, 0);
	CHECK_EQ(page_to_mfn(b).v % 16, 0);
	CHECK(a + 16 <= b || b + 16 <= a);
	CHECK(!frames_alloc(PAGE_ORDER_MAX + 1, FRAMES_ANY));
}

TEST(address_limit_is_kept_and_low_memory_spared)
{
	struct page *pg;

	setup();
	pg = frames_alloc(0, FRAMES_ANY);
	CHECK(page_to_mfn(pg).v >= FAKE_FRAMES / 2);
	pg = frames_alloc(3, 20); /* below 1 MiB */
	CHECK(pg && page_to_mfn(pg).v < 256);
	CHECK(!frames_alloc(0, 16)); /* below 64 KiB there is none */
	CHECK(!frames_alloc(8, 20)); /* nor 1 MiB below 1 MiB */
}

TEST(holes_are_never_joined)
{
	setup();
	memset(&frame_allocator, 0, sizeof(frame_allocator));
	frame_allocator.flush_begun = frame_allocator.flush_ended = 1;
	frame_table[33].count = 0; /* not RAM, though it looks free */
	frame_table[33].count |= PAGE_F_FREE;
	frames_add(32 << PAGE_SHIFT, 33 << PAGE_SHIFT);
	CHECK(!frames_alloc(1, FRAMES_ANY));
	CHECK(frames_alloc(0, FRAMES_ANY));
}

TEST(frames_of_a_guest_are_flushed_once_before_use)
{
	struct page *a, *b;

	setup();
	a = domain_pages_alloc(d, 0, 18);
	b = domain_pages_alloc(d, 0, 18);
	CHECK(a && b);
	while (frames_alloc(0, 18)) /* use up what is below 256 KiB */
		;
	CHECK_EQ(fake_tlb_flushes[1], 0);
	page_drop_allocation(a);
	page_drop_allocation(b);
	CHECK_EQ(fake_tlb_flushes[1], 0);
	CHECK(frames_alloc(0, 18));
	CHECK_EQ(fake_tlb_flushes[1], 1);
	CHECK(frames_alloc(0, 18));
	CHECK_EQ(fake_tlb_flushes[1], 1);
}

TEST(unsafe_frames_are_not_given_with_interrupts_off)
{
	struct page *a;

	setup();
	a = domain_pages_alloc(d, 0, 18);
	while (frames_alloc(0, 18))
		;
	page_drop_allocation(a);
	irq_disable();
	CHECK(!frames_alloc(0, 18));
	irq_enable();
	CHECK(frames_alloc(0, 18));
	CHECK_EQ(fake_tlb_flushes[1], 1);
}

static void free_during_flush(unsigned int cpu, bool all, uint64_t va)
{
	struct page *pg = frame_table + d->mm.page_list;

	(void)all;
	(void)va;
	if (cpu == 0 && d->mm.page_list)
		page_drop_allocation(pg);
}

/* A frame freed while a flush is under way is not covered by that flush. */
TEST(frame_freed_during_a_flush_needs_the_next)
{
	struct page *a;

	setup();
	a = domain_pages_alloc(d, 0, 18);
	CHECK(domain_pages_alloc(d, 0, 18));
	while (frames_alloc(0, 18))
		;
	page_drop_allocation(a);
	fake_tlb_hook = free_during_flush;
	CHECK(frames_alloc(0, 18));
	fake_tlb_hook = NULL;
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK_EQ(fake_tlb_flushes[1], 1);
	CHECK(frames_alloc(0, 18));
	CHECK_EQ(fake_tlb_flushes[1], 2);
}

TEST(domain_frames_are_zeroed_owned_and_listed)
{
	struct page *pg;
	char *v;

	setup();
	memset(fake_ram, 0xa5, sizeof(fake_ram));
	pg = domain_pages_alloc(d, 2, FRAMES_ANY);
	CHECK(pg);
	v = page_to_virt(pg);
	for (unsigned int i = 0; i < 4 * PAGE_SIZE; i++)
		CHECK_EQ(v[i], 0);
	for (unsigned int i = 0; i < 4; i++) {
		CHECK(page_is_owned_by(&pg[i], 7));
		CHECK_EQ(pg[i].count & PAGE_COUNT_MASK, 1);
		CHECK(pg[i].count & PAGE_F_ALLOCATED);
	}
	CHECK_EQ(d->mm.tot_pages, 4);
	CHECK_EQ(list_length(d), 4);
	CHECK_EQ(d->references, 2);
	for (unsigned int i = 0; i < 4; i++)
		CHECK(page_drop_allocation(&pg[i]));
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK_EQ(list_length(d), 0);
	CHECK_EQ(d->references, 1);
	CHECK_EQ(frames_free_count(), TOTAL);
}

TEST(max_pages_and_dying_are_respected)
{
	setup();
	d->mm.max_pages = 3;
	CHECK(!domain_pages_alloc(d, 2, FRAMES_ANY));
	CHECK(domain_pages_alloc(d, 1, FRAMES_ANY));
	CHECK(!domain_pages_alloc(d, 1, FRAMES_ANY));
	CHECK(domain_pages_alloc(d, 0, FRAMES_ANY));
	CHECK(!domain_pages_alloc(d, 0, FRAMES_ANY));
	CHECK_EQ(d->mm.tot_pages, 3);
	d->mm.max_pages = 1; /* lowered below what it has */
	CHECK(!domain_pages_alloc(d, 0, FRAMES_ANY));
	d->mm.max_pages = 100;
	d->is_dying = true;
	CHECK(!domain_pages_alloc(d, 0, FRAMES_ANY));
	CHECK_EQ(d->mm.tot_pages, 3);
	CHECK_EQ(frames_free_count(), TOTAL - 3);
}

TEST(no_frames_leaves_no_trace)
{
	setup();
	d->mm.max_pages = ~0UL;
	CHECK(!domain_pages_alloc(d, 12, FRAMES_ANY));
	CHECK(!domain_pages_alloc(d, PAGE_ORDER_MAX + 1, FRAMES_ANY));
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK_EQ(d->references, 1);
}

TEST(references_keep_a_frame)
{
	struct page *pg;
	struct domain *other;

	setup();
	other = fake_domain(8, 1);
	pg = domain_pages_alloc(d, 0, FRAMES_ANY);
	CHECK(!page_get(pg, other));
	CHECK(page_get(pg, d));
	CHECK(page_drop_allocation(pg));
	CHECK(!page_drop_allocation(pg));
	CHECK(page_is_owned_by(pg, 7));
	CHECK_EQ(d->mm.tot_pages, 1);
	page_put(pg);
	CHECK_EQ(page_owner_id(pg), DOMID_INVALID);
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK(!page_get(pg, d));
	CHECK_PANIC(page_put(pg));
}

TEST(reference_count_does_not_overflow)
{
	struct page *pg;

	setup();
	pg = domain_pages_alloc(d, 0, FRAMES_ANY);
	pg->count |= PAGE_COUNT_MASK;
	CHECK(!page_get(pg, d));
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, PAGE_COUNT_MASK);
	pg->count--;
	CHECK(page_get(pg, d));
	CHECK(!page_get(pg, d));
}

TEST(frame_numbers_of_guests_are_checked)
{
	struct page *pg;

	setup();
	pg = domain_pages_alloc(d, 0, FRAMES_ANY);
	CHECK(page_get_mfn(page_to_mfn(pg), d) == pg);
	CHECK(!page_get_mfn(MFN(0), d));
	CHECK(!page_get_mfn(MFN(FAKE_FRAMES), d));
	CHECK(!page_get_mfn(MFN(~0UL), d));
	CHECK(!page_get_mfn(MFN(FIRST), d));
}

TEST(steal_takes_only_what_nobody_uses)
{
	struct page *pg;
	struct domain *other;

	setup();
	other = fake_domain(8, 1);
	pg = domain_pages_alloc(d, 0, FRAMES_ANY);
	CHECK_EQ(page_steal(pg, other), -EINVAL);
	CHECK(page_get(pg, d));
	CHECK_EQ(page_steal(pg, d), -EBUSY);
	page_put(pg);
	pg->type = (uint64_t)PAGE_WRITABLE << PAGE_TYPE_SHIFT | 1;
	CHECK_EQ(page_steal(pg, d), -EBUSY);
	pg->type = 0;
	CHECK_EQ(page_steal(pg, d), 0);
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK_EQ(list_length(d), 0);
	CHECK_EQ(page_assign(pg, other), 0);
	CHECK_EQ(other->mm.tot_pages, 1);
	CHECK_EQ(list_length(other), 1);
	CHECK(page_is_owned_by(pg, 8));
	CHECK_EQ(page_steal(pg, other), 0);
	other->is_dying = true;
	CHECK_EQ(page_assign(pg, other), -EINVAL);
	page_free_stolen(pg);
	CHECK_EQ(frames_free_count(), TOTAL);
}

TEST(assign_respects_max_pages)
{
	struct page *pg;

	setup();
	d->mm.max_pages = 0;
	pg = frames_alloc(0, FRAMES_ANY);
	CHECK_EQ(page_assign(pg, d), -ENOMEM);
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK_EQ(d->references, 1);
}

TEST(shared_page_stays_the_hypervisors)
{
	struct page *pg;
	void *v;

	setup();
	v = hyp_page_alloc_zeroed();
	pg = virt_to_page(v);
	page_share(v, d, true);
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK_EQ(page_type(pg), PAGE_WRITABLE);
	CHECK_EQ(page_type_count(pg), 1);
	CHECK(page_get(pg, d));
	CHECK(!page_drop_allocation(pg));
	CHECK_EQ(page_steal(pg, d), -EINVAL);
	CHECK_EQ(page_unshare(v), -EBUSY);
	page_put(pg);
	CHECK_EQ(page_unshare(v), 0);
	CHECK(!page_get(pg, d));
	hyp_pages_free(v, 0);
	CHECK_EQ(frames_free_count(), TOTAL);
}

TEST(read_only_share_is_marked)
{
	void *v;

	setup();
	v = hyp_page_alloc_zeroed();
	page_share(v, d, false);
	CHECK(virt_to_page(v)->count & PAGE_F_NO_WRITE);
	CHECK_EQ(page_type_count(virt_to_page(v)), 1);
}

TEST(unshared_page_in_use_is_freed_by_its_last_user)
{
	struct page *pg;
	void *v;

	setup();
	v = hyp_page_alloc_zeroed();
	pg = virt_to_page(v);
	page_share(v, d, true);
	CHECK(page_get(pg, d));
	page_unshare_free(v);
	CHECK_EQ(frames_free_count(), TOTAL - 1);
	CHECK(!page_get(pg, d));
	page_put(pg);
	CHECK_EQ(frames_free_count(), TOTAL);
}

TEST(claim_sets_frames_aside)
{
	struct domain *other;

	setup();
	other = fake_domain(8, 1);
	other->mm.max_pages = ~0UL;
	d->mm.max_pages = FAKE_FRAMES;
	CHECK_EQ(frames_claim(d, TOTAL + 1), -ENOMEM);
	CHECK_EQ(frames_claim(d, TOTAL), 0);
	CHECK_EQ(frames_claim(d, TOTAL), -EINVAL); /* one at a time */
	CHECK(!domain_pages_alloc(other, 0, FRAMES_ANY));
	CHECK(!frames_alloc(0, FRAMES_ANY));
	CHECK(domain_pages_alloc(d, 4, FRAMES_ANY));
	CHECK_EQ(d->mm.claimed, TOTAL - 16);
	CHECK_EQ(frames_claim(other, 1), -ENOMEM);
	CHECK_EQ(frames_claim(d, 0), 0);
	CHECK_EQ(frame_allocator.claimed, 0);
	CHECK(domain_pages_alloc(other, 0, FRAMES_ANY));
}

TEST(claim_is_bounded_by_the_domain)
{
	setup();
	CHECK_EQ(frames_claim(d, 101), -EINVAL);
	CHECK(domain_pages_alloc(d, 1, FRAMES_ANY));
	CHECK_EQ(frames_claim(d, 2), -EINVAL);
	CHECK_EQ(frames_claim(d, 3), 0);
	CHECK_EQ(d->mm.claimed, 1);
	CHECK_EQ(frames_claim(d, 0), 0);
	d->is_dying = true;
	CHECK_EQ(frames_claim(d, 50), -EINVAL);
}
