/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's life: created with each acquisition failing in turn, referenced,
 * paused, crashed, and destroyed with each step asking to be called again.
 * The subsystems are played by counters that must balance.
 *
 * Links: domain/domain.c lib/bits.c
 */
#include "cpu/softirq.h"
#include "dev/acpi.h"
#include "dev/irq.h"
#include "fake/fake.h"
#include "lib/printk.h"
#include "mm/alloc.h"

#include <xen/domctl.h>
#include <xen/sched.h>

static int held;        /* resources acquired and not given back */
static int fail_at;     /* the n-th acquisition fails (0: none) */
static int restarts;    /* so many teardown calls ask to be called again */
static unsigned int dom_exc, sleeps, wakes;

static int acquire(void)
{
	if (fail_at && --fail_at == 0)
		return -ENOMEM;
	held++;
	return 0;
}

static int teardown_step(void)
{
	return restarts > 0 && restarts-- ? -ERESTART : 0;
}

void *heap_alloc(size_t size)
{
	return acquire() ? NULL : calloc(1, size);
}

void heap_free(void *p)
{
	held -= p != NULL;
	free(p);
}

void *hyp_page_alloc_zeroed(void)
{
	return acquire() ? NULL : calloc(1, PAGE_SIZE);
}

void hyp_pages_free(void *v, unsigned int order)
{
	held--;
	free(v);
}

void page_share(void *v, struct domain *d, bool writable)
{
}

void page_unshare_free(void *v)
{
	hyp_pages_free(v, 0);
}

#define PART(init, fini)                                                                           \
	init                                                                                       \
	{                                                                                          \
		return acquire();                                                                  \
	}                                                                                          \
	fini                                                                                       \
	{                                                                                          \
		held--;                                                                            \
	}
PART(int evtchn_domain_init(struct domain *d, uint32_t n), void evtchn_domain_free(struct domain *d))
PART(int pirq_domain_init(struct domain *d), void pirq_domain_free(struct domain *d))
PART(int grant_domain_init(struct domain *d, int32_t a, int32_t b, unsigned int c),
     void grant_domain_destroy(struct domain *d))
PART(int fpu_state_init(struct fpu_state *f), void fpu_state_fini(struct fpu_state *f))
PART(int pv_vcpu_init(struct vcpu *v), void pv_vcpu_fini(struct vcpu *v))

int sched_vcpu_init(struct vcpu *v)
{
	v->sched.pause_count = 1;
	return acquire();
}

void sched_vcpu_fini(struct vcpu *v)
{
	held--;
}

int mm_domain_init(struct domain *d)
{
	return 0;
}

int evtchn_domain_destroy(struct domain *d)
{
	return teardown_step();
}

int grant_domain_release_mappings(struct domain *d)
{
	return teardown_step();
}

static int rc_of_another_destroyer;

int pirq_domain_destroy(struct domain *d)
{
	rc_of_another_destroyer = domain_destroy(d);
	return teardown_step();
}

int pv_vcpu_relinquish(struct vcpu *v)
{
	return teardown_step();
}

int mm_domain_relinquish(struct domain *d)
{
	return teardown_step();
}

void evtchn_send_global_virq(unsigned int virq)
{
	dom_exc += virq == VIRQ_DOM_EXC;
}

void vcpu_sleep(struct vcpu *v)
{
	sleeps++;
}

void vcpu_sleep_wait(struct vcpu *v)
{
	sleeps++;
}

void vcpu_wake(struct vcpu *v)
{
	wakes++;
}

void evtchn_vcpu_init(struct vcpu *v)
{
}
void sched_domain_init(struct domain *d)
{
}
void sched_domain_fini(struct domain *d)
{
}
void sched_vcpu_relinquish(struct vcpu *v)
{
}
void vtime_domain_init(struct domain *d)
{
}
void vtime_vcpu_init(struct vcpu *v)
{
}
void vtime_vcpu_fini(struct vcpu *v)
{
}
void rangeset_init(struct rangeset *r)
{
}
void rangeset_fini(struct rangeset *r)
{
}
void softirq_raise(enum softirq nr)
{
}
no_return void machine_power_off(void)
{
	panic("power off");
}
no_return void machine_reboot(void)
{
	panic("reboot");
}

static struct xen_domctl_createdomain config;
static struct vcpu controller_vcpu;
static struct domain controller = {.id = 0, .is_privileged = true, .references = 1};

static void setup(void)
{
	list_init(&domain_list);
	config = (struct xen_domctl_createdomain){
		.max_vcpus = 2, .max_evtchn_port = 1023, .max_grant_frames = 4};
	controller_vcpu.domain = &controller;
	fake_vcpu_run(&controller_vcpu, 0);
	held = fail_at = restarts = 0;
	dom_exc = sleeps = wakes = 0;
}

static struct domain *create(domid_t id)
{
	struct domain *d = NULL;

	CHECK_EQ(domain_create(id, &config, false, &d), 0);
	CHECK_EQ(vcpu_create(d, 0), 0);
	CHECK_EQ(vcpu_create(d, 1), 0);
	return d;
}

static void destroy(struct domain *d)
{
	int rc;

	while ((rc = domain_destroy(d)) == -ERESTART)
		;
	CHECK_EQ(rc, 0);
}

TEST(domain_creation_unwinds_at_each_step)
{
	struct domain *d;
	int steps = 0, rc;

	setup();
	do {
		fail_at = ++steps;
		rc = domain_create(5, &config, false, &d);
		if (rc) {
			CHECK_EQ(rc, -ENOMEM);
			CHECK_EQ(held, 0);
			CHECK(list_is_empty(&domain_list));
		}
	} while (rc);
	CHECK_EQ(steps, 6); /* five acquisitions */
	fail_at = 0;
	destroy(d);
	CHECK_EQ(held, 0);
}

TEST(vcpu_creation_unwinds_at_each_step)
{
	struct domain *d;
	int steps = 0, rc, before;

	setup();
	CHECK_EQ(domain_create(5, &config, false, &d), 0);
	before = held;
	do {
		fail_at = ++steps;
		rc = vcpu_create(d, 0);
		if (rc) {
			CHECK_EQ(held, before);
			CHECK(!d->vcpus[0]);
		}
	} while (rc);
	CHECK_EQ(steps, 5);
	fail_at = 0;
	CHECK_EQ(vcpu_create(d, 0), -EEXIST);
	CHECK_EQ(vcpu_create(d, 2), -EINVAL);
	destroy(d);
	CHECK_EQ(held, 0);
}

TEST(domain_creation_checks_its_configuration)
{
	struct domain *d;

	setup();
#define REFUSED(field, value, error)                                                               \
	do {                                                                                       \
		struct xen_domctl_createdomain saved = config;                                     \
                                                                                                   \
		config.field = (value);                                                            \
		CHECK_EQ(domain_create(5, &config, false, &d), error);                             \
		config = saved;                                                                    \
	} while (0)
	REFUSED(flags, XEN_DOMCTL_CDF_hvm, -EOPNOTSUPP);
	REFUSED(flags, XEN_DOMCTL_CDF_iommu, -EOPNOTSUPP);
	REFUSED(flags, 1U << 31, -EINVAL);
	REFUSED(max_vcpus, 0, -EINVAL);
	REFUSED(max_vcpus, MAX_VCPUS + 1, -EINVAL);
	REFUSED(cpupool_id, 1, -EINVAL);
	REFUSED(vmtrace_size, 4096, -EINVAL);
	REFUSED(iommu_opts, 1, -EINVAL);
	REFUSED(arch.emulation_flags, 1, -EINVAL);
	REFUSED(arch.misc_flags, 2, -EINVAL);
	REFUSED(grant_opts, 1U << 31, -EINVAL);
	CHECK_EQ(held, 0);
}

TEST(domain_ids_are_unique_and_chosen)
{
	struct domain *a, *b, *c;

	setup();
	a = create(7);
	CHECK_EQ(domain_create(7, &config, false, &b), -EEXIST);
	CHECK_EQ(domain_create(DOMID_FIRST_RESERVED, &config, false, &b), -EINVAL);
	b = create(DOMID_INVALID);
	c = create(DOMID_INVALID);
	CHECK(b->id != c->id && b->id != 7 && c->id != 7);
	CHECK_EQ(domain_get(7), a);
	domain_put(a);
	destroy(a);
	destroy(b);
	destroy(c);
	CHECK(!domain_get(7));
	CHECK_EQ(held, 0);
}

TEST(domain_destroy_goes_on_where_it_was)
{
	struct domain *d;
	int calls = 1, rc;

	setup();
	d = create(5);
	restarts = 9;
	while ((rc = domain_destroy(d)) == -ERESTART)
		calls++;
	CHECK_EQ(rc, 0);
	CHECK_EQ(calls, 10);
	CHECK_EQ(held, 0);
	CHECK(dom_exc >= 2); /* dying, then gone */
}

TEST(domain_outlives_its_destruction_while_held)
{
	struct domain *d;

	setup();
	d = create(5);
	CHECK_EQ(domain_get(5), d);
	destroy(d);
	CHECK(held > 0);
	CHECK(d->is_dead);
	CHECK(!domain_get_live(5));
	CHECK_EQ(domain_destroy(d), -ESRCH);
	domain_put(d);
	CHECK_EQ(held, 0);
}

/* zl and the domain's monitor: neither may take it for an error. */
TEST(domain_destroyed_by_two_at_once)
{
	setup();
	rc_of_another_destroyer = 0;
	destroy(create(5));
	CHECK_EQ(rc_of_another_destroyer, -ERESTART);
	CHECK_EQ(held, 0);
}

TEST(domain_that_asks_cannot_destroy_itself)
{
	setup();
	CHECK_EQ(domain_destroy(&controller), -EINVAL);
}

TEST(domain_control_is_checked)
{
	struct domain *a, *b, *out;

	setup();
	a = create(5);
	b = create(6);
	CHECK_EQ(domain_get_controlled(5, &out), 0);
	domain_put(out);
	CHECK_EQ(domain_get_controlled(99, &out), -ESRCH);
	fake_vcpu_run(a->vcpus[0], 0);
	CHECK_EQ(domain_get_controlled(6, &out), -EPERM);
	CHECK_EQ(domain_get_controlled(DOMID_SELF, &out), 0);
	CHECK_EQ(out, a);
	domain_put(out);
	fake_vcpu_run(&controller_vcpu, 0);
	destroy(a);
	destroy(b);
}

TEST(domain_pauses_nest)
{
	struct domain *d;

	setup();
	d = create(5); /* paused once */
	CHECK_EQ(domain_pause_by_controller(d), 0);
	CHECK_EQ(domain_unpause_by_controller(d), 0);
	CHECK_EQ(wakes, 0);
	CHECK_EQ(domain_unpause_by_controller(d), 0);
	CHECK_EQ(wakes, 2);
	CHECK_EQ(domain_unpause_by_controller(d), -EINVAL);
	CHECK_EQ(domain_pause_by_controller(&controller), -EINVAL);
	for (int i = 0; i < 255; i++)
		CHECK_EQ(domain_pause_by_controller(d), 0);
	CHECK_EQ(domain_pause_by_controller(d), -EBUSY);
	destroy(d);
}

TEST(domain_crash_records_the_first_reason)
{
	struct domain *d;

	setup();
	d = create(5);
	domain_crash(d, "first %d", 1);
	domain_crash(d, "second");
	CHECK(!strcmp(d->reason, "first 1"));
	CHECK_EQ(d->shutdown_code, SHUTDOWN_crash);
	CHECK(d->is_shut_down);
	CHECK_EQ(dom_exc, 1);
	domain_shutdown(d, SHUTDOWN_poweroff);
	CHECK_EQ(d->shutdown_code, SHUTDOWN_crash);
	destroy(d);
	CHECK_EQ(held, 0);
}

TEST(dom0_ending_ends_the_machine)
{
	setup();
	dom0 = &controller;
	CHECK_PANIC(domain_shutdown(&controller, SHUTDOWN_poweroff));
	CHECK(!strcmp(fake_panic_text, "power off"));
	CHECK_PANIC(domain_shutdown(&controller, SHUTDOWN_reboot));
	CHECK(!strcmp(fake_panic_text, "reboot"));
	controller.has_shutdown_code = false;
	CHECK_PANIC(domain_shutdown(&controller, SHUTDOWN_crash));
	dom0 = NULL;
}
