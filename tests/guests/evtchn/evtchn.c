/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels of an unprivileged guest: what is its own works, what is
 * others' is refused, and no number is too large.
 */
#include "guest.h"

DEFINE_PAGE(control);

static long evtchn(unsigned int op, void *arg)
{
	return HC2(__HYPERVISOR_event_channel_op, op, arg);
}

static void own_ports(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};
	struct evtchn_close c;
	struct evtchn_send s;

	check_eq(evtchn(EVTCHNOP_alloc_unbound, &a), 0, "a port can be allocated");
	b.remote_port = a.port;
	check_eq(evtchn(EVTCHNOP_bind_interdomain, &b), 0, "and bound to itself");
	s.port = b.local_port;
	check_eq(evtchn(EVTCHNOP_send, &s), 0, "and sent to");
	check_eq(evtchn(EVTCHNOP_bind_interdomain, &b), -EINVAL, "a bound port cannot be bound again");
	c.port = b.local_port;
	check_eq(evtchn(EVTCHNOP_close, &c), 0, "a port can be closed");
	check_eq(evtchn(EVTCHNOP_send, &s), -EINVAL, "a closed port cannot be sent to");
	check_eq(evtchn(EVTCHNOP_close, &c), -EINVAL, "nor closed again");
}

static void forbidden(void)
{
	struct evtchn_alloc_unbound a = {.dom = 0, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = 0, .remote_port = 1};
	struct evtchn_bind_interdomain nobody = {.remote_dom = 0x7000, .remote_port = 1};
	struct evtchn_bind_virq far = {.virq = 1000};
	struct evtchn_bind_virq other = {.virq = VIRQ_TIMER, .vcpu = 4000};
	struct evtchn_bind_pirq p = {.pirq = 4};
	struct evtchn_bind_ipi ipi = {.vcpu = 4000};
	struct evtchn_send s = {.port = ~0U};
	struct evtchn_unmask u = {.port = 1U << 30};
	struct evtchn_status st = {.dom = 0, .port = 1};
	struct evtchn_reset r = {.dom = 0};
	struct evtchn_bind_vcpu bv = {.port = 1, .vcpu = 4000};

	check_eq(evtchn(EVTCHNOP_alloc_unbound, &a), -EPERM, "no port in another domain");
	check_eq(evtchn(EVTCHNOP_bind_interdomain, &b), -EINVAL, "no port of dom0 that is not for us");
	check_eq(evtchn(EVTCHNOP_bind_interdomain, &nobody), -ESRCH, "no port of nobody");
	check_eq(evtchn(EVTCHNOP_bind_virq, &far), -EINVAL, "no virq 1000");
	check_eq(evtchn(EVTCHNOP_bind_virq, &other), -ENOENT, "no virq of vCPU 4000");
	check(evtchn(EVTCHNOP_bind_pirq, &p) < 0, "no hardware interrupt");
	check_eq(evtchn(EVTCHNOP_bind_ipi, &ipi), -ENOENT, "no IPI to vCPU 4000");
	check_eq(evtchn(EVTCHNOP_send, &s), -EINVAL, "no port 4 billion");
	check_eq(evtchn(EVTCHNOP_unmask, &u), -EINVAL, "no unmask of port 1 billion");
	check_eq(evtchn(EVTCHNOP_status, &st), -EPERM, "no look at dom0's ports");
	check_eq(evtchn(EVTCHNOP_reset, &r), -EPERM, "no reset of dom0");
	check_eq(evtchn(EVTCHNOP_bind_vcpu, &bv), -ENOENT, "no binding to vCPU 4000");
	check_eq(evtchn(99, &bv), -ENOSYS, "no operation 99");
}

/* All ports it may have, and then none more. */
static void exhaust(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = 0};
	long rc = 0;
	unsigned int n = 0;

	while (n < 200000 && !(rc = evtchn(EVTCHNOP_alloc_unbound, &a)))
		n++;
	check_eq(rc, -ENOSPC, "ports end at the domain's limit");
	for (unsigned int port = 1; port <= a.port; port++) {
		struct evtchn_close c = {.port = port};

		if (port != start_info->console.domU.evtchn && port != start_info->store_evtchn)
			evtchn(EVTCHNOP_close, &c);
	}
	check_eq(evtchn(EVTCHNOP_alloc_unbound, &a), 0, "and can be had again");
}

/* FIFO: a control block and array that the guest then fills with nonsense. */
static void hostile_fifo(void)
{
	struct evtchn_init_control i = {.control_gfn = 0xffffffffffUL, .vcpu = 0};
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};
	struct evtchn_expand_array e;
	static uint8_t array[PAGE_SIZE] __attribute__((aligned(4096)));

	check(evtchn(EVTCHNOP_init_control, &i) < 0, "a control block that is no frame is refused");
	i.control_gfn = va_to_mfn(control);
	i.offset = PAGE_SIZE - 8;
	check_eq(evtchn(EVTCHNOP_init_control, &i), -EINVAL, "one across a page is refused");
	i.offset = 4;
	check_eq(evtchn(EVTCHNOP_init_control, &i), -EINVAL, "one that is not aligned is refused");
	i.offset = 0;
	check_eq(evtchn(EVTCHNOP_init_control, &i), 0, "a good one is taken");
	check(evtchn(EVTCHNOP_init_control, &i) < 0, "but only once");
	check(remap(control, pt_mfn(control, 1) << 12 | PTE_RW_FLAGS) < 0, "(page tables stay so)");
	e.array_gfn = va_to_mfn(array);
	check_eq(evtchn(EVTCHNOP_expand_array, &e), 0, "an event array is taken");
	evtchn(EVTCHNOP_alloc_unbound, &a);
	b.remote_port = a.port;
	evtchn(EVTCHNOP_bind_interdomain, &b);
	for (unsigned int round = 0; round < 2000; round++) {
		struct evtchn_send s = {.port = b.local_port};
		struct evtchn_unmask u = {.port = a.port};

		for (unsigned int k = 0; k < PAGE_SIZE / 4; k++)
			((volatile uint32_t *)array)[k] = round * 2654435761U + k * 40503U;
		for (unsigned int k = 0; k < 16; k++)
			((volatile uint32_t *)control)[k] = round * 2246822519U + k;
		evtchn(EVTCHNOP_send, &s);
		evtchn(EVTCHNOP_unmask, &u);
	}
	check(true, "nonsense in its own queues harms only itself");
}

void guest_test(void)
{
	own_ports();
	forbidden();
	exhaust();
	/* the console's port keeps working on the 2-level ABI's words no more: last */
	hostile_fifo();
}
