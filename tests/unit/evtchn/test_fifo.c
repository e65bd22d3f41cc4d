/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FIFO ABI: a guest played by consume() takes events as Linux does, and
 * hostile ones write what they like into words, links and heads.
 *
 * Links: evtchn/port.c evtchn/send.c evtchn/ops.c evtchn/two_level.c evtchn/fifo.c lib/bits.c
 */
#include "fixture.h"

#define PENDING (1U << EVTCHN_FIFO_PENDING)
#define MASKED	(1U << EVTCHN_FIFO_MASKED)
#define LINKED	(1U << EVTCHN_FIFO_LINKED)
#define BUSY	(1U << EVTCHN_FIFO_BUSY)
#define DEFAULT EVTCHN_FIFO_PRIORITY_DEFAULT

static struct page *control_page, *array_page;
static uint32_t *words; /* u2's event array */

static long init_control(uint64_t gfn, uint32_t offset, uint32_t vcpu)
{
	struct evtchn_init_control arg = {.control_gfn = gfn, .offset = offset, .vcpu = vcpu};
	long rc = op(EVTCHNOP_init_control, &arg);

	if (!rc)
		CHECK_EQ(arg.link_bits, 17);
	return rc;
}

static long expand(uint64_t gfn)
{
	struct evtchn_expand_array arg = {gfn};

	return op(EVTCHNOP_expand_array, &arg);
}

static long set_priority(port_t port, uint32_t priority)
{
	struct evtchn_set_priority arg = {port, priority};

	return op(EVTCHNOP_set_priority, &arg);
}

static struct evtchn_fifo_control_block *control(unsigned int vcpu)
{
	return (void *)((char *)page_to_virt(control_page) + vcpu * 128);
}

/* u2 uses FIFO, both vCPUs, one page of events. */
static void fifo_begin(void)
{
	fixture_begin();
	control_page = fake_frame_alloc(u2);
	array_page = fake_frame_alloc(u2);
	words = page_to_virt(array_page);
	run(u2, 0);
	CHECK_EQ(init_control(page_to_mfn(control_page).v, 0, 0), 0);
	CHECK_EQ(init_control(page_to_mfn(control_page).v, 128, 1), 0);
	CHECK_EQ(expand(page_to_mfn(array_page).v), 0);
}

static void fifo_end(void)
{
	fixture_end();
	CHECK_EQ(page_type_count(control_page), 0);
	CHECK_EQ(page_type_count(array_page), 0);
	CHECK_EQ(control_page->count & PAGE_COUNT_MASK, 1);
	CHECK_EQ(array_page->count & PAGE_COUNT_MASK, 1);
}

/* An IPI port: the simplest sender. */
static port_t ipi(unsigned int vcpu)
{
	long port = do_bind_ipi(vcpu);

	CHECK(port > 0);
	return (port_t)port;
}

/* As a guest does on an upcall: all events of the vCPU into out, by priority; how many. */
static unsigned int consume(unsigned int vcpu, port_t *out, unsigned int max)
{
	struct evtchn_fifo_control_block *cb = control(vcpu);
	static port_t head[2][EVTCHN_FIFO_MAX_QUEUES];
	unsigned int n = 0;

	u2->vcpus[vcpu]->info->evtchn_upcall_pending = 0;
	for (unsigned int q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++) {
		port_t port = head[vcpu][q];

		if (!(cb->ready & 1U << q))
			continue;
		cb->ready &= ~(1U << q);
		for (port = cb->head[q]; port && n < max;) {
			port_t next = words[port] & EVTCHN_FIFO_LINK_MASK;

			words[port] &= ~(LINKED | EVTCHN_FIFO_LINK_MASK);
			if (words[port] & PENDING && !(words[port] & MASKED)) {
				words[port] &= ~PENDING;
				out[n++] = port;
			}
			port = next;
		}
	}
	return n;
}

TEST(fifo_init_control_refusals)
{
	struct page *pg, *foreign, *table;

	fixture_begin();
	run(u2, 0);
	pg = fake_frame_alloc(u2);
	foreign = fake_frame_alloc(u1);
	table = fake_frame_alloc(u2);
	table->type = (uint64_t)PAGE_L1 << PAGE_TYPE_SHIFT | 1;
	CHECK_EQ(init_control(page_to_mfn(pg).v, 0, 2), -ENOENT);
	CHECK_EQ(init_control(page_to_mfn(pg).v, 4, 0), -EINVAL);
	CHECK_EQ(init_control(page_to_mfn(pg).v, 4096 - 64, 0), -EINVAL); /* crosses the page */
	CHECK_EQ(init_control(page_to_mfn(pg).v, ~7U, 0), -EINVAL);
	CHECK_EQ(init_control(page_to_mfn(foreign).v, 0, 0), -EINVAL);
	CHECK_EQ(init_control(page_to_mfn(table).v, 0, 0), -EINVAL);
	CHECK_EQ(init_control(~0UL, 0, 0), -EINVAL);
	CHECK_EQ(init_control(0, 0, 0), -EINVAL);
	CHECK_EQ(table->count & PAGE_COUNT_MASK, 1);
	CHECK(u2->evtchn.ops == &evtchn_ops_two_level);
	CHECK_EQ(expand(page_to_mfn(pg).v), -EOPNOTSUPP);
	CHECK_EQ(init_control(page_to_mfn(pg).v, 4096 - 72, 0), 0); /* the last place it fits */
	CHECK_EQ(init_control(page_to_mfn(pg).v, 0, 0), -EINVAL);   /* not twice */
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 2);
	CHECK_EQ(expand(page_to_mfn(foreign).v), -EINVAL);
	CHECK_EQ(expand(page_to_mfn(table).v), -EINVAL);
	table->type = 0;
	fixture_end();
}

TEST(fifo_init_control_without_memory)
{
	struct page *pg;

	for (unsigned int fail = 1; fail <= 2; fail++) {
		fake_reset();
		fixture_begin();
		run(u2, 0);
		pg = fake_frame_alloc(u2);
		fake_alloc_fail_at = fail;
		CHECK_EQ(init_control(page_to_mfn(pg).v, 0, 0), -ENOMEM);
		CHECK_EQ(page_type_count(pg), 0);
		CHECK(u2->evtchn.ops == &evtchn_ops_two_level);
		CHECK_EQ(init_control(page_to_mfn(pg).v, 0, 0), 0);
		fixture_end();
	}
}

TEST(fifo_expand_ends_with_the_ports)
{
	fifo_begin();
	/* 1024 ports at most: one page is all it needs */
	CHECK_EQ(expand(page_to_mfn(array_page).v), -ENOSPC);
	CHECK_EQ(array_page->count & PAGE_COUNT_MASK, 2);
	fifo_end();
}

TEST(fifo_first_event_is_the_head_the_next_is_linked)
{
	port_t a, b, c, got[4];

	fifo_begin();
	a = ipi(0), b = ipi(0), c = ipi(0);
	CHECK_EQ(do_send(a), 0);
	CHECK_EQ(words[a], PENDING | LINKED);
	CHECK_EQ(control(0)->head[DEFAULT], a);
	CHECK_EQ(control(0)->ready, 1U << DEFAULT);
	CHECK_EQ(kicks, 1);
	CHECK_EQ(do_send(b), 0);
	CHECK_EQ(do_send(a), 0); /* again before it was taken: once in the queue */
	CHECK_EQ(do_send(c), 0);
	CHECK_EQ(words[a], PENDING | LINKED | b);
	CHECK_EQ(words[b], PENDING | LINKED | c);
	CHECK_EQ(kicks, 1);
	CHECK_EQ(consume(0, got, 4), 3);
	CHECK_EQ(got[0], a);
	CHECK_EQ(got[1], b);
	CHECK_EQ(got[2], c);
	/* the queue is empty: a new head */
	CHECK_EQ(do_send(c), 0);
	CHECK_EQ(control(0)->head[DEFAULT], c);
	CHECK_EQ(consume(0, got, 4), 1);
	fifo_end();
}

TEST(fifo_masked_and_unmask)
{
	port_t a, got[4];

	fifo_begin();
	a = ipi(0);
	words[a] = MASKED;
	CHECK_EQ(do_send(a), 0);
	CHECK_EQ(words[a], PENDING | MASKED);
	CHECK_EQ(kicks, 0);
	CHECK_EQ(evtchn_is_pending(u2, a), 1);
	CHECK_EQ(do_unmask(a), 0);
	CHECK_EQ(words[a], PENDING | LINKED);
	CHECK_EQ(kicks, 1);
	CHECK_EQ(consume(0, got, 4), 1);
	words[a] = MASKED;
	CHECK_EQ(do_unmask(a), 0);
	CHECK_EQ(words[a], 0);
	fifo_end();
}

TEST(fifo_priorities_and_vcpus_have_their_queues)
{
	port_t p1, p2, got[4];
	port_t a;

	fifo_begin();
	a = ipi(0);
	connect(&p1, &p2);
	CHECK_EQ(consume(0, got, 4), 1); /* of the binding */
	CHECK_EQ(set_priority(p2, 16), -EINVAL);
	CHECK_EQ(set_priority(999, 0), -EINVAL);
	CHECK_EQ(set_priority(p2 + 1, 0), -EINVAL);
	CHECK_EQ(set_priority(p2, 0), 0);
	CHECK_EQ(do_bind_vcpu(p2, 1), 0);
	CHECK_EQ(do_send(a), 0);
	run(u1, 0);
	CHECK_EQ(do_send(p1), 0);
	CHECK_EQ(control(1)->head[0], p2);
	CHECK_EQ(control(1)->ready, 1);
	CHECK_EQ(control(0)->head[DEFAULT], a);
	CHECK_EQ(set_priority(1, 0), -ENOSYS); /* u1 has no FIFO */
	fifo_end();
}

TEST(fifo_set_priority_needs_fifo)
{
	fixture_begin();
	CHECK_EQ(do_alloc(DOMID_SELF, 2), 1);
	CHECK_EQ(set_priority(1, 0), -ENOSYS);
	fixture_end();
}

/*
 * A is taken from queue 7 of vCPU 0, of which it was the tail, and put into
 * another.  The next event of queue 7 must not be linked to it there.
 */
TEST(fifo_a_moved_event_is_no_tail_any_more)
{
	port_t p1, p2, b, got[4];

	fifo_begin();
	b = ipi(0);
	connect(&p1, &p2);
	run(u1, 0);
	CHECK_EQ(do_send(p1), 0);
	CHECK_EQ(consume(0, got, 4), 1);
	run(u2, 0);
	CHECK_EQ(do_bind_vcpu(p2, 1), 0);
	run(u1, 0);
	CHECK_EQ(do_send(p1), 0); /* into vCPU 1's */
	run(u2, 0);
	CHECK_EQ(do_send(b), 0);
	CHECK_EQ(words[p2], PENDING | LINKED); /* no link to b */
	CHECK_EQ(control(0)->head[DEFAULT], b);
	CHECK_EQ(consume(0, got, 4), 1);
	CHECK_EQ(got[0], b);
	CHECK_EQ(consume(1, got, 4), 1);
	CHECK_EQ(got[0], p2);
	fifo_end();
}

/* An event in the queue of the old vCPU stays there until it is taken. */
TEST(fifo_rebinding_does_not_move_a_queued_event)
{
	port_t p1, p2, got[4];

	fifo_begin();
	connect(&p1, &p2);
	CHECK_EQ(do_bind_vcpu(p2, 1), 0);
	run(u1, 0);
	CHECK_EQ(do_send(p1), 0);
	CHECK_EQ(control(1)->ready, 0);
	CHECK_EQ(consume(0, got, 4), 1);
	CHECK_EQ(got[0], p2);
	fifo_end();
}

TEST(fifo_events_before_their_word_exists)
{
	port_t a, p1, p2, got[4];

	fixture_begin();
	/* raised by the 2-level ABI, before FIFO */
	connect(&p1, &p2);
	a = ipi(1);
	CHECK_EQ(do_send(a), 0);
	control_page = fake_frame_alloc(u2);
	array_page = fake_frame_alloc(u2);
	words = page_to_virt(array_page);
	CHECK_EQ(init_control(page_to_mfn(control_page).v, 0, 0), 0);
	CHECK_EQ(init_control(page_to_mfn(control_page).v, 128, 1), 0);
	/* and by FIFO without an array */
	run(u1, 0);
	CHECK_EQ(do_send(p1), 0);
	run(u2, 0);
	CHECK_EQ(evtchn_is_pending(u2, p2), 0);
	CHECK_EQ(do_unmask(p2), 0);
	CHECK_EQ(expand(page_to_mfn(array_page).v), 0);
	CHECK_EQ(consume(0, got, 4), 1);
	CHECK_EQ(got[0], p2);
	CHECK_EQ(consume(1, got, 4), 1);
	CHECK_EQ(got[0], a);
	fifo_end();
}

/* A port closed and opened again before the array came has lost its early event. */
TEST(fifo_early_event_dies_with_the_port)
{
	port_t a;

	fixture_begin();
	run(u2, 0);
	a = ipi(0);
	control_page = fake_frame_alloc(u2);
	array_page = fake_frame_alloc(u2);
	words = page_to_virt(array_page);
	CHECK_EQ(init_control(page_to_mfn(control_page).v, 0, 0), 0);
	CHECK_EQ(do_send(a), 0);
	CHECK_EQ(do_close(a), 0);
	CHECK_EQ(ipi(0), a);
	CHECK_EQ(expand(page_to_mfn(array_page).v), 0);
	CHECK_EQ(words[a], 0);
	fifo_end();
}

TEST(fifo_vcpu_without_control_block)
{
	port_t a;

	fixture_begin();
	run(u2, 0);
	control_page = fake_frame_alloc(u2);
	array_page = fake_frame_alloc(u2);
	words = page_to_virt(array_page);
	CHECK_EQ(init_control(page_to_mfn(control_page).v, 0, 0), 0);
	CHECK_EQ(expand(page_to_mfn(array_page).v), 0);
	a = ipi(1);
	CHECK_EQ(do_send(a), 0);
	CHECK_EQ(words[a], PENDING);
	fifo_end();
}

/* --- guests that lie --- */

TEST(fifo_guest_unlinks_the_tail)
{
	port_t a, b;

	fifo_begin();
	a = ipi(0), b = ipi(0);
	CHECK_EQ(do_send(a), 0);
	words[a] = 0;
	CHECK_EQ(do_send(b), 0);
	CHECK_EQ(words[a], 0);
	CHECK_EQ(control(0)->head[DEFAULT], b);
	fifo_end();
}

TEST(fifo_guest_writes_links_and_heads)
{
	port_t a, b, c;

	fifo_begin();
	a = ipi(0), b = ipi(0), c = ipi(0);
	CHECK_EQ(do_send(a), 0);
	words[a] |= EVTCHN_FIFO_LINK_MASK | BUSY | 0x0ffe0000;
	for (unsigned int q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
		control(0)->head[q] = ~0U;
	CHECK_EQ(do_send(b), 0);
	CHECK_EQ(words[a] & EVTCHN_FIFO_LINK_MASK, b);
	words[b] = LINKED | a; /* a loop, for whoever would follow it */
	CHECK_EQ(do_send(c), 0);
	CHECK_EQ(words[b], LINKED | c);
	control(0)->ready = ~0U;
	CHECK_EQ(do_send(b), 0);
	fifo_end();
}

TEST(fifo_guest_claims_all_words_linked)
{
	port_t a;

	fifo_begin();
	a = ipi(0);
	memset(words, 0xff, PAGE_SIZE);
	CHECK_EQ(do_send(a), 0);
	CHECK_EQ(control(0)->ready, 0);
	CHECK_EQ(kicks, 0);
	CHECK_EQ(do_unmask(a), 0);
	CHECK_EQ(do_close(a), 0);
	/* a port that is still in a queue is not given out again */
	CHECK_EQ(do_alloc(DOMID_SELF, 1), -ENOSPC);
	words[7] = 0;
	CHECK_EQ(do_alloc(DOMID_SELF, 1), 7);
	words[a] = 0;
	CHECK_EQ(do_alloc(DOMID_SELF, 1), a);
	fifo_end();
}

/* The same page for everything: the guest's mess, not ours. */
TEST(fifo_control_block_within_the_array)
{
	struct page *pg;

	fixture_begin();
	run(u2, 0);
	pg = fake_frame_alloc(u2);
	CHECK_EQ(init_control(page_to_mfn(pg).v, 0, 0), 0);
	CHECK_EQ(expand(page_to_mfn(pg).v), 0);
	for (unsigned int i = 0; i < 40; i++)
		(void)do_send(ipi(0));
	fixture_end();
	CHECK_EQ(pg->count & PAGE_COUNT_MASK, 1);
	CHECK_EQ(page_type_count(pg), 0);
}

TEST(fifo_reset_gives_the_pages_back_and_fifo_may_begin_again)
{
	struct evtchn_reset self = {DOMID_SELF};
	port_t a;

	fifo_begin();
	a = ipi(0);
	CHECK_EQ(do_send(a), 0);
	CHECK_EQ(op(EVTCHNOP_reset, &self), 0);
	CHECK_EQ(page_type_count(control_page), 0);
	CHECK_EQ(page_type_count(array_page), 0);
	CHECK(u2->evtchn.ops == &evtchn_ops_two_level);
	a = ipi(0);
	CHECK_EQ(do_send(a), 0);
	CHECK(bit_test((unsigned long *)u2->shared_info->evtchn_pending, a));
	words[a] = 0;
	CHECK_EQ(init_control(page_to_mfn(control_page).v, 0, 0), 0);
	CHECK_EQ(expand(page_to_mfn(array_page).v), 0);
	CHECK_EQ(words[a], PENDING | LINKED); /* carried over */
	fifo_end();
}
