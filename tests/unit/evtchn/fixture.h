/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of event channels stand on: domains with a shared_info, and
 * records of what evtchn/ asks of its neighbours (wake-ups, pirqs, page types).
 */
#ifndef EVTCHN_FIXTURE_H
#define EVTCHN_FIXTURE_H

#include "fake.h"

#include "dev/irq.h"
#include "evtchn/port.h"
#include "hypercall/hypercall.h"
#include "mm/alloc.h"

static struct vcpu *kicked; /* the last one */
static unsigned int kicks;
static unsigned int unblocks;
static int pirq_bind_result;
static uint32_t pirq_bound_port; /* of the last pirq_bind */
static unsigned int pirq_unbinds;
static unsigned int pirq_affinity_cpu;
static void (*on_domain_hold)(struct domain *d);

void vcpu_kick(struct vcpu *v)
{
	vcpu_unblock(v);
	kicked = v;
	kicks++;
}

void vcpu_unblock(struct vcpu *v)
{
	v->flags &= ~(BIT(VCPU_F_BLOCKED) | BIT(VCPU_F_POLLING));
	unblocks++;
}

static struct vcpu *io_woken; /* the last one */

void vcpu_io_wake(struct vcpu *v)
{
	io_woken = v;
}

int pirq_bind(struct domain *d, unsigned int pirq, uint32_t port, bool will_share)
{
	(void)d, (void)pirq, (void)will_share;
	pirq_bound_port = port;
	return pirq_bind_result;
}

void pirq_unbind(struct domain *d, unsigned int pirq)
{
	(void)d, (void)pirq;
	pirq_unbinds++;
}

void pirq_set_affinity(struct domain *d, unsigned int pirq, unsigned int cpu)
{
	(void)d, (void)pirq;
	pirq_affinity_cpu = cpu;
}

bool domain_hold(struct domain *d)
{
	d->references++;
	if (on_domain_hold)
		on_domain_hold(d);
	return true;
}

bool page_get_writable(struct page *pg)
{
	if (page_type_count(pg) && page_type(pg) != PAGE_WRITABLE)
		return false;
	pg->type = ((uint64_t)PAGE_WRITABLE << PAGE_TYPE_SHIFT) | (page_type_count(pg) + 1);
	return true;
}

void page_put_and_type(struct page *pg)
{
	CHECK(page_type_count(pg));
	pg->type--;
	page_put(pg);
}

static void fixture_add(struct domain *d, uint32_t max_port)
{
	struct vcpu *v;

	d->shared_info = page_to_virt(fake_frame_alloc(NULL));
	for_each_vcpu(d, v) {
		evtchn_vcpu_init(v);
		v->info = &d->shared_info->vcpu_info[v->id];
	}
	CHECK_EQ(evtchn_domain_init(d, max_port), 0);
}

static struct domain *u1, *u2; /* two unprivileged domains of two vCPUs */

static void fixture_begin(void)
{
	kicked = io_woken = NULL;
	kicks = unblocks = pirq_unbinds = 0;
	pirq_bind_result = 0;
	on_domain_hold = NULL;
	fake_guest_any = true;
	fixture_add(fake_dom0(2), ~0U);
	u1 = fake_domain(1, 2);
	u2 = fake_domain(2, 2);
	fixture_add(u1, 1023);
	fixture_add(u2, 1023);
	fake_vcpu_run(u1->vcpus[0], 0);
}

/* Everything goes; nothing may be left of it. */
static void fixture_end(void)
{
	struct domain *d;

	for_each_domain(d) {
		CHECK_EQ(evtchn_domain_destroy(d), 0);
		CHECK_EQ(d->evtchn.active, 0);
	}
	for_each_domain(d) {
		evtchn_domain_free(d);
		CHECK_EQ(d->references, 1);
	}
	CHECK_EQ(fake_heap_objects, 0);
}

static void run(struct domain *d, unsigned int vcpu)
{
	fake_vcpu_run(d->vcpus[vcpu], 0);
}

static long op(unsigned int cmd, void *arg)
{
	const uint64_t args[5] = {cmd, (uint64_t)arg};

	return hypercall_event_channel_op(args);
}

static long do_close(port_t port)
{
	struct evtchn_close arg = {port};

	return op(EVTCHNOP_close, &arg);
}

static long do_send(port_t port)
{
	struct evtchn_send arg = {port};

	return op(EVTCHNOP_send, &arg);
}

static inline long do_unmask(port_t port)
{
	struct evtchn_unmask arg = {port};

	return op(EVTCHNOP_unmask, &arg);
}

/* The port or -E. */
static long do_alloc(domid_t dom, domid_t remote)
{
	struct evtchn_alloc_unbound arg = {dom, remote, 0};
	long rc = op(EVTCHNOP_alloc_unbound, &arg);

	return rc ? rc : (long)arg.port;
}

static long do_bind(domid_t remote, port_t port)
{
	struct evtchn_bind_interdomain arg = {remote, port, 0};
	long rc = op(EVTCHNOP_bind_interdomain, &arg);

	return rc ? rc : (long)arg.local_port;
}

static inline long do_bind_virq(uint32_t virq, uint32_t vcpu)
{
	struct evtchn_bind_virq arg = {virq, vcpu, 0};
	long rc = op(EVTCHNOP_bind_virq, &arg);

	return rc ? rc : (long)arg.port;
}

static inline long do_bind_ipi(uint32_t vcpu)
{
	struct evtchn_bind_ipi arg = {vcpu, 0};
	long rc = op(EVTCHNOP_bind_ipi, &arg);

	return rc ? rc : (long)arg.port;
}

static inline long do_bind_vcpu(port_t port, uint32_t vcpu)
{
	struct evtchn_bind_vcpu arg = {port, vcpu};

	return op(EVTCHNOP_bind_vcpu, &arg);
}

static inline struct evtchn_status do_status(domid_t dom, port_t port, long want)
{
	struct evtchn_status arg = {.dom = dom, .port = port};

	CHECK_EQ(op(EVTCHNOP_status, &arg), want);
	return arg;
}

/* A channel between u1 (its port in *p1) and u2; u2 made it and runs. */
static inline void connect(port_t *p1, port_t *p2)
{
	long port;

	run(u1, 0);
	port = do_alloc(DOMID_SELF, u2->id);
	CHECK(port > 0);
	*p1 = (port_t)port;
	run(u2, 0);
	port = do_bind(u1->id, *p1);
	CHECK(port > 0);
	*p2 = (port_t)port;
}

#endif
