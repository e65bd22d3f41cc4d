/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_memory_op: reservations, exchange, maps, claims and resources,
 * each with what a hostile guest may pass.
 *
 * Links: mm/memory_op.c mm/page_type.c mm/reservation.c mm/physmap.c hvm/p2m.c hvm/p2m_pool.c hvm/p2m_table.c mm/exchange.c mm/memory_map.c mm/resource.c mm/mm_domain.c mm/alloc.c mm/owned.c mm/page.c pv/walk.c pv/flush.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "boot/boot.h"
#include "fake.h"
#include "grant/grant.h"
#include "hypercall/hypercall.h"
#include "mm/alloc_state.h"
#include "mm/frame.h"
#include "mm/memory_op.h"
#include "mm/mm.h"
#include "hvm/fake_vendor.h"
#include "hvm/ioreq.h"
#include "lib/printk.h"
#include "pv/pagetable.h"

#define FIRST 16UL
#define TOTAL (FAKE_FRAMES - FIRST)

struct boot_info boot_info;

static struct domain *d0, *d;
static int tables_result;

int pv_domain_relinquish_tables(struct domain *dom)
{
	(void)dom;
	return tables_result;
}

/* No frame here becomes a page table. */
int pv_table_validate(struct domain *dom, struct page *pg, enum page_type type,
		      unsigned int *progress, bool preemptible)
{
	panic("a table of d%u: frame %lx, type %u", dom->id, page_to_mfn(pg).v, type);
}

int pv_table_undo(struct domain *dom, struct page *pg, enum page_type type,
		  unsigned int *progress, bool preemptible)
{
	panic("a table of d%u: frame %lx, type %u", dom->id, page_to_mfn(pg).v, type);
}

static unsigned int grant_asked;

int grant_shared_frame(struct domain *dom, unsigned int index, mfn_t *mfn)
{
	(void)dom;
	grant_asked++;
	*mfn = MFN(1000 + index);
	return index < 4 ? 0 : -EINVAL;
}

int grant_status_frame(struct domain *dom, unsigned int index, mfn_t *mfn)
{
	(void)dom;
	*mfn = MFN(2000 + index);
	return index < 1 ? 0 : -EINVAL;
}

int ioreq_server_frame(struct domain *dom, uint32_t id, uint64_t frame, mfn_t *mfn)
{
	CHECK_EQ(dom->type, DOMAIN_HVM);
	*mfn = MFN(3000 + 10 * id + frame);
	return id == 1 && frame < 2 ? 0 : -ENOENT;
}

uint64_t *m2p_piece(unsigned int piece)
{
	return piece == 1 ? NULL : (uint64_t *)(fake_ram + (3 + piece) * PAGE_SIZE);
}

unsigned int m2p_piece_count(void)
{
	return 3;
}

static void setup(void)
{
	memset(&frame_allocator, 0, sizeof(frame_allocator));
	frame_allocator.flush_begun = frame_allocator.flush_ended = 1;
	for (uint64_t n = 0; n < FAKE_FRAMES; n++)
		frame_table[n] = (struct page){.count = n ? PAGE_COUNT_UNOWNED : 0};
	frames_add(FIRST << PAGE_SHIFT, FAKE_FRAMES << PAGE_SHIFT);
	d0 = fake_dom0(1);
	d = fake_domain(5, 1);
	CHECK_EQ(mm_domain_init(d0), 0);
	CHECK_EQ(mm_domain_init(d), 0);
	d->mm.max_pages = 1000;
	fake_vcpu_run(d->vcpus[0], 0);
	tables_result = 0;
}

static long op(uint64_t cmd, void *arg)
{
	uint64_t args[5] = {cmd, (uintptr_t)arg};

	return hypercall_memory_op(args);
}

struct call {
	struct xen_memory_reservation *r;
	xen_pfn_t *list;
};

static struct call call(unsigned long nr, unsigned int order)
{
	struct call c = {fake_guest_alloc(sizeof(*c.r)), fake_guest_alloc(nr * sizeof(xen_pfn_t))};

	c.r->domid = DOMID_SELF;
	c.r->nr_extents = nr;
	c.r->extent_order = order;
	c.r->extent_start.p = c.list;
	return c;
}

TEST(populate_gives_frames_and_sets_the_m2p)
{
	struct call c;

	setup();
	c = call(3, 2);
	c.list[0] = 100;
	c.list[1] = 200;
	c.list[2] = 300;
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 3);
	CHECK_EQ(d->mm.tot_pages, 12);
	CHECK_EQ(fake_m2p[c.list[1]], 200);
	CHECK_EQ(fake_m2p[c.list[1] + 3], 203);
	CHECK(page_is_owned_by(mfn_to_page(MFN(c.list[2] + 3)), 5));
	CHECK_EQ(c.list[0] % 4, 0);
}

TEST(populate_stops_at_max_pages)
{
	struct call c;

	setup();
	d->mm.max_pages = 5;
	c = call(8, 0);
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 5);
	CHECK_EQ(d->mm.tot_pages, 5);
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 0);
}

TEST(populate_into_unwritable_memory_leaks_nothing)
{
	struct call c;

	setup();
	c = call(2, 0);
	/* the first frame number can still be read */
	fake_guest_fault_after = sizeof(*c.r) + sizeof(xen_pfn_t);
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 0);
	fake_guest_fault_after = -1;
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK_EQ(frames_free_count(), TOTAL);
}

static xen_pfn_t taken;

/* What another vCPU of d may do before the first is told of its frame; the frame is d0's next. */
static void give_up_and_reuse(uint64_t mfn)
{
	struct page *pg;

	CHECK(page_drop_allocation(&frame_table[mfn]));
	do {
		pg = domain_pages_alloc(d0, 0, FRAMES_ANY);
		CHECK(pg);
	} while (page_to_mfn(pg).v != mfn);
	taken = mfn;
}

static void (*m2p_hook)(uint64_t mfn);

void m2p_set(mfn_t mfn, uint64_t gfn)
{
	void (*hook)(uint64_t mfn) = m2p_hook;

	fake_m2p[mfn.v] = gfn;
	m2p_hook = NULL;
	if (hook)
		hook(mfn.v);
}

TEST(populate_undone_leaves_what_is_anothers_by_now)
{
	struct call c;

	setup();
	d0->mm.max_pages = FAKE_FRAMES;
	c = call(1, 0);
	fake_guest_fault_after = sizeof(*c.r) + sizeof(xen_pfn_t);
	m2p_hook = give_up_and_reuse;
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 0);
	fake_guest_fault_after = -1;
	CHECK(page_is_owned_by(&frame_table[taken], d0->id));
	CHECK(page_drop_allocation(&frame_table[taken]));
}

TEST(reservation_arguments_are_checked)
{
	struct call c;

	setup();
	CHECK_EQ(op(XENMEM_populate_physmap, NULL), -EFAULT);
	c = call(1, MEMOP_ORDER_MAX + 1);
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 0);
	CHECK_EQ(op(XENMEM_increase_reservation, c.r), 0);
	c = call(1, 0);
	c.r->nr_extents = ~0UL;
	CHECK_EQ(op(XENMEM_decrease_reservation, c.r), -EINVAL);
	c = call(1, 0);
	CHECK_EQ(op(XENMEM_populate_physmap | 2 << MEMOP_EXTENT_SHIFT, c.r), -EINVAL);
	c.r->domid = 0;
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), -EPERM);
	c.r->domid = 77;
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), -ESRCH);
	c.r->domid = DOMID_SELF;
	c.r->mem_flags = 12; /* below 4 KiB */
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), -EINVAL);
	c.r->mem_flags = XENMEMF_populate_on_demand;
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), -EINVAL);
	CHECK_EQ(d->mm.tot_pages, 0);
}

TEST(address_bits_are_kept)
{
	struct call c;

	setup();
	c = call(4, 0);
	c.r->mem_flags = XENMEMF_address_bits(20);
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 4);
	for (unsigned int i = 0; i < 4; i++)
		CHECK(c.list[i] < 256);
}

TEST(long_populate_continues_where_it_was)
{
	struct call c;

	setup();
	c = call(10, 0);
	fake_preempt_every = 4;
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), -ERESTART);
	CHECK(fake_continuation.set);
	CHECK_EQ(fake_continuation.op, __HYPERVISOR_memory_op);
	CHECK_EQ(fake_continuation.args[0], XENMEM_populate_physmap | 4 << MEMOP_EXTENT_SHIFT);
	CHECK_EQ(d->mm.tot_pages, 4);
	fake_preempt_every = 0;
	CHECK_EQ(op(fake_continuation.args[0], c.r), 10);
	CHECK_EQ(d->mm.tot_pages, 10);
}

TEST(increase_works_without_a_list)
{
	struct call c;

	setup();
	c = call(2, 1);
	c.r->extent_start.p = NULL;
	CHECK_EQ(op(XENMEM_increase_reservation, c.r), 2);
	CHECK_EQ(d->mm.tot_pages, 4);
}

TEST(decrease_gives_back_only_ones_own)
{
	struct page *other;
	struct call c;

	setup();
	c = call(2, 0);
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 2);
	d0->mm.max_pages = 10;
	other = domain_pages_alloc(d0, 0, FRAMES_ANY);
	c.list[1] = page_to_mfn(other).v;
	CHECK_EQ(op(XENMEM_decrease_reservation, c.r), 1);
	CHECK(page_is_owned_by(other, 0));
	CHECK_EQ(d->mm.tot_pages, 1);
	c.list[0] = 0;
	CHECK_EQ(op(XENMEM_decrease_reservation, c.r), 0);
	c.list[0] = ~0UL;
	CHECK_EQ(op(XENMEM_decrease_reservation, c.r), 0);
}

TEST(decrease_twice_is_refused_while_it_is_mapped)
{
	struct page *pg;
	struct call c;

	setup();
	c = call(1, 0);
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 1);
	pg = mfn_to_page(MFN(c.list[0]));
	CHECK(page_get(pg, d)); /* a mapping */
	CHECK_EQ(op(XENMEM_decrease_reservation, c.r), 1);
	CHECK_EQ(op(XENMEM_decrease_reservation, c.r), 0);
	CHECK_EQ(d->mm.tot_pages, 1);
	page_put(pg);
	CHECK_EQ(d->mm.tot_pages, 0);
}

/* --- exchange --- */

static struct xen_memory_exchange *exchange(unsigned long in_nr, unsigned int in_order,
					    unsigned long out_nr, unsigned int out_order)
{
	struct xen_memory_exchange *x = fake_guest_alloc(sizeof(*x));

	x->in.domid = x->out.domid = DOMID_SELF;
	x->in.nr_extents = in_nr;
	x->in.extent_order = in_order;
	x->in.extent_start.p = fake_guest_alloc(in_nr * sizeof(xen_pfn_t));
	x->out.nr_extents = out_nr;
	x->out.extent_order = out_order;
	x->out.extent_start.p = fake_guest_alloc(out_nr * sizeof(xen_pfn_t));
	return x;
}

/* Eight frames of d, not in a row. */
static void own_eight(xen_pfn_t *list)
{
	for (unsigned int i = 0; i < 8; i++) {
		struct page *pg = domain_pages_alloc(d, 0, FRAMES_ANY);

		CHECK(pg && frames_alloc(0, FRAMES_ANY));
		list[i] = page_to_mfn(pg).v;
		m2p_set(MFN(list[i]), 500 + i);
	}
}

TEST(exchange_makes_frames_contiguous)
{
	struct xen_memory_exchange *x;
	xen_pfn_t old;

	setup();
	x = exchange(8, 0, 1, 3);
	own_eight(x->in.extent_start.p);
	old = x->in.extent_start.p[3];
	x->out.extent_start.p[0] = 500;
	x->out.mem_flags = XENMEMF_address_bits(22);
	CHECK_EQ(op(XENMEM_exchange, x), 0);
	CHECK_EQ(x->nr_exchanged, 8);
	CHECK_EQ(d->mm.tot_pages, 8);
	CHECK_EQ(x->out.extent_start.p[0] % 8, 0);
	CHECK(x->out.extent_start.p[0] + 8 <= 1024);
	for (unsigned int i = 0; i < 8; i++) {
		CHECK_EQ(fake_m2p[x->out.extent_start.p[0] + i], 500 + i);
		CHECK(page_is_owned_by(&frame_table[x->out.extent_start.p[0] + i], 5));
	}
	CHECK(!page_is_owned_by(&frame_table[old], 5));
	CHECK_EQ(fake_m2p[old], M2P_INVALID);
}

TEST(exchange_splits_too)
{
	struct xen_memory_exchange *x;
	struct page *pg;

	setup();
	x = exchange(2, 2, 8, 0);
	for (unsigned int i = 0; i < 2; i++) {
		pg = domain_pages_alloc(d, 2, FRAMES_ANY);
		x->in.extent_start.p[i] = page_to_mfn(pg).v;
	}
	CHECK_EQ(op(XENMEM_exchange, x), 0);
	CHECK_EQ(x->nr_exchanged, 2);
	CHECK_EQ(d->mm.tot_pages, 8);
}

TEST(exchange_with_a_foreign_frame_leaves_the_chunk_alone)
{
	struct xen_memory_exchange *x;

	setup();
	x = exchange(8, 0, 1, 3);
	own_eight(x->in.extent_start.p);
	x->in.extent_start.p[7] = FIRST;
	fake_tlb_flushes[0] = 0;
	CHECK_EQ(op(XENMEM_exchange, x), -EINVAL);
	/* the seven come back as frames of no type: nothing may still map them as what they were */
	CHECK(fake_tlb_flushes[0]);
	CHECK_EQ(x->nr_exchanged, 0);
	CHECK_EQ(d->mm.tot_pages, 8);
	for (unsigned int i = 0; i < 7; i++) {
		CHECK(page_is_owned_by(&frame_table[x->in.extent_start.p[i]], 5));
		CHECK_EQ(fake_m2p[x->in.extent_start.p[i]], 500 + i);
	}
	CHECK_EQ(frames_free_count(), TOTAL - 16);
}

TEST(exchange_of_the_same_frame_twice_is_refused)
{
	struct xen_memory_exchange *x;

	setup();
	x = exchange(8, 0, 1, 3);
	own_eight(x->in.extent_start.p);
	x->in.extent_start.p[7] = x->in.extent_start.p[0];
	CHECK_EQ(op(XENMEM_exchange, x), -EINVAL);
	CHECK_EQ(d->mm.tot_pages, 8);
}

TEST(exchange_of_a_mapped_frame_is_refused)
{
	struct xen_memory_exchange *x;

	setup();
	x = exchange(8, 0, 1, 3);
	own_eight(x->in.extent_start.p);
	CHECK(page_get(&frame_table[x->in.extent_start.p[4]], d));
	CHECK_EQ(op(XENMEM_exchange, x), -EINVAL);
	CHECK_EQ(d->mm.tot_pages, 8);
}

TEST(exchange_without_memory_changes_nothing)
{
	struct xen_memory_exchange *x;

	setup();
	x = exchange(8, 0, 1, 3);
	own_eight(x->in.extent_start.p);
	x->out.mem_flags = XENMEMF_address_bits(15); /* 32 KiB: none there */
	CHECK_EQ(op(XENMEM_exchange, x), -ENOMEM);
	CHECK_EQ(d->mm.tot_pages, 8);
	CHECK_EQ(x->nr_exchanged, 0);
}

TEST(exchange_arguments_are_checked)
{
	struct xen_memory_exchange *x;

	setup();
	x = exchange(8, 0, 1, 3);
	x->out.domid = 0;
	CHECK_EQ(op(XENMEM_exchange, x), -EINVAL);
	x = exchange(8, 0, 2, 3);
	CHECK_EQ(op(XENMEM_exchange, x), -EINVAL);
	x = exchange(8, 0, 1, 3);
	x->nr_exchanged = 9;
	CHECK_EQ(op(XENMEM_exchange, x), -EINVAL);
	x = exchange(1, 10, 1, 10);
	CHECK_EQ(op(XENMEM_exchange, x), -EINVAL);
	x = exchange(1, 0, 1, 0);
	x->in.nr_extents = x->out.nr_extents = 1UL << 62; /* would overflow when multiplied */
	CHECK_EQ(op(XENMEM_exchange, x), -EINVAL);
	x = exchange(1, 0, 1, 0);
	x->in.domid = x->out.domid = 0;
	CHECK_EQ(op(XENMEM_exchange, x), -EPERM);
	CHECK_EQ(op(XENMEM_exchange, NULL), -EFAULT);
}

TEST(long_exchange_continues)
{
	struct xen_memory_exchange *x;

	setup();
	x = exchange(8, 0, 8, 0);
	own_eight(x->in.extent_start.p);
	fake_preempt_every = 3;
	CHECK_EQ(op(XENMEM_exchange, x), -ERESTART);
	CHECK_EQ(x->nr_exchanged, 3);
	fake_preempt_every = 0;
	CHECK_EQ(op(XENMEM_exchange, x), 0);
	CHECK_EQ(x->nr_exchanged, 8);
	CHECK_EQ(d->mm.tot_pages, 8);
}

/* --- questions, maps, claims, resources --- */

TEST(numbers_are_told_to_who_may_know)
{
	struct xen_memory_domain *q;

	setup();
	q = fake_guest_alloc(sizeof(*q));
	q->domid = DOMID_SELF;
	CHECK(domain_pages_alloc(d, 1, FRAMES_ANY));
	CHECK_EQ(op(XENMEM_current_reservation, q), 2);
	CHECK_EQ(op(XENMEM_maximum_reservation, q), 1000);
	d->mm.max_pages = ~0UL;
	CHECK_EQ(op(XENMEM_maximum_reservation, q), INT64_MAX);
	q->domid = 0;
	CHECK_EQ(op(XENMEM_current_reservation, q), -EPERM);
	CHECK_EQ(op(XENMEM_maximum_ram_page, NULL), FAKE_FRAMES - 1);
	CHECK_EQ(op(XENMEM_get_sharing_freed_pages, NULL), 0);
	CHECK_EQ(op(40, NULL), -ENOSYS);
}

TEST(a_domain_sees_the_map_it_was_given)
{
	struct xen_foreign_memory_map *f;
	struct xen_memory_map *m;
	unsigned char *e;

	setup();
	f = fake_guest_alloc(sizeof(*f));
	m = fake_guest_alloc(sizeof(*m));
	e = fake_guest_alloc(2 * 20);
	m->nr_entries = 2;
	m->buffer.p = fake_guest_alloc(2 * 20);
	CHECK_EQ(op(XENMEM_memory_map, m), -ENOSYS);

	memset(e, 0x5a, 40);
	f->domid = 5;
	f->map.nr_entries = 2;
	f->map.buffer.p = e;
	CHECK_EQ(op(XENMEM_set_memory_map, f), -EPERM);
	fake_vcpu_run(d0->vcpus[0], 1);
	f->map.nr_entries = 129;
	CHECK_EQ(op(XENMEM_set_memory_map, f), -EINVAL);
	f->map.nr_entries = 2;
	f->domid = 99;
	CHECK_EQ(op(XENMEM_set_memory_map, f), -ESRCH);
	f->domid = 5;
	CHECK_EQ(op(XENMEM_set_memory_map, f), 0);
	CHECK_EQ(op(XENMEM_set_memory_map, f), 0);
	fake_cpu_set(0);
	m->nr_entries = 2;
	CHECK_EQ(op(XENMEM_memory_map, m), 0);
	CHECK_EQ(m->nr_entries, 2);
	CHECK(!memcmp(m->buffer.p, e, 40));
	m->nr_entries = 1;
	CHECK_EQ(op(XENMEM_memory_map, m), 0);
	CHECK_EQ(m->nr_entries, 1);
	CHECK_EQ(mm_domain_relinquish(d), 0);
	CHECK_EQ(fake_heap_objects, 0);
}

TEST(machine_map_is_dom0s)
{
	struct xen_memory_map *m;
	uint64_t start;

	setup();
	boot_info.nr_regions = 2;
	boot_info.regions[1] = (struct boot_region){0x100000, 0x7000, 1};
	m = fake_guest_alloc(sizeof(*m));
	CHECK_EQ(op(XENMEM_machine_memory_map, m), -EPERM);
	fake_vcpu_run(d0->vcpus[0], 1);
	CHECK_EQ(op(XENMEM_machine_memory_map, m), 0);
	CHECK_EQ(m->nr_entries, 2);
	m->buffer.p = fake_guest_alloc(40);
	m->nr_entries = 1;
	CHECK_EQ(op(XENMEM_machine_memory_map, m), -EINVAL);
	m->nr_entries = 2;
	CHECK_EQ(op(XENMEM_machine_memory_map, m), 0);
	memcpy(&start, (char *)m->buffer.p + 20, sizeof(start));
	CHECK_EQ(start, 0x100000);
}

TEST(m2p_is_told_with_its_holes)
{
	struct xen_machphys_mfn_list *l;
	struct xen_machphys_mapping *mp;

	setup();
	l = fake_guest_alloc(sizeof(*l));
	l->max_extents = 8;
	l->extent_start.p = fake_guest_alloc(8 * sizeof(xen_pfn_t));
	CHECK_EQ(op(XENMEM_machphys_mfn_list, l), 0);
	CHECK_EQ(l->nr_extents, 3);
	CHECK_EQ(l->extent_start.p[0], 3);
	CHECK_EQ(l->extent_start.p[1], 0);
	CHECK_EQ(l->extent_start.p[2], 5);
	mp = fake_guest_alloc(sizeof(*mp));
	CHECK_EQ(op(XENMEM_machphys_mapping, mp), 0);
	CHECK_EQ(mp->v_start, M2P_START);
	CHECK_EQ(mp->max_mfn, FAKE_FRAMES - 1);
}

TEST(claims_are_dom0s)
{
	struct call c;

	setup();
	c = call(100, 0);
	c.r->extent_start.p = NULL;
	c.r->domid = 5;
	CHECK_EQ(op(XENMEM_claim_pages, c.r), -EPERM);
	fake_vcpu_run(d0->vcpus[0], 1);
	c.r->extent_order = 1;
	CHECK_EQ(op(XENMEM_claim_pages, c.r), -EINVAL);
	c.r->extent_order = 0;
	CHECK_EQ(op(XENMEM_claim_pages, c.r), 0);
	CHECK_EQ(d->mm.claimed, 100);
	CHECK_EQ(mm_domain_relinquish(d), 0);
	CHECK_EQ(frame_allocator.claimed, 0);
	c.r->domid = 99;
	CHECK_EQ(op(XENMEM_claim_pages, c.r), -ESRCH);
}

TEST(grant_frames_are_a_resource_for_tools)
{
	struct xen_mem_acquire_resource *r;

	setup();
	r = fake_guest_alloc(sizeof(*r));
	r->domid = 5;
	r->type = XENMEM_resource_grant_table;
	r->nr_frames = 2;
	r->frame = 1;
	r->frame_list.p = fake_guest_alloc(2 * sizeof(xen_pfn_t));
	CHECK_EQ(op(XENMEM_acquire_resource, r), -EPERM); /* itself */
	fake_vcpu_run(d0->vcpus[0], 1);
	CHECK_EQ(op(XENMEM_acquire_resource, r), 0);
	CHECK_EQ(r->frame_list.p[1], 1002);
	r->frame = 3;
	CHECK_EQ(op(XENMEM_acquire_resource, r), -EINVAL);
	r->frame = ~0UL;
	CHECK_EQ(op(XENMEM_acquire_resource, r), -EINVAL);
	r->frame = 0;
	r->id = 2;
	CHECK_EQ(op(XENMEM_acquire_resource, r), -EINVAL);
	r->id = XENMEM_resource_grant_table_id_status;
	r->nr_frames = 1;
	CHECK_EQ(op(XENMEM_acquire_resource, r), 0);
	CHECK_EQ(r->frame_list.p[0], 2000);
	r->pad = 1;
	CHECK_EQ(op(XENMEM_acquire_resource, r), -EINVAL);
	r->pad = 0;
	r->type = 7;
	CHECK_EQ(op(XENMEM_acquire_resource, r), -EOPNOTSUPP);
	r->type = XENMEM_resource_grant_table;
	fake_vcpu_run(d->vcpus[0], 0);
	r->domid = 0;
	CHECK_EQ(op(XENMEM_acquire_resource, r), -EPERM);
}

/* --- the end --- */

TEST(relinquish_is_preemptible_and_complete)
{
	int ret, calls = 0;

	setup();
	for (unsigned int i = 0; i < 300; i++)
		CHECK(domain_pages_alloc(d, 0, FRAMES_ANY));
	d->is_dying = true;
	fake_preempt_every = 1;
	do {
		ret = mm_domain_relinquish(d);
		calls++;
	} while (ret == -ERESTART);
	CHECK_EQ(ret, 0);
	CHECK(calls >= 4);
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK_EQ(frames_free_count(), TOTAL);
}

TEST(relinquish_leaves_foreign_mappings_to_their_end)
{
	struct page *pg[3];

	setup();
	for (unsigned int i = 0; i < 3; i++)
		pg[i] = domain_pages_alloc(d, 0, FRAMES_ANY);
	CHECK(page_get(pg[1], d));
	d->is_dying = true;
	CHECK_EQ(mm_domain_relinquish(d), 0);
	CHECK_EQ(d->mm.tot_pages, 1);
	CHECK_EQ(d->references, 2);
	page_put(pg[1]);
	CHECK_EQ(d->mm.tot_pages, 0);
	CHECK_EQ(d->references, 1);
}

TEST(relinquish_waits_for_the_types)
{
	setup();
	CHECK(domain_pages_alloc(d, 0, FRAMES_ANY));
	tables_result = -ERESTART;
	CHECK_EQ(mm_domain_relinquish(d), -ERESTART);
	CHECK_EQ(d->mm.tot_pages, 1);
}

/* --- translated domains --- */

static struct domain *h; /* HVM, 1 vCPU */

static void setup_hvm(void)
{
	setup();
	h = fake_hvm_domain(6, 1);
	CHECK_EQ(mm_domain_init(h), 0);
	h->mm.max_pages = 1100;
	CHECK_EQ(p2m_init(h), 0);
	fake_vcpu_run(h->vcpus[0], 0);
}

static void end_hvm(void)
{
	h->is_dying = true;
	CHECK_EQ(p2m_relinquish(h), 0);
	CHECK_EQ(mm_domain_relinquish(h), 0);
	CHECK_EQ(h->mm.tot_pages, 0);
	CHECK_EQ(frames_free_count(), TOTAL);
	fake_hvm_free(h);
}

static enum p2m_type type_at(uint64_t gfn)
{
	enum p2m_type type;

	(void)p2m_lookup(h, GFN(gfn), &type);
	return type;
}

static long populate(unsigned int cmd, uint64_t gfn, unsigned int order)
{
	struct call c = call(1, order);
	long ret;

	c.list[0] = gfn;
	ret = op(cmd, c.r);
	CHECK_EQ(c.list[0], gfn); /* no machine frame is told */
	return ret;
}

TEST(hvm_populates_and_gives_back)
{
	enum p2m_type type;
	mfn_t mfn;

	setup_hvm();
	CHECK_EQ(populate(XENMEM_populate_physmap, 512, 9), 1);
	CHECK_EQ(populate(XENMEM_populate_physmap, 8, 3), 1);
	CHECK_EQ(h->mm.tot_pages, 520);
	CHECK_EQ(type_at(512), P2M_RAM);
	mfn = p2m_lookup(h, GFN(13), &type);
	CHECK_EQ(fake_m2p[mfn.v], 13);
	CHECK_EQ(type_at(7), P2M_NONE);
	CHECK_EQ(type_at(16), P2M_NONE);
	/* a part of a large entry, then more than is there */
	CHECK_EQ(populate(XENMEM_decrease_reservation, 600, 2), 1);
	CHECK_EQ(type_at(600), P2M_NONE);
	CHECK_EQ(type_at(604), P2M_RAM);
	CHECK_EQ(h->mm.tot_pages, 516);
	CHECK_EQ(populate(XENMEM_decrease_reservation, 512, 9), 0);
	CHECK_EQ(h->mm.tot_pages, 516);
	CHECK_EQ(populate(XENMEM_decrease_reservation, 600, 0), 0);
	CHECK_EQ(populate(XENMEM_decrease_reservation, 8, 3), 1);
	CHECK_EQ(h->mm.tot_pages, 508);
	end_hvm();
}

static unsigned int maps_invalidated;

void hvm_io_invalidate_maps(struct vcpu *v)
{
	CHECK(v == current);
	maps_invalidated++;
}

/* A device model is told to drop what it has mapped when its guest gives memory up. */
TEST(hvm_device_models_hear_of_memory_that_goes)
{
	setup_hvm();
	maps_invalidated = 0;
	CHECK_EQ(populate(XENMEM_populate_physmap, 8, 0), 1);
	CHECK_EQ(populate(XENMEM_decrease_reservation, 8, 0), 1);
	CHECK_EQ(maps_invalidated, 0); /* it has none */
	h->hvm->has_device_model = true;
	CHECK_EQ(populate(XENMEM_populate_physmap, 8, 0), 1);
	CHECK_EQ(maps_invalidated, 0);
	CHECK_EQ(populate(XENMEM_decrease_reservation, 8, 0), 1);
	CHECK_EQ(maps_invalidated, 1);
	end_hvm();
}

TEST(hvm_reservations_are_checked)
{
	struct xen_memory_domain *q = fake_guest_alloc(sizeof(*q));

	setup_hvm();
	q = fake_guest_alloc(sizeof(*q));
	q->domid = DOMID_SELF;
	CHECK_EQ(populate(XENMEM_populate_physmap, 513, 9), 0);
	CHECK_EQ(populate(XENMEM_populate_physmap, 9, 1), 0);
	CHECK_EQ(populate(XENMEM_populate_physmap, 1UL << 36, 0), 0);
	CHECK_EQ(populate(XENMEM_populate_physmap, ~0UL, 0), 0);
	CHECK_EQ(populate(XENMEM_increase_reservation, 5, 0), 0);
	CHECK_EQ(h->mm.tot_pages, 0);
	CHECK_EQ(populate(XENMEM_populate_physmap, 512, 9), 1);
	CHECK_EQ(populate(XENMEM_decrease_reservation, 513, 2), 0);
	CHECK_EQ(populate(XENMEM_decrease_reservation, ~0UL, 0), 0);
	CHECK_EQ(h->mm.tot_pages, 512);
	CHECK_EQ(populate(XENMEM_populate_physmap, 1024, 9), 1);
	CHECK_EQ(populate(XENMEM_populate_physmap, 2048, 9), 0); /* above max_pages */
	CHECK_EQ(type_at(2048), P2M_NONE);
	CHECK_EQ(op(XENMEM_maximum_gpfn, q), 1535);
	end_hvm();
}

TEST(hvm_populate_without_room_for_tables_leaves_nothing)
{
	uint64_t gfn = 0;

	setup_hvm();
	h->mm.max_pages = ~0UL;
	CHECK_EQ(p2m_pool_set(h, 4), 0); /* a root, and one way down */
	CHECK_EQ(populate(XENMEM_populate_physmap, 1, 0), 1);
	for (gfn = 1UL << 18; gfn < 1UL << 20; gfn += 1UL << 18)
		CHECK_EQ(populate(XENMEM_populate_physmap, gfn, 3), 0);
	CHECK_EQ(h->mm.tot_pages, 1);
	end_hvm();
}

TEST(hvm_may_not_ask_for_machine_frames)
{
	setup_hvm();
	CHECK_EQ(op(XENMEM_machphys_mfn_list, fake_guest_alloc(64)), -ENOSYS);
	CHECK_EQ(op(XENMEM_machine_memory_map, fake_guest_alloc(64)), -ENOSYS);
	CHECK_EQ(op(XENMEM_machphys_mapping, fake_guest_alloc(64)), -ENOSYS);
	CHECK_EQ(op(XENMEM_exchange, fake_guest_alloc(128)), -ENOSYS);
	end_hvm();
}

static long add(domid_t id, unsigned int space, uint64_t idx, uint64_t gfn, unsigned int size)
{
	struct xen_add_to_physmap *x = fake_guest_alloc(sizeof(*x));

	*x = (struct xen_add_to_physmap){id, size, space, idx, gfn};
	return op(XENMEM_add_to_physmap, x);
}

static long remove_at(domid_t id, uint64_t gfn)
{
	struct xen_remove_from_physmap *x = fake_guest_alloc(sizeof(*x));

	*x = (struct xen_remove_from_physmap){id, gfn};
	return op(XENMEM_remove_from_physmap, x);
}

TEST(physmap_shows_hypervisor_pages)
{
	struct page *pg;

	setup_hvm();
	h->shared_info = hyp_page_alloc_zeroed();
	page_share(h->shared_info, h, true);
	pg = virt_to_page(h->shared_info);
	CHECK_EQ(populate(XENMEM_populate_physmap, 100, 0), 1);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 100, 0), 0);
	CHECK_EQ(type_at(100), P2M_SHARED);
	/* the RAM that was there is not lost to everybody */
	CHECK_EQ(h->mm.tot_pages, 0);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 2);
	CHECK_EQ(page_type_count(pg), 2);
	/* it moves, or is in two places: each holds it */
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 100, 0), 0);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 2);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_shared_info, 1, 101, 0), -EINVAL);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 1UL << 36, 0), -EINVAL);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 2);
	CHECK_EQ(populate(XENMEM_decrease_reservation, 100, 0), 0); /* not its to give up */
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_gmfn, 100, 101, 0), -EINVAL); /* nor to move */
	CHECK_EQ(type_at(100), P2M_SHARED);
	CHECK_EQ(type_at(101), P2M_NONE);
	CHECK_EQ(remove_at(DOMID_SELF, 100), 0);
	CHECK_EQ(remove_at(DOMID_SELF, 100), -ENOENT);
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 1);
	CHECK_EQ(page_type_count(pg), 1);
	CHECK_EQ(page_unshare(h->shared_info), 0);
	hyp_pages_free(h->shared_info, 0);
	end_hvm();
}

TEST(physmap_arguments_are_checked)
{
	setup_hvm();
	CHECK_EQ(op(XENMEM_add_to_physmap, NULL), -EFAULT);
	CHECK_EQ(op(XENMEM_remove_from_physmap, NULL), -EFAULT);
	CHECK_EQ(add(5, XENMAPSPACE_shared_info, 0, 1, 0), -EPERM);
	CHECK_EQ(add(77, XENMAPSPACE_shared_info, 0, 1, 0), -ESRCH);
	CHECK_EQ(remove_at(5, 1), -EPERM);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_gmfn_foreign, 0, 1, 0), -EOPNOTSUPP);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_dev_mmio, 0, 1, 0), -EOPNOTSUPP);
	CHECK_EQ(add(DOMID_SELF, 99, 0, 1, 0), -EOPNOTSUPP);
	grant_asked = 0;
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_grant_table, 1UL << 32, 1, 0), -EINVAL);
	CHECK_EQ(grant_asked, 0);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_grant_table, 4, 1, 0), -EINVAL);
	/* frame 1000 of the fake table is nobody's, that is, not h's */
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_grant_table, 0, 1, 0), -EINVAL);
	CHECK_EQ(type_at(1), P2M_NONE);
	fake_vcpu_run(d->vcpus[0], 0);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_shared_info, 0, 1, 0), -EACCES);
	CHECK_EQ(remove_at(DOMID_SELF, 1), -EACCES);
	CHECK_EQ(h->references, 1);
	fake_vcpu_run(h->vcpus[0], 0);
	end_hvm();
}

TEST(physmap_moves_ram)
{
	enum p2m_type type;
	mfn_t a, b;

	setup_hvm();
	CHECK_EQ(populate(XENMEM_populate_physmap, 512, 9), 1);
	CHECK_EQ(populate(XENMEM_populate_physmap, 3, 0), 1);
	a = p2m_lookup(h, GFN(600), &type);
	b = p2m_lookup(h, GFN(3), &type);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_gmfn, 600, 3, 0), 0);
	CHECK(mfn_equal(p2m_lookup(h, GFN(3), &type), a));
	CHECK_EQ(fake_m2p[a.v], 3);
	CHECK_EQ(type_at(600), P2M_NONE);
	CHECK(!page_is_owned_by(mfn_to_page(b), 6));
	CHECK_EQ(h->mm.tot_pages, 512);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_gmfn, 600, 4, 0), -EINVAL);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_gmfn, ~0UL, 4, 0), -EINVAL);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_gmfn, 3, 3, 0), 0);
	CHECK(mfn_equal(p2m_lookup(h, GFN(3), &type), a));
	/* where nothing can be it goes back to where it was */
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_gmfn, 3, 1UL << 40, 0), -EINVAL);
	CHECK(mfn_equal(p2m_lookup(h, GFN(3), &type), a));
	CHECK_EQ(h->mm.tot_pages, 512);
	end_hvm();
}

TEST(physmap_moves_nothing_without_room_for_tables)
{
	setup_hvm();
	CHECK_EQ(populate(XENMEM_populate_physmap, 512, 9), 1);
	CHECK_EQ(p2m_pool_set(h, 3), 0);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_gmfn, 600, 1024, 0), -ENOMEM);
	CHECK_EQ(add(DOMID_SELF, XENMAPSPACE_gmfn, 600, 601, 0), -ENOMEM);
	CHECK_EQ(type_at(1024), P2M_NONE);
	CHECK_EQ(type_at(601), P2M_RAM);
	CHECK_EQ(h->mm.tot_pages, 512);
	end_hvm();
}

TEST(physmap_range_gives_way_and_goes_on)
{
	struct xen_add_to_physmap *x;

	setup_hvm();
	x = fake_guest_alloc(sizeof(*x));
	CHECK_EQ(populate(XENMEM_populate_physmap, 512, 9), 1);
	*x = (struct xen_add_to_physmap){DOMID_SELF, 10, XENMAPSPACE_gmfn_range, 512, 2000};
	fake_preempt_every = 4;
	CHECK_EQ(op(XENMEM_add_to_physmap, x), -ERESTART);
	CHECK_EQ(fake_continuation.args[1], (uintptr_t)x);
	CHECK_EQ(x->size, 6);
	CHECK_EQ(x->idx, 516);
	CHECK_EQ(x->gpfn, 2004);
	fake_preempt_every = 0;
	CHECK_EQ(op(XENMEM_add_to_physmap, x), 0);
	for (unsigned int i = 0; i < 10; i++) {
		CHECK_EQ(type_at(512 + i), P2M_NONE);
		CHECK_EQ(type_at(2000 + i), P2M_RAM);
	}
	/* what is not there ends it */
	*x = (struct xen_add_to_physmap){DOMID_SELF, 2, XENMAPSPACE_gmfn_range, 2009, 3000};
	CHECK_EQ(op(XENMEM_add_to_physmap, x), -EINVAL);
	CHECK_EQ(type_at(3000), P2M_RAM);
	end_hvm();
}

TEST(physmap_batch_tells_each_error)
{
	struct xen_add_to_physmap_batch *b;
	xen_ulong_t *idxs;
	xen_pfn_t *gfns;
	int *errs;

	setup_hvm();
	b = fake_guest_alloc(sizeof(*b));
	idxs = fake_guest_alloc(3 * sizeof(*idxs));
	gfns = fake_guest_alloc(3 * sizeof(*gfns));
	errs = fake_guest_alloc(3 * sizeof(*errs));
	CHECK_EQ(populate(XENMEM_populate_physmap, 8, 2), 1);
	*b = (struct xen_add_to_physmap_batch){.domid = DOMID_SELF,
					       .space = XENMAPSPACE_gmfn,
					       .size = 3,
					       .idxs.p = idxs,
					       .gpfns.p = gfns,
					       .errs.p = errs};
	for (unsigned int i = 0; i < 3; i++) {
		idxs[i] = i == 1 ? 700 : 8 + i;
		gfns[i] = 50 + i;
		errs[i] = 7;
	}
	fake_preempt_every = 1;
	CHECK_EQ(op(XENMEM_add_to_physmap_batch, b), -ERESTART);
	CHECK_EQ(fake_continuation.args[0],
		 XENMEM_add_to_physmap_batch | 1 << MEMOP_EXTENT_SHIFT);
	fake_preempt_every = 0;
	CHECK_EQ(op(fake_continuation.args[0], b), 0);
	CHECK_EQ(errs[0], 0);
	CHECK_EQ(errs[1], -EINVAL);
	CHECK_EQ(errs[2], 0);
	CHECK_EQ(type_at(50), P2M_RAM);
	CHECK_EQ(type_at(52), P2M_RAM);
	CHECK_EQ(op(XENMEM_add_to_physmap_batch | 4 << MEMOP_EXTENT_SHIFT, b), -EINVAL);
	b->u.res0 = 1;
	CHECK_EQ(op(XENMEM_add_to_physmap_batch, b), -EINVAL);
	b->u.res0 = 0;
	b->space = XENMAPSPACE_gmfn_range;
	CHECK_EQ(op(XENMEM_add_to_physmap_batch, b), -EINVAL);
	b->space = XENMAPSPACE_gmfn;
	b->domid = 5;
	CHECK_EQ(op(XENMEM_add_to_physmap_batch, b), -EPERM);
	b->domid = DOMID_SELF;
	b->errs.p = NULL;
	CHECK_EQ(op(XENMEM_add_to_physmap_batch, b), -EFAULT);
	CHECK_EQ(op(XENMEM_add_to_physmap_batch, NULL), -EFAULT);
	end_hvm();
}

TEST(request_pages_are_a_resource_for_tools)
{
	struct xen_mem_acquire_resource *r;

	setup_hvm();
	r = fake_guest_alloc(sizeof(*r));
	*r = (struct xen_mem_acquire_resource){.domid = 6,
					       .type = XENMEM_resource_ioreq_server,
					       .id = 1,
					       .nr_frames = 2,
					       .frame_list.p = fake_guest_alloc(16)};
	CHECK_EQ(op(XENMEM_acquire_resource, r), -EPERM);
	fake_vcpu_run(d0->vcpus[0], 0);
	CHECK_EQ(op(XENMEM_acquire_resource, r), 0);
	CHECK_EQ(r->frame_list.p[1], 3011);
	r->id = 2;
	CHECK_EQ(op(XENMEM_acquire_resource, r), -ENOENT);
	r->domid = 5;
	r->id = 1;
	CHECK_EQ(op(XENMEM_acquire_resource, r), -EINVAL);
	end_hvm();
}

TEST(a_dying_translated_domain_gets_nothing)
{
	struct call c;

	setup_hvm();
	CHECK_EQ(populate(XENMEM_populate_physmap, 1, 0), 1);
	fake_vcpu_run(d0->vcpus[0], 0);
	h->is_dying = true;
	c = call(1, 0);
	c.r->domid = 6;
	c.list[0] = 2;
	CHECK_EQ(op(XENMEM_populate_physmap, c.r), 0);
	CHECK_EQ(add(6, XENMAPSPACE_gmfn, 1, 9, 0), -EINVAL);
	CHECK_EQ(h->mm.tot_pages, 1);
	end_hvm();
}
