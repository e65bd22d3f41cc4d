/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYPERVISOR_sched_op, vcpu_op and set_timer_op: what each refuses and what
 * it does, with the scheduler itself replaced by records of what was asked.
 *
 * Links: sched/sched_op.c sched/vcpu_op.c sched/vcpu_info.c sched/vcpu_area.c time/vtime.c
 * Links: time/timer.c time/scale.c lib/bits.c
 */
#include "fake.h"

#include "cpu/softirq.h"
#include "cpu/trap.h"
#include "dev/acpi.h"
#include "hvm/p2m.h"
#include "hvm/vcpu.h"
#include "pv/pv.h"
#include "sched/sched.h"
#include "time/time.h"

#include <xen/sched.h>

struct acpi_info acpi_info;

static struct domain *d;
static struct vcpu *v0, *v1;
static unsigned int raised, woken, slept, kicked, yielded, virqs, moved;
static bool has_upcall, is_stable;
static int shutdown_code;
static struct domain *shutdown_domain;
static unsigned long pending_ports; /* of 64 */
static int context_rc;

/* --- what the hypercalls call --- */

void softirq_raise(enum softirq nr)
{
	(void)nr;
	raised++;
}

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	(void)cpu;
	softirq_raise(nr);
}

void vcpu_wake(struct vcpu *v)
{
	(void)v;
	woken++;
}

void vcpu_sleep(struct vcpu *v)
{
	(void)v;
	slept++;
}

void vcpu_kick(struct vcpu *v)
{
	(void)v;
	kicked++;
}

void vcpu_yield(void)
{
	yielded++;
}

void vcpu_block(void)
{
	atomic_bit_set(&current->flags, VCPU_F_BLOCKED);
}

int sched_pin_override(struct vcpu *v, int cpu)
{
	(void)v;
	return cpu > 7 ? -EINVAL : 0;
}

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out)
{
	(void)v;
	out->state = RUNSTATE_running;
	out->time[0] = 4711;
}

bool vcpu_has_wakeup(const struct vcpu *v)
{
	(void)v;
	return has_upcall;
}

int evtchn_is_pending(struct domain *dom, port_t port)
{
	(void)dom;
	CHECK(bit_test(&current->flags, VCPU_F_POLLING));
	return port == 0 || port >= 64 ? -EINVAL : (int)(pending_ports >> port & 1);
}

void evtchn_send_virq(struct vcpu *v, unsigned int virq)
{
	(void)v;
	CHECK_EQ(virq, VIRQ_TIMER);
	virqs++;
}

void evtchn_vcpu_info_moved(struct vcpu *v)
{
	(void)v;
	moved++;
}

void domain_shutdown(struct domain *dom, uint8_t code)
{
	shutdown_domain = dom;
	shutdown_code = code;
}

int vcpu_context_set(struct vcpu *v, const struct vcpu_guest_context *ctx)
{
	(void)ctx;
	if (!context_rc)
		v->initialised = true;
	return context_rc;
}

void wallclock_get(uint64_t *sec, uint32_t *nsec)
{
	*sec = 0x123456789;
	*nsec = 42;
}

bool time_is_stable(void)
{
	return is_stable;
}

static struct time_base base = {1000, 2000};

const struct time_base *time_base(void)
{
	return &base;
}

const struct tsc_scale *time_scale(void)
{
	static struct tsc_scale s;

	tsc_scale_set(&s, 3000000000, 1000000000);
	return &s;
}

/* Linear address n * 4096 is mapped by entry n. */
static uint64_t ptes[16];

bool pv_walk(struct vcpu *v, uint64_t va, uint64_t *l1e, paddr_t *l1e_paddr)
{
	(void)v;
	if (va >> 12 >= ARRAY_SIZE(ptes))
		return false;
	*l1e = ptes[va >> 12];
	*l1e_paddr = 0;
	return true;
}

bool page_get_writable(struct page *pg)
{
	if (page_type(pg) != PAGE_WRITABLE && page_type_count(pg))
		return false;
	pg->type = (uint64_t)PAGE_WRITABLE << PAGE_TYPE_SHIFT | (page_type_count(pg) + 1);
	return true;
}

void page_put_and_type(struct page *pg)
{
	pg->type--;
	page_put(pg);
}

static void begin(void)
{
	fake_cpu_set(0);
	cpumask_set(&cpu_online, 0);
	d = fake_domain(7, 2);
	v0 = d->vcpus[0];
	v1 = d->vcpus[1];
	d->shared_info = calloc(1, sizeof(*d->shared_info));
	for (unsigned int i = 0; i < 2; i++) {
		struct vcpu *v = d->vcpus[i];

		v->info = &d->shared_info->vcpu_info[i];
		v->initialised = true;
		vtime_vcpu_init(v);
		timer_init(&v->sched.poll_timer, NULL, v, 0);
	}
	atomic_bit_set(&v1->flags, VCPU_F_DOWN);
	fake_vcpu_run(v0, 0);
	raised = woken = slept = kicked = yielded = virqs = moved = 0;
	has_upcall = false;
	is_stable = true;
	shutdown_code = -1;
	shutdown_domain = NULL;
	pending_ports = 0;
	context_rc = 0;
	memset(ptes, 0, sizeof(ptes));
	fake_guest_any = true;
	fake_time = 1000000;
}

static void end(void)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		vtime_vcpu_fini(v);
		timer_stop(&v->sched.poll_timer);
	}
	free(d->shared_info);
}

#define OPS_TEST(name)                \
	static void ops_##name(void); \
	TEST(name)                    \
	{                             \
		begin();              \
		ops_##name();         \
		end();                \
	}                             \
	static void ops_##name(void)

static long sched_op(unsigned long op, const void *arg)
{
	uint64_t args[5] = {op, (uint64_t)arg};

	return hypercall_sched_op(args);
}

static long vcpu_op(unsigned long op, unsigned long id, const void *arg)
{
	uint64_t args[5] = {op, id, (uint64_t)arg};

	return hypercall_vcpu_op(args);
}

/* --- sched_op --- */

OPS_TEST(sched_op_numbers)
{
	CHECK_EQ(sched_op(8, NULL), -ENOSYS);
	CHECK_EQ(sched_op(~0UL, NULL), -ENOSYS);
	CHECK_EQ(sched_op(SCHEDOP_yield, NULL), 0);
	CHECK_EQ(yielded, 1);
}

OPS_TEST(block_enables_events)
{
	v0->info->evtchn_upcall_mask = 1;
	CHECK_EQ(sched_op(SCHEDOP_block, NULL), 0);
	CHECK_EQ(v0->info->evtchn_upcall_mask, 0);
	CHECK(bit_test(&v0->flags, VCPU_F_BLOCKED));
}

OPS_TEST(shutdown)
{
	struct sched_shutdown s = {SHUTDOWN_reboot};

	CHECK_EQ(sched_op(SCHEDOP_shutdown, NULL), -EFAULT);
	CHECK_EQ(sched_op(SCHEDOP_shutdown, &s), 0);
	CHECK(shutdown_domain == d);
	CHECK_EQ(shutdown_code, SHUTDOWN_reboot);
	shutdown_code = -1;
	s.reason = SHUTDOWN_MAX + 1;
	CHECK_EQ(sched_op(SCHEDOP_shutdown, &s), -EINVAL);
	CHECK_EQ(sched_op(SCHEDOP_shutdown_code, &s), -EINVAL);
	s.reason = 0x100;
	CHECK_EQ(sched_op(SCHEDOP_shutdown, &s), -EINVAL);
	CHECK_EQ(shutdown_code, -1);
	s.reason = SHUTDOWN_crash;
	CHECK_EQ(sched_op(SCHEDOP_shutdown_code, &s), 0);
	CHECK_EQ(shutdown_code, -1);
	CHECK(d->has_shutdown_code);
	CHECK_EQ(d->shutdown_code, SHUTDOWN_crash);
}

static long poll(const port_t *ports, unsigned int n, uint64_t timeout)
{
	struct sched_poll p = {.nr_ports = n, .timeout = timeout};

	p.ports.p = (port_t *)ports;
	return sched_op(SCHEDOP_poll, &p);
}

OPS_TEST(poll_refuses)
{
	static const port_t bad[] = {5, 64}, zero[] = {0};
	static port_t many[129];

	CHECK_EQ(sched_op(SCHEDOP_poll, NULL), -EFAULT);
	CHECK_EQ(poll(bad, 2, 0), -EINVAL);
	CHECK_EQ(poll(zero, 1, 0), -EINVAL);
	CHECK_EQ(poll(many, 129, 0), -EINVAL);
	CHECK_EQ(poll(many, ~0u, 0), -EINVAL);
	CHECK_EQ(poll(NULL, 1, 0), -EFAULT);
	CHECK(!bit_test(&v0->flags, VCPU_F_POLLING));
	CHECK_EQ(v0->evtchn.poll_port, 0);
	CHECK_EQ(raised, 0);
}

OPS_TEST(poll_waits)
{
	static const port_t ports[] = {5, 6};

	CHECK_EQ(poll(ports, 1, 0), 0);
	CHECK(bit_test(&v0->flags, VCPU_F_POLLING));
	CHECK_EQ(v0->evtchn.poll_port, 5);
	CHECK_EQ(raised, 1);
	CHECK(!v0->sched.poll_timer.is_set);
	CHECK_EQ(poll(ports, 2, 5000000), 0);
	CHECK_EQ(v0->evtchn.poll_port, POLL_PORT_MANY);
	CHECK(v0->sched.poll_timer.is_set);
	CHECK_EQ(v0->sched.poll_timer.expires, 5000000);
	/* no ports: only the time */
	CHECK_EQ(poll(NULL, 0, 6000000), 0);
	CHECK_EQ(v0->sched.poll_timer.expires, 6000000);
}

OPS_TEST(poll_returns_at_once)
{
	static const port_t ports[] = {5, 6};

	pending_ports = 1 << 6;
	CHECK_EQ(poll(ports, 2, 5000000), 0);
	CHECK(!bit_test(&v0->flags, VCPU_F_POLLING));
	CHECK(!v0->sched.poll_timer.is_set);
	pending_ports = 0;
	has_upcall = true;
	CHECK_EQ(poll(ports, 2, 5000000), 0);
	CHECK(!bit_test(&v0->flags, VCPU_F_POLLING));
	CHECK_EQ(raised, 0);
}

OPS_TEST(remote_shutdown)
{
	struct sched_remote_shutdown s = {7, SHUTDOWN_poweroff};
	struct domain *other = fake_domain(9, 1);

	CHECK_EQ(sched_op(SCHEDOP_remote_shutdown, NULL), -EFAULT);
	d->is_privileged = true;
	CHECK_EQ(sched_op(SCHEDOP_remote_shutdown, &s), -EPERM);
	s.domain_id = 33;
	CHECK_EQ(sched_op(SCHEDOP_remote_shutdown, &s), -ESRCH);
	s.domain_id = 9;
	s.reason = SHUTDOWN_MAX + 1;
	CHECK_EQ(sched_op(SCHEDOP_remote_shutdown, &s), -EINVAL);
	s.reason = SHUTDOWN_crash;
	CHECK_EQ(shutdown_code, -1);
	CHECK_EQ(sched_op(SCHEDOP_remote_shutdown, &s), 0);
	CHECK(shutdown_domain == other);
	CHECK_EQ(other->references, 1);
	d->is_privileged = false;
	CHECK_EQ(sched_op(SCHEDOP_remote_shutdown, &s), -EPERM);
	CHECK_EQ(other->references, 1);
}

static long watchdog(uint32_t id, uint32_t timeout)
{
	struct sched_watchdog w = {id, timeout};

	return sched_op(SCHEDOP_watchdog, &w);
}

void sched_watchdogs_init(struct domain *d);

OPS_TEST(watchdogs)
{
	sched_watchdogs_init(d);
	CHECK_EQ(sched_op(SCHEDOP_watchdog, NULL), -EFAULT);
	CHECK_EQ(watchdog(0, 0), -EINVAL);
	CHECK_EQ(watchdog(1, 5), -EINVAL);
	CHECK_EQ(watchdog(3, 5), -EINVAL);
	CHECK_EQ(watchdog(~0u, 5), -EINVAL);
	CHECK_EQ(watchdog(0, 5), 1);
	CHECK_EQ(watchdog(0, 10), 2);
	CHECK_EQ(watchdog(0, 5), -ENOSPC);
	CHECK_EQ(watchdog(1, 20), 0);
	CHECK_EQ(d->sched.watchdogs[0].expires, fake_time + 20000000000);
	CHECK_EQ(watchdog(1, 0), 0);
	CHECK_EQ(watchdog(1, 0), -EINVAL);
	CHECK(!d->sched.watchdogs[0].is_set);
	fake_time += 10000000000;
	timer_softirq();
	CHECK(shutdown_domain == d);
	CHECK_EQ(shutdown_code, SHUTDOWN_watchdog);
}

OPS_TEST(pin_override_is_dom0s)
{
	struct sched_pin_override p = {1};

	CHECK_EQ(sched_op(SCHEDOP_pin_override, &p), -EPERM);
	d->is_privileged = true;
	CHECK_EQ(sched_op(SCHEDOP_pin_override, NULL), -EFAULT);
	CHECK_EQ(sched_op(SCHEDOP_pin_override, &p), 0);
	p.pcpu = 8;
	CHECK_EQ(sched_op(SCHEDOP_pin_override, &p), -EINVAL);
	p.pcpu = INT32_MIN;
	CHECK_EQ(sched_op(SCHEDOP_pin_override, &p), 0);
}

/* --- vcpu_op --- */

OPS_TEST(vcpu_op_numbers)
{
	CHECK_EQ(vcpu_op(VCPUOP_is_up, 2, NULL), -ENOENT);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, 1UL << 32, NULL), -ENOENT);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, ~0UL, NULL), -ENOENT);
	CHECK_EQ(vcpu_op(14, 0, NULL), -ENOSYS);
	CHECK_EQ(vcpu_op(~0UL, 0, NULL), -ENOSYS);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, 0, NULL), 1);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}

OPS_TEST(initialise)
{
	static struct vcpu_guest_context ctx;

	v1->initialised = false;
	CHECK_EQ(vcpu_op(VCPUOP_up, 1, NULL), -EINVAL);
	CHECK_EQ(woken, 0);
	CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, NULL), -EFAULT);
	CHECK_EQ(vcpu_op(VCPUOP_initialise, 0, &ctx), -EEXIST);
	context_rc = -EINVAL;
	CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &ctx), -EINVAL);
	context_rc = -ERESTART;
	CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &ctx), -ERESTART);
	CHECK(fake_continuation.set);
	CHECK_EQ(fake_continuation.op, __HYPERVISOR_vcpu_op);
	CHECK_EQ(fake_continuation.args[2], (uint64_t)&ctx);
	CHECK(!v1->initialised);
	context_rc = 0;
	atomic_bit_set(&v1->flags, VCPU_F_INITIALISING);
	CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &ctx), -EBUSY);
	atomic_bit_clear(&v1->flags, VCPU_F_INITIALISING);
	CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &ctx), 0);
	CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &ctx), -EEXIST);
	CHECK_EQ(vcpu_op(VCPUOP_up, 1, NULL), 0);
	CHECK_EQ(woken, 1);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 1);
	CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &ctx), -EEXIST);
	CHECK_EQ(fake_heap_objects, 0);
}

OPS_TEST(down_and_the_last_one)
{
	CHECK_EQ(vcpu_op(VCPUOP_up, 1, NULL), 0);
	CHECK_EQ(vcpu_op(VCPUOP_down, 0, NULL), 0);
	CHECK_EQ(slept, 1);
	CHECK(bit_test(&v0->flags, VCPU_F_DOWN));
	CHECK_EQ(shutdown_code, -1);
	CHECK_EQ(vcpu_op(VCPUOP_down, 1, NULL), 0);
	CHECK_EQ(shutdown_code, SHUTDOWN_poweroff);
}

OPS_TEST(runstate)
{
	struct vcpu_runstate_info info;

	CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, NULL), -EFAULT);
	CHECK_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
	CHECK_EQ(info.time[0], 4711);
}

static uint64_t pte_of(struct page *pg, bool writable)
{
	return page_to_mfn(pg).v << 12 | 5 | (writable ? 2 : 0);
}

static long runstate_area(unsigned long id, uint64_t va)
{
	struct vcpu_register_runstate_memory_area a = {.addr.p = va};

	return vcpu_op(VCPUOP_register_runstate_memory_area, id, &a);
}

OPS_TEST(areas_refused)
{
	struct page *own = fake_frame_alloc(d), *table = fake_frame_alloc(d);
	struct page *others = fake_frame_alloc(fake_domain(9, 1));

	table->type = (uint64_t)PAGE_L1 << PAGE_TYPE_SHIFT | 1;
	ptes[1] = pte_of(own, true);
	ptes[2] = pte_of(own, false);
	ptes[3] = pte_of(table, true);
	ptes[4] = pte_of(others, true);
	CHECK_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, NULL), -EFAULT);
	CHECK_EQ(runstate_area(0, 0x1004), -EINVAL);
	CHECK_EQ(runstate_area(0, 0x2000), -EFAULT);
	CHECK_EQ(runstate_area(0, 0x3000), -EINVAL);
	CHECK_EQ(runstate_area(0, 0x4000), -EINVAL);
	CHECK_EQ(runstate_area(0, 0x5000), -EFAULT);
	/* across into a page that will not do: the first is given back */
	CHECK_EQ(runstate_area(0, 0x1ff8), -EFAULT);
	CHECK_EQ(page_type_count(own), 0);
	CHECK_EQ(own->count & PAGE_COUNT_MASK, 1);
	CHECK_EQ(runstate_area(0, 0xffff820000000000), -EFAULT);
	CHECK_EQ(runstate_area(0, 0xffff87fffffffff0), -EFAULT);
	CHECK_EQ(runstate_area(0, 0x00007ffffffffff8), -EFAULT);
	CHECK_EQ(runstate_area(0, 0x0000800000000000), -EFAULT);
	CHECK_EQ(runstate_area(0, 0xfffffffffffffff8), -EFAULT);
	CHECK(!vcpu_area_is_set(&v0->sched.runstate_area));
}

OPS_TEST(area_across_two_pages)
{
	struct page *a = fake_frame_alloc(d), *b = fake_frame_alloc(d);
	struct vcpu_runstate_info info;

	ptes[1] = pte_of(a, true);
	ptes[2] = pte_of(b, true);
	CHECK_EQ(runstate_area(1, 0x1ff0), 0);
	memcpy(&info, (char *)page_to_virt(a) + 0xff0, 16);
	memcpy((char *)&info + 16, page_to_virt(b), sizeof(info) - 16);
	CHECK_EQ(info.state, RUNSTATE_running);
	CHECK_EQ(info.time[0], 4711);
	CHECK_EQ(page_type_count(a), 1);
	CHECK_EQ(page_type_count(b), 1);
	/* nothing is written past its end */
	vcpu_area_write(&v1->sched.runstate_area, sizeof(info) - 4, "12345678", 8);
	CHECK_EQ(((char *)page_to_virt(b))[sizeof(info) - 16], 0);
	/* again elsewhere: the old frames are free */
	CHECK_EQ(runstate_area(1, 0x1000), 0);
	CHECK_EQ(page_type_count(a), 1);
	CHECK_EQ(page_type_count(b), 0);
	CHECK_EQ(runstate_area(1, 0), 0);
	CHECK_EQ(page_type_count(a), 0);
	CHECK_EQ(a->count & PAGE_COUNT_MASK, 1);
	vcpu_area_write(&v1->sched.runstate_area, 0, "1", 1);
}

static long info_register(unsigned long id, uint64_t mfn, uint32_t offset)
{
	struct vcpu_register_vcpu_info i = {mfn, offset, 0};

	return vcpu_op(VCPUOP_register_vcpu_info, id, &i);
}

OPS_TEST(vcpu_info_moves_once)
{
	struct page *own = fake_frame_alloc(d), *table = fake_frame_alloc(d);
	struct page *others = fake_frame_alloc(fake_domain(9, 1));
	uint64_t mfn = page_to_mfn(own).v;

	table->type = (uint64_t)PAGE_L4 << PAGE_TYPE_SHIFT | 1;
	CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, NULL), -EFAULT);
	CHECK_EQ(info_register(0, mfn, 4096 - 63), -ENXIO);
	CHECK_EQ(info_register(0, mfn, ~0u), -ENXIO);
	CHECK_EQ(info_register(0, mfn, 1), -EINVAL);
	CHECK_EQ(info_register(0, page_to_mfn(table).v, 0), -EINVAL);
	CHECK_EQ(info_register(0, page_to_mfn(others).v, 0), -EINVAL);
	CHECK_EQ(info_register(0, 1UL << 40, 0), -EINVAL);
	CHECK_EQ(info_register(0, ~0UL, 0), -EINVAL);
	/* another vCPU that may be running */
	atomic_bit_clear(&v1->flags, VCPU_F_DOWN);
	CHECK_EQ(info_register(1, mfn, 0), -EINVAL);
	CHECK_EQ(page_type_count(own), 0);
	CHECK_EQ(moved, 0);

	v0->info->evtchn_pending_sel = 0x55;
	CHECK_EQ(info_register(0, mfn, 4096 - 64), 0);
	CHECK((char *)v0->info == (char *)page_to_virt(own) + 4096 - 64);
	CHECK_EQ(v0->info->evtchn_pending_sel, 0x55);
	CHECK_EQ(moved, 1);
	CHECK_EQ(v0->info->time.tsc_timestamp, 1000);
	CHECK_EQ(info_register(0, mfn, 0), -EINVAL);
	CHECK_EQ(page_type_count(own), 1);
	atomic_bit_set(&v1->flags, VCPU_F_DOWN);
	CHECK_EQ(info_register(1, mfn, 0), 0);
	CHECK_EQ(page_type_count(own), 2);
	vcpu_info_release(v0);
	vcpu_info_release(v0);
	vcpu_info_release(v1);
	CHECK_EQ(page_type_count(own), 0);
	CHECK_EQ(own->count & PAGE_COUNT_MASK, 1);
}

/* Before they have one of their own they use a place that other domains' use too. */
OPS_TEST(vcpu_info_beyond_shared_info_begins_empty)
{
	struct page *own = fake_frame_alloc(d);

	v1->id = XEN_LEGACY_MAX_VCPUS;
	v1->info->arch.cr2 = 0x4711;
	atomic_bit_set(&v1->flags, VCPU_F_DOWN);
	CHECK_EQ(info_register(1, page_to_mfn(own).v, 0), 0);
	CHECK_EQ(v1->info->arch.cr2, 0);
	vcpu_info_release(v1);
	v1->id = 1;
}

OPS_TEST(singleshot)
{
	struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = 5000000};

	CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 1, &t), -EINVAL);
	CHECK_EQ(vcpu_op(VCPUOP_stop_singleshot_timer, 1, NULL), -EINVAL);
	CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, NULL), -EFAULT);
	CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
	fake_time = 5000000;
	timer_softirq();
	CHECK_EQ(virqs, 1);
	/* in the past: at once, unless that is to be told */
	t.timeout_abs_ns = 4000000;
	t.flags = VCPU_SSHOTTMR_future;
	CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), -ETIME);
	CHECK_EQ(virqs, 1);
	t.flags = 0;
	CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
	CHECK_EQ(virqs, 2);
	t.timeout_abs_ns = 9000000;
	CHECK_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &t), 0);
	CHECK_EQ(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	fake_time = 10000000;
	timer_softirq();
	CHECK_EQ(virqs, 2);
}

OPS_TEST(periodic)
{
	struct vcpu_set_periodic_timer t = {VTIME_PERIOD_MIN - 1};

	CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, NULL), -EFAULT);
	CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &t), -EINVAL);
	t.period_ns = 0;
	CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &t), -EINVAL);
	t.period_ns = VTIME_PERIOD_MAX + 1;
	CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &t), -EINVAL);
	t.period_ns = ~0UL;
	CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &t), -EINVAL);
	t.period_ns = 10000000;
	CHECK_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &t), 0);
	fake_time = 11000000;
	timer_softirq();
	CHECK_EQ(virqs, 1);
	CHECK_EQ(v0->time.periodic.expires, 21000000);
	/* late by two periods: one tick, and the beat is kept */
	fake_time = 44000000;
	timer_softirq();
	CHECK_EQ(virqs, 2);
	CHECK_EQ(v0->time.periodic.expires, 51000000);
	CHECK_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	fake_time = 99000000;
	timer_softirq();
	CHECK_EQ(virqs, 2);
}

OPS_TEST(set_timer_op)
{
	uint64_t args[5] = {7000000};

	CHECK_EQ(hypercall_set_timer_op(args), 0);
	CHECK_EQ(v0->time.singleshot.expires, 7000000);
	args[0] = 0;
	CHECK_EQ(hypercall_set_timer_op(args), 0);
	CHECK(!v0->time.singleshot.is_set);
	args[0] = ~0UL;
	CHECK_EQ(hypercall_set_timer_op(args), 0);
	CHECK_EQ(virqs, 0);
}

OPS_TEST(nmi_and_physid)
{
	struct vcpu_get_physid id;

	CHECK_EQ(vcpu_op(VCPUOP_send_nmi, 1, NULL), 0);
	CHECK(bit_test(&v1->flags, VCPU_F_NMI_PENDING));
	CHECK(v1->return_work);
	CHECK_EQ(kicked, 1);
	CHECK_EQ(vcpu_op(VCPUOP_send_nmi, 1, NULL), 0);
	CHECK_EQ(kicked, 1);
	CHECK_EQ(vcpu_op(VCPUOP_get_physid, 0, &id), -EINVAL);
	d->is_privileged = true;
	acpi_info.nr_cpus = 2;
	acpi_info.apic_ids[1] = 5;
	acpi_info.acpi_ids[1] = 9;
	CHECK_EQ(vcpu_op(VCPUOP_get_physid, 0, &id), -EINVAL);
	bit_set(v0->sched.affinity.bits, 1);
	CHECK_EQ(vcpu_op(VCPUOP_get_physid, 0, NULL), -EFAULT);
	CHECK_EQ(vcpu_op(VCPUOP_get_physid, 0, &id), 0);
	CHECK_EQ(id.phys_id, 5 | 9UL << 32);
	bit_set(v0->sched.affinity.bits, 2);
	CHECK_EQ(vcpu_op(VCPUOP_get_physid, 0, &id), -EINVAL);
}

/* --- time as the guest reads it --- */

static uint64_t guest_time(const struct vcpu_time_info *t, uint64_t tsc)
{
	struct tsc_scale s = {t->tsc_to_system_mul, t->tsc_shift};

	return t->system_time + tsc_scale_apply(&s, tsc - t->tsc_timestamp);
}

OPS_TEST(time_info)
{
	struct vcpu_time_info *t = &v0->info->time;
	uint32_t version;

	vtime_update(v0);
	CHECK_EQ(t->version % 2, 0);
	CHECK(t->version);
	CHECK_EQ(t->flags, XEN_PVCLOCK_TSC_STABLE_BIT);
	CHECK_EQ(guest_time(t, 1000 + 3000000000), 1000001999);
	/* nothing changes while the clock is stable */
	version = t->version;
	vtime_update(v0);
	CHECK_EQ(t->version, version);
	is_stable = false;
	base.tsc = 5000;
	vtime_update(v0);
	CHECK_EQ(t->version, version + 2);
	CHECK_EQ(t->flags, 0);
	CHECK_EQ(t->tsc_timestamp, 5000);
	base.tsc = 1000;
	/* what the guest writes there does not confuse us */
	t->version = 1;
	vtime_update(v0);
	CHECK_EQ(t->version, version + 4);
}

static long time_area(unsigned long id, uint64_t va)
{
	struct vcpu_register_time_memory_area a = {.addr.p = va};

	return vcpu_op(VCPUOP_register_vcpu_time_memory_area, id, &a);
}

OPS_TEST(time_area_is_a_copy)
{
	struct page *pg = fake_frame_alloc(d);
	struct vcpu_time_info *copy;

	ptes[1] = pte_of(pg, true);
	vtime_update(v0);
	CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, NULL), -EFAULT);
	CHECK_EQ(time_area(0, 0x2000), -EFAULT);
	CHECK_EQ(time_area(0, 0x1004), -EINVAL);
	CHECK_EQ(time_area(0, 0x1040), 0);
	copy = (struct vcpu_time_info *)((char *)page_to_virt(pg) + 0x40);
	CHECK(!memcmp(copy, &v0->info->time, sizeof(*copy)));
	is_stable = false;
	vtime_update(v0);
	CHECK(!memcmp(copy, &v0->info->time, sizeof(*copy)));
	CHECK_EQ(time_area(0, 0), 0);
	CHECK_EQ(page_type_count(pg), 0);
}

OPS_TEST(wall_clock)
{
	struct shared_info *s = d->shared_info;

	vtime_domain_init(d);
	CHECK_EQ(s->wc_version % 2, 0);
	CHECK_EQ(s->wc_sec, 0x23456789);
	CHECK_EQ(s->wc_sec_hi, 1);
	CHECK_EQ(s->wc_nsec, 42);
	d->wallclock_offset = -0x23456789L;
	s->wc_version = 7;
	vtime_update_wallclock(d);
	CHECK_EQ(s->wc_version, 8);
	CHECK_EQ(s->wc_sec, 0);
}

/* --- of a translated domain: its numbers for frames are one more than the machine's --- */

static struct page *own_frame;

struct page *page_get_guest_frame(struct domain *dom, uint64_t frame, bool is_write)
{
	struct page *pg = page_get_mfn(MFN(dom->type == DOMAIN_HVM ? frame - 1 : frame), dom);

	CHECK(is_write);
	if (pg && !page_get_writable(pg)) {
		page_put(pg);
		return NULL;
	}
	return pg;
}

int hvm_translate(struct vcpu *v, uint64_t linear, uint32_t access, uint64_t *gpa, uint32_t *error)
{
	CHECK(v == v0);
	CHECK_EQ(access, PF_WRITE);
	*error = 0;
	if (linear >> 12 != 0xffff880000000)
		return -EFAULT;
	*gpa = (page_to_mfn(own_frame).v + 1) << 12 | linear % PAGE_SIZE;
	return 0;
}

OPS_TEST(hvm_registers_by_its_own_addresses_and_frames)
{
	struct hvm_vcpu h = {.tsc_offset = 0};
	struct page *info = fake_frame_alloc(d);

	own_frame = fake_frame_alloc(d);
	d->type = DOMAIN_HVM;
	v0->hvm = v1->hvm = &h;
	CHECK_EQ(runstate_area(0, 0x1000), -EFAULT);
	CHECK_EQ(runstate_area(0, 0xffff880000000ff8), -EFAULT); /* its second page */
	CHECK_EQ(page_type_count(own_frame), 0);
	CHECK_EQ(runstate_area(0, 0xffff880000000040), 0); /* a PV guest's forbidden half */
	CHECK_EQ(page_type_count(own_frame), 1);
	CHECK_EQ(((struct vcpu_runstate_info *)((char *)page_to_virt(own_frame) + 0x40))->state,
		 RUNSTATE_running);
	CHECK_EQ(info_register(0, page_to_mfn(info).v + 1, 64), 0);
	CHECK((char *)v0->info == (char *)page_to_virt(info) + 64);
	vcpu_info_release(v0);
	CHECK_EQ(runstate_area(0, 0), 0);
	v0->hvm = v1->hvm = NULL;
	d->type = DOMAIN_PV;
}

OPS_TEST(hvm_starts_and_stops_vcpus_by_their_apics)
{
	static const unsigned int refused[] = {VCPUOP_initialise, VCPUOP_up, VCPUOP_down,
					       VCPUOP_send_nmi, VCPUOP_get_physid};
	unsigned long flags = v1->flags;

	d->type = DOMAIN_HVM;
	for (unsigned int i = 0; i < ARRAY_SIZE(refused); i++)
		CHECK_EQ(vcpu_op(refused[i], 1, NULL), -ENOSYS);
	CHECK_EQ(v1->flags, flags);
	CHECK_EQ(vcpu_op(VCPUOP_is_up, 0, NULL), 1);
	d->type = DOMAIN_PV;
}
