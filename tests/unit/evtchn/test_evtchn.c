/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels over the 2-level ABI: every operation's success and each of
 * its refusals, delivery, and the end of a port, a domain and a peer.
 *
 * Links: evtchn/port.c evtchn/send.c evtchn/ops.c evtchn/two_level.c evtchn/fifo.c lib/bits.c
 */
#include "fixture.h"

static bool is_pending(const struct domain *d, port_t port)
{
	return bit_test((unsigned long *)d->shared_info->evtchn_pending, port);
}

static void take(struct domain *d, port_t port)
{
	bit_clear((unsigned long *)d->shared_info->evtchn_pending, port);
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		d->vcpus[i]->info->evtchn_pending_sel = 0;
		d->vcpus[i]->info->evtchn_upcall_pending = 0;
	}
	kicks = 0;
	kicked = NULL;
}

static void mask(struct domain *d, port_t port)
{
	bit_set((unsigned long *)d->shared_info->evtchn_mask, port);
}

TEST(evtchn_unknown_operations_and_bad_pointers)
{
	fixture_begin();
	fake_guest_any = false;
	for (unsigned int cmd = 0; cmd <= 13; cmd++)
		CHECK_EQ(op(cmd, (void *)0x1000), -EFAULT);
	CHECK_EQ(op(14, NULL), -ENOSYS);
	CHECK_EQ(op(~0U, NULL), -ENOSYS);
	fixture_end();
}

TEST(evtchn_alloc_unbound_access)
{
	fixture_begin();
	CHECK_EQ(do_alloc(DOMID_SELF, 2), 1);
	CHECK_EQ(do_alloc(1, 2), 2);
	CHECK_EQ(do_alloc(2, 1), -EPERM);
	CHECK_EQ(do_alloc(77, 1), -ESRCH);
	run(dom0, 0);
	CHECK_EQ(do_alloc(2, 1), 1);
	CHECK_EQ(do_status(2, 1, 0).u.unbound.dom, 1);
	/* a remote of "self" is the caller, not the port's domain */
	CHECK_EQ(do_alloc(2, DOMID_SELF), 2);
	CHECK_EQ(do_status(2, 2, 0).u.unbound.dom, 0);
	fixture_end();
}

TEST(evtchn_ports_end_and_are_reused_from_the_lowest)
{
	fixture_begin();
	for (unsigned int i = 1; i <= 1023; i++)
		CHECK_EQ(do_alloc(DOMID_SELF, 2), i);
	CHECK_EQ(do_alloc(DOMID_SELF, 2), -ENOSPC);
	CHECK_EQ(do_close(700), 0);
	CHECK_EQ(do_close(5), 0);
	CHECK_EQ(do_alloc(DOMID_SELF, 2), 5);
	CHECK_EQ(do_alloc(DOMID_SELF, 2), 700);
	CHECK_EQ(do_alloc(DOMID_SELF, 2), -ENOSPC);
	/* the 2-level ABI has bits for 4096 whatever the limit */
	run(dom0, 0);
	for (unsigned int i = 1; i < 4096; i++)
		CHECK_EQ(do_alloc(DOMID_SELF, 2), i);
	CHECK_EQ(do_alloc(DOMID_SELF, 2), -ENOSPC);
	fixture_end();
}

TEST(evtchn_alloc_without_memory)
{
	fixture_begin();
	fake_alloc_fail_at = 1;
	CHECK_EQ(do_alloc(DOMID_SELF, 2), -ENOMEM);
	CHECK_EQ(do_alloc(DOMID_SELF, 2), 1);
	fixture_end();
}

TEST(evtchn_memory_can_be_reserved)
{
	fixture_begin();
	run(dom0, 0);
	CHECK_EQ(evtchn_domain_reserve(dom0, 1024), 0);
	CHECK(dom0->evtchn.ports >= 1024);
	fake_alloc_fail_at = 1; /* which is not asked for any */
	for (unsigned int i = 1; i < 1024; i++)
		CHECK_EQ(do_alloc(DOMID_SELF, 2), i);
	CHECK_EQ(evtchn_domain_reserve(dom0, 100), 0);
	CHECK_EQ(evtchn_domain_reserve(dom0, 4096), -ENOMEM);
	CHECK_EQ(evtchn_domain_reserve(dom0, 4096), 0);
	fixture_end();
}

TEST(evtchn_bind_interdomain_only_who_was_named)
{
	port_t p1, p2;

	fixture_begin();
	connect(&p1, &p2);
	/* the binder is told at once: the peer may have sent before */
	CHECK(is_pending(u2, p2));
	CHECK(!is_pending(u1, p1));
	CHECK_EQ(do_bind(1, p1), -EINVAL); /* taken */
	CHECK_EQ(do_bind(1, 999), -EINVAL);
	CHECK_EQ(do_bind(1, 0), -EINVAL);
	CHECK_EQ(do_bind(1, ~0U), -EINVAL);
	CHECK_EQ(do_bind(77, 1), -ESRCH);
	run(u1, 0);
	CHECK_EQ(do_alloc(DOMID_SELF, 0), 2);
	run(u2, 0);
	CHECK_EQ(do_bind(1, 2), -EINVAL); /* meant for dom0 */
	CHECK_EQ(u2->evtchn.active, 1);
	/* a port whose peer, or virq, has the domain's number does not wait for it */
	connect(&p1, &p2);
	CHECK_EQ(p2, u2->id);
	CHECK_EQ(do_bind(1, p1), -EINVAL);
	run(u1, 0);
	p1 = (port_t)do_bind_virq(VIRQ_CONSOLE, 0);
	CHECK_EQ(VIRQ_CONSOLE, u2->id);
	run(u2, 0);
	CHECK_EQ(do_bind(1, p1), -EINVAL);
	fixture_end();
}

TEST(evtchn_loopback)
{
	long a, b;

	fixture_begin();
	a = do_alloc(DOMID_SELF, DOMID_SELF);
	b = do_bind(DOMID_SELF, (port_t)a);
	CHECK_EQ(a, 1);
	CHECK_EQ(b, 2);
	take(u1, 2);
	CHECK_EQ(do_send(1), 0);
	CHECK(is_pending(u1, 2));
	CHECK_EQ(do_send(2), 0);
	CHECK(is_pending(u1, 1));
	CHECK_EQ(do_close(1), 0);
	CHECK_EQ(do_status(DOMID_SELF, 2, 0).status, EVTCHNSTAT_unbound);
	fixture_end();
}

TEST(evtchn_send_marks_the_peer_and_kicks_once)
{
	port_t p1, p2;

	fixture_begin();
	connect(&p1, &p2);
	take(u2, p2);
	run(u1, 0);
	CHECK_EQ(do_send(p1), 0);
	CHECK(is_pending(u2, p2));
	CHECK_EQ(u2->vcpus[0]->info->evtchn_pending_sel, 1);
	CHECK_EQ(u2->vcpus[0]->info->evtchn_upcall_pending, 1);
	CHECK(kicked == u2->vcpus[0]);
	CHECK_EQ(do_send(p1), 0);
	CHECK_EQ(kicks, 1);
	CHECK(fake_irq_enabled[0]);
	fixture_end();
}

TEST(evtchn_send_to_a_masked_port_sets_only_pending)
{
	port_t p1, p2;

	fixture_begin();
	connect(&p1, &p2);
	take(u2, p2);
	mask(u2, p2);
	run(u1, 0);
	CHECK_EQ(do_send(p1), 0);
	CHECK(is_pending(u2, p2));
	CHECK_EQ(u2->vcpus[0]->info->evtchn_pending_sel, 0);
	CHECK_EQ(kicks, 0);
	/* unmasking delivers it after all */
	run(u2, 0);
	CHECK_EQ(do_unmask(p2), 0);
	CHECK_EQ(u2->vcpus[0]->info->evtchn_pending_sel, 1);
	CHECK_EQ(u2->vcpus[0]->info->evtchn_upcall_pending, 1);
	/* with nothing pending it delivers nothing */
	take(u2, p2);
	mask(u2, p2);
	CHECK_EQ(do_unmask(p2), 0);
	CHECK_EQ(u2->vcpus[0]->info->evtchn_upcall_pending, 0);
	CHECK_EQ(do_unmask(9999), -EINVAL);
	CHECK_EQ(do_unmask(0), -EINVAL);
	fixture_end();
}

TEST(evtchn_send_refusals)
{
	fixture_begin();
	CHECK_EQ(do_send(0), -EINVAL);
	CHECK_EQ(do_send(1), -EINVAL);
	CHECK_EQ(do_send(~0U), -EINVAL);
	CHECK_EQ(do_alloc(DOMID_SELF, 2), 1);
	CHECK_EQ(do_send(1), 0); /* nobody there yet: no error */
	CHECK_EQ(do_bind_virq(VIRQ_TIMER, 0), 2);
	CHECK_EQ(do_send(2), -EINVAL); /* a guest does not raise its own virq */
	CHECK_EQ(do_send(3), -EINVAL); /* has memory, is not open */
	CHECK(fake_irq_enabled[0]);
	fixture_end();
}

TEST(evtchn_close_leaves_the_peer_waiting_for_the_same_domain)
{
	port_t p1, p2;
	long again;

	fixture_begin();
	connect(&p1, &p2);
	take(u2, p2);
	run(u1, 0);
	CHECK_EQ(do_send(p1), 0);
	run(u2, 0);
	CHECK_EQ(do_close(p2), 0);
	CHECK(!is_pending(u2, p2)); /* the next owner of the port gets no old event */
	CHECK_EQ(do_close(p2), -EINVAL);
	CHECK_EQ(do_close(0), -EINVAL);
	CHECK_EQ(do_close(5000), -EINVAL);
	run(u1, 0);
	CHECK_EQ(do_status(DOMID_SELF, p1, 0).status, EVTCHNSTAT_unbound);
	CHECK_EQ(do_status(DOMID_SELF, p1, 0).u.unbound.dom, 2);
	CHECK_EQ(do_send(p1), 0);
	run(dom0, 0);
	CHECK_EQ(do_bind(1, p1), -EINVAL);
	run(u2, 0);
	again = do_bind(1, p1);
	CHECK_EQ(again, p2);
	fixture_end();
}

static void release_remote_lock(struct domain *d)
{
	spin_unlock(&d->evtchn.lock);
	on_domain_hold = NULL;
}

static void close_peer_meanwhile(struct domain *d)
{
	struct vcpu *v = current;

	release_remote_lock(d);
	spin_unlock(&u2->evtchn.lock); /* as if the other CPU came between */
	run(d, 0);
	CHECK_EQ(do_close(1), 0);
	fake_vcpu_run(v, 0);
	spin_lock(&u2->evtchn.lock);
}

/* The domain with the higher address closes: it must not wait for the lower's lock with its own. */
TEST(evtchn_close_in_the_wrong_lock_order)
{
	struct domain *low, *high;
	port_t p1, p2;

	fixture_begin();
	low = u1 < u2 ? u1 : u2;
	high = u1 < u2 ? u2 : u1;
	u1 = low, u2 = high;
	connect(&p1, &p2);
	spin_lock(&low->evtchn.lock);
	on_domain_hold = release_remote_lock;
	CHECK_EQ(do_close(p2), 0);
	CHECK(!on_domain_hold);
	CHECK(!spin_is_locked(&low->evtchn.lock));
	CHECK(!spin_is_locked(&high->evtchn.lock));
	run(low, 0);
	CHECK_EQ(do_status(DOMID_SELF, p1, 0).status, EVTCHNSTAT_unbound);

	/* and the peer may have gone by the time both are locked */
	CHECK_EQ(do_close(p1), 0);
	connect(&p1, &p2);
	CHECK_EQ(p1, 1);
	spin_lock(&low->evtchn.lock);
	on_domain_hold = close_peer_meanwhile;
	CHECK_EQ(do_close(p2), 0);
	CHECK_EQ(low->evtchn.active, 0);
	CHECK_EQ(high->evtchn.active, 0);
	CHECK(!spin_is_locked(&low->evtchn.lock));
	fixture_end();
}

TEST(evtchn_virq_of_a_vcpu)
{
	long port;

	fixture_begin();
	port = do_bind_virq(VIRQ_TIMER, 1);
	CHECK(port > 0);
	CHECK_EQ(do_bind_virq(VIRQ_TIMER, 1), -EEXIST);
	CHECK_EQ(do_bind_virq(VIRQ_TIMER, 2), -ENOENT);
	CHECK_EQ(do_bind_virq(24, 0), -EINVAL);
	CHECK_EQ(do_bind_virq(~0U, 0), -EINVAL);
	CHECK_EQ(do_bind_virq(VIRQ_CONSOLE, 1), -EINVAL); /* global ones: vCPU 0 */
	evtchn_send_virq(u1->vcpus[0], VIRQ_TIMER);
	CHECK(!is_pending(u1, (port_t)port));
	evtchn_send_virq(u1->vcpus[1], VIRQ_TIMER);
	CHECK(is_pending(u1, (port_t)port));
	CHECK(kicked == u1->vcpus[1]);
	CHECK_EQ(do_bind_vcpu((port_t)port, 0), -EINVAL); /* it is that vCPU's */
	CHECK_EQ(do_status(DOMID_SELF, (port_t)port, 0).u.virq, VIRQ_TIMER);
	CHECK_EQ(do_close((port_t)port), 0);
	take(u1, (port_t)port);
	evtchn_send_virq(u1->vcpus[1], VIRQ_TIMER);
	evtchn_send_virq(u1->vcpus[1], 24);
	CHECK(!is_pending(u1, (port_t)port));
	CHECK_EQ(do_bind_virq(VIRQ_TIMER, 1), port);
	fixture_end();
}

TEST(evtchn_global_virq_goes_to_its_handler)
{
	long p0, p1;

	fixture_begin();
	p1 = do_bind_virq(VIRQ_DOM_EXC, 0);
	run(dom0, 0);
	p0 = do_bind_virq(VIRQ_DOM_EXC, 0);
	evtchn_send_global_virq(VIRQ_DOM_EXC);
	CHECK(is_pending(dom0, (port_t)p0));
	CHECK(!is_pending(u1, (port_t)p1));
	take(dom0, (port_t)p0);

	CHECK_EQ(evtchn_set_virq_handler(u1, VIRQ_TIMER), -EINVAL);
	CHECK_EQ(evtchn_set_virq_handler(u1, 24), -EINVAL);
	CHECK_EQ(evtchn_set_virq_handler(u1, VIRQ_DOM_EXC), 0);
	CHECK_EQ(u1->references, 2);
	CHECK_EQ(evtchn_set_virq_handler(u1, VIRQ_DOM_EXC), 0);
	CHECK_EQ(u1->references, 2);
	evtchn_send_global_virq(VIRQ_DOM_EXC);
	CHECK(is_pending(u1, (port_t)p1));
	CHECK(!is_pending(dom0, (port_t)p0));
	CHECK_EQ(do_bind_vcpu((port_t)p0, 1), 0); /* a global one may move */

	/* its end gives them back to dom0 */
	CHECK_EQ(evtchn_domain_destroy(u1), 0);
	CHECK_EQ(u1->references, 1);
	CHECK_EQ(evtchn_set_virq_handler(u1, VIRQ_DOM_EXC), -EINVAL);
	evtchn_send_global_virq(VIRQ_DOM_EXC);
	CHECK(is_pending(dom0, (port_t)p0));
	CHECK(kicked == dom0->vcpus[1]);
	fixture_end();
}

TEST(evtchn_ipi)
{
	long port;

	fixture_begin();
	CHECK_EQ(do_bind_ipi(2), -ENOENT);
	CHECK_EQ(do_bind_ipi(~0U), -ENOENT);
	port = do_bind_ipi(1);
	CHECK(port > 0);
	CHECK_EQ(do_send((port_t)port), 0);
	CHECK(is_pending(u1, (port_t)port));
	CHECK(kicked == u1->vcpus[1]);
	CHECK_EQ(do_bind_vcpu((port_t)port, 0), -EINVAL);
	CHECK_EQ(do_status(DOMID_SELF, (port_t)port, 0).status, EVTCHNSTAT_ipi);
	fixture_end();
}

TEST(evtchn_pirq)
{
	struct evtchn_bind_pirq arg = {.pirq = 16, .flags = BIND_PIRQ__WILL_SHARE};

	fixture_begin();
	pirq_bind_result = -EPERM;
	CHECK_EQ(op(EVTCHNOP_bind_pirq, &arg), -EPERM);
	CHECK_EQ(u1->evtchn.active, 0);
	CHECK_EQ(pirq_unbinds, 0); /* what was not bound is not unbound */
	pirq_bind_result = 0;
	CHECK_EQ(op(EVTCHNOP_bind_pirq, &arg), 0);
	CHECK_EQ(arg.port, 1);
	CHECK_EQ(pirq_bound_port, 1);
	evtchn_send_pirq(u1, 1);
	CHECK(is_pending(u1, 1));
	CHECK_EQ(do_send(1), -EINVAL);
	CHECK_EQ(do_status(DOMID_SELF, 1, 0).u.pirq, 16);
	u1->vcpus[1]->sched.cpu = 5;
	CHECK_EQ(do_bind_vcpu(1, 1), 0);
	CHECK_EQ(pirq_affinity_cpu, 5);
	CHECK_EQ(do_close(1), 0);
	CHECK_EQ(pirq_unbinds, 1);
	take(u1, 1);
	evtchn_send_pirq(u1, 1); /* a late one */
	evtchn_send_pirq(u1, 5000);
	CHECK(!is_pending(u1, 1));
	fixture_end();
}

TEST(evtchn_bind_vcpu)
{
	port_t p1, p2;

	fixture_begin();
	connect(&p1, &p2);
	take(u2, p2);
	CHECK_EQ(do_bind_vcpu(p2, 2), -ENOENT);
	CHECK_EQ(do_bind_vcpu(999, 0), -EINVAL);
	CHECK_EQ(do_bind_vcpu(p2 + 1, 0), -EINVAL);
	CHECK_EQ(do_bind_vcpu(p2, 1), 0);
	CHECK_EQ(do_status(DOMID_SELF, p2, 0).vcpu, 1);
	run(u1, 0);
	CHECK_EQ(do_send(p1), 0);
	CHECK_EQ(u2->vcpus[0]->info->evtchn_pending_sel, 0);
	CHECK_EQ(u2->vcpus[1]->info->evtchn_pending_sel, 1);
	CHECK(kicked == u2->vcpus[1]);
	/* closed and opened again it is vCPU 0's */
	run(u2, 0);
	CHECK_EQ(do_close(p2), 0);
	CHECK_EQ(do_alloc(DOMID_SELF, 1), p2);
	CHECK_EQ(do_status(DOMID_SELF, p2, 0).vcpu, 0);
	fixture_end();
}

TEST(evtchn_status_access)
{
	struct evtchn_status s;
	port_t p1, p2;

	fixture_begin();
	connect(&p1, &p2);
	s = do_status(DOMID_SELF, p2, 0);
	CHECK_EQ(s.status, EVTCHNSTAT_interdomain);
	CHECK_EQ(s.u.interdomain.dom, 1);
	CHECK_EQ(s.u.interdomain.port, p1);
	do_status(1, p1, -EPERM);
	do_status(77, p1, -ESRCH);
	do_status(DOMID_SELF, 0, -EINVAL);
	do_status(DOMID_SELF, 600, -EINVAL);
	CHECK_EQ(do_status(DOMID_SELF, p2 + 1, 0).status, EVTCHNSTAT_closed);
	run(dom0, 0);
	CHECK_EQ(do_status(1, p1, 0).status, EVTCHNSTAT_interdomain);
	fixture_end();
}

TEST(evtchn_reset)
{
	struct evtchn_reset self = {DOMID_SELF}, other = {1};
	port_t p1, p2;

	fixture_begin();
	connect(&p1, &p2);
	CHECK_EQ(op(EVTCHNOP_reset, &other), -EPERM);
	CHECK_EQ(op(EVTCHNOP_reset, &self), 0);
	CHECK_EQ(u2->evtchn.active, 0);
	CHECK_EQ(do_close(p2), -EINVAL);
	run(u1, 0);
	CHECK_EQ(do_status(DOMID_SELF, p1, 0).status, EVTCHNSTAT_unbound);
	run(dom0, 0);
	CHECK_EQ(op(EVTCHNOP_reset, &other), -EINVAL); /* it is not paused */
	CHECK_EQ(u1->evtchn.active, 1);
	u1->controller_pauses = 1;
	CHECK_EQ(op(EVTCHNOP_reset, &other), 0);
	CHECK_EQ(u1->evtchn.active, 0);
	fixture_end();
}

TEST(evtchn_reset_is_preempted_and_continued)
{
	struct evtchn_reset self = {DOMID_SELF};
	unsigned int calls = 1;

	fixture_begin();
	for (unsigned int i = 1; i <= 1000; i++)
		CHECK_EQ(do_alloc(DOMID_SELF, 2), i);
	fake_preempt_every = 1;
	while (op(EVTCHNOP_reset, &self)) {
		CHECK(fake_continuation.set);
		CHECK_EQ(fake_continuation.op, __HYPERVISOR_event_channel_op);
		CHECK_EQ(fake_continuation.args[0], EVTCHNOP_reset);
		fake_continuation.set = false;
		CHECK(++calls < 100);
	}
	CHECK(calls > 10);
	CHECK_EQ(u1->evtchn.active, 0);
	fake_preempt_every = 0;
	fixture_end();
}

/* Ports opened behind the back of a reset that was interrupted: it says so. */
TEST(evtchn_reset_meets_a_new_port)
{
	struct evtchn_reset self = {DOMID_SELF};

	fixture_begin();
	for (unsigned int i = 1; i <= 100; i++)
		CHECK_EQ(do_alloc(DOMID_SELF, 2), i);
	fake_preempt_every = 1;
	CHECK_EQ(op(EVTCHNOP_reset, &self), -ERESTART);
	fake_preempt_every = 0;
	CHECK_EQ(do_alloc(DOMID_SELF, 2), 1);
	CHECK_EQ(op(EVTCHNOP_reset, &self), -EAGAIN);
	CHECK_EQ(u1->evtchn.active, 1);
	fixture_end();
}

TEST(evtchn_pollers_wake_for_their_port)
{
	struct vcpu *v;
	port_t p1, p2;

	fixture_begin();
	connect(&p1, &p2);
	take(u2, p2);
	mask(u2, p2);
	v = u2->vcpus[1];
	run(u1, 0);
	v->flags |= BIT(VCPU_F_POLLING);
	v->evtchn.poll_port = p2 + 1;
	CHECK_EQ(do_send(p1), 0);
	CHECK(v->flags & BIT(VCPU_F_POLLING));
	v->evtchn.poll_port = p2;
	CHECK_EQ(do_send(p1), 0);
	CHECK(!(v->flags & BIT(VCPU_F_POLLING)));
	v->flags |= BIT(VCPU_F_POLLING);
	v->evtchn.poll_port = POLL_PORT_MANY;
	CHECK_EQ(do_send(p1), 0);
	CHECK(!(v->flags & BIT(VCPU_F_POLLING)));
	CHECK_EQ(evtchn_is_pending(u2, p2), 1);
	CHECK_EQ(evtchn_is_pending(u2, p2 + 1), 0);
	CHECK_EQ(evtchn_is_pending(u2, 0), -EINVAL);
	CHECK_EQ(evtchn_is_pending(u2, 999), -EINVAL);
	fixture_end();
}

TEST(evtchn_upcall_state)
{
	struct vcpu *v;

	fixture_begin();
	v = u1->vcpus[0];
	CHECK(!vcpu_has_upcall(v));
	vcpu_mark_events_pending(v);
	CHECK(vcpu_has_upcall(v));
	v->info->evtchn_upcall_mask = 1;
	CHECK(!vcpu_has_upcall(v));
	/* a vcpu_info in a new place: everything is to be looked at */
	v->info = &u1->shared_info->vcpu_info[9];
	kicks = 0;
	evtchn_vcpu_info_moved(v);
	CHECK(vcpu_has_upcall(v));
	CHECK_EQ(v->info->evtchn_pending_sel, ~0UL);
	CHECK_EQ(kicks, 1);
	v->info = NULL;
	CHECK(!vcpu_has_upcall(v));
	vcpu_mark_events_pending(v);
	evtchn_vcpu_info_moved(v);
	CHECK_EQ(do_bind_ipi(0), 1);
	CHECK_EQ(do_send(1), 0);
	fixture_end();
}

TEST(evtchn_destroy_stops_at_each_point)
{
	port_t p1, p2;

	fixture_begin();
	connect(&p1, &p2);
	run(u1, 0);
	for (unsigned int i = 0; i < 500; i++)
		CHECK(do_alloc(DOMID_SELF, 2) > 0);
	run(dom0, 0);
	fake_preempt_every = 1;
	while (evtchn_domain_destroy(u1) == -ERESTART) {
		/* in between nothing new comes */
		CHECK_EQ(do_alloc(1, 0), -EINVAL);
		run(u2, 0);
		CHECK_EQ(do_bind(1, 300), -EINVAL);
		run(dom0, 0);
	}
	fake_preempt_every = 0;
	CHECK_EQ(u1->evtchn.active, 0);
	run(u2, 0);
	CHECK_EQ(do_send(p2), 0);
	CHECK_EQ(do_status(DOMID_SELF, p2, 0).status, EVTCHNSTAT_unbound);
	fixture_end();
}

/* Killed in the middle of a reset, with ports opened below where it had come to. */
TEST(evtchn_destroy_after_half_a_reset)
{
	struct evtchn_reset self = {DOMID_SELF};

	fixture_begin();
	for (unsigned int i = 1; i <= 200; i++)
		CHECK_EQ(do_alloc(DOMID_SELF, 2), i);
	fake_preempt_every = 2;
	CHECK_EQ(op(EVTCHNOP_reset, &self), -ERESTART);
	fake_preempt_every = 0;
	CHECK_EQ(do_alloc(DOMID_SELF, 2), 1);
	CHECK_EQ(evtchn_domain_destroy(u1), 0);
	CHECK_EQ(u1->evtchn.active, 0);
	fixture_end();
}

TEST(evtchn_dump_names_the_ports)
{
	port_t p1, p2;

	fixture_begin();
	connect(&p1, &p2);
	evtchn_dump(u1);
	CHECK(strstr(fake_log, "port 1: interdomain 1 of d2"));
	fixture_end();
}

/* --- ports the hypervisor listens on --- */

TEST(evtchn_io_port_wakes_its_vcpu_and_nothing_else)
{
	port_t peer;
	int port;

	fixture_begin();
	port = evtchn_alloc_io(u1, 1, u2->id);
	CHECK(port > 0);
	run(u2, 0);
	peer = (port_t)do_bind(u1->id, (port_t)port);
	CHECK((int)peer > 0);
	take(u2, peer);
	CHECK_EQ(do_send(peer), 0);
	CHECK(io_woken == u1->vcpus[1]);
	CHECK_EQ(kicks, 0);
	CHECK(!is_pending(u1, (port_t)port));
	/* the other way it is an event like any */
	CHECK_EQ(evtchn_send(u1, (port_t)port), 0);
	CHECK(is_pending(u2, peer));
	fixture_end();
}

TEST(evtchn_io_port_is_not_its_domains_to_use)
{
	port_t own, peer;
	int port;

	fixture_begin();
	port = evtchn_alloc_io(u1, 1, u2->id);
	CHECK_EQ(do_send((port_t)port), -EINVAL);
	CHECK_EQ(do_close((port_t)port), -EINVAL);
	CHECK_EQ(do_bind_vcpu((port_t)port, 0), -EINVAL);
	own = (port_t)do_alloc(DOMID_SELF, 2);
	/* a reset closes what is the domain's own */
	CHECK_EQ(evtchn_reset(u1), 0);
	do_status(1, own, 0);
	CHECK_EQ(do_status(1, own, 0).status, EVTCHNSTAT_closed);
	CHECK_EQ(do_status(1, (port_t)port, 0).status, EVTCHNSTAT_unbound);
	run(u2, 0);
	peer = (port_t)do_bind(u1->id, (port_t)port);
	io_woken = NULL;
	CHECK_EQ(do_send(peer), 0);
	CHECK(io_woken == u1->vcpus[1]);
	fixture_end();
}

TEST(evtchn_io_port_ends_by_the_hypervisor_or_with_its_domain)
{
	port_t peer;
	int port;

	fixture_begin();
	port = evtchn_alloc_io(u1, 0, u2->id);
	run(u2, 0);
	peer = (port_t)do_bind(u1->id, (port_t)port);
	evtchn_close_io(u1, (port_t)port);
	CHECK_EQ(u1->evtchn.io_ports, 0);
	CHECK_EQ(u1->evtchn.active, 0);
	CHECK_EQ(do_status(2, peer, 0).status, EVTCHNSTAT_unbound);
	/* the port is an ordinary one again */
	run(u1, 0);
	CHECK_EQ(do_alloc(DOMID_SELF, 2), port);
	CHECK_EQ(do_close((port_t)port), 0);
	evtchn_close_io(u1, (port_t)port);
	evtchn_close_io(u1, 100000);
	CHECK(evtchn_alloc_io(u1, 0, u2->id) > 0);
	fixture_end();
	CHECK_EQ(u1->evtchn.io_ports, 0);
}
