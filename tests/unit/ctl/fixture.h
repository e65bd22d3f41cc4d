/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of domctl, sysctl and xen_version stand on: records of what
 * they ask of the rest of the hypervisor, and its answers.
 */
#ifndef CTL_FIXTURE_H
#define CTL_FIXTURE_H

#include "fake.h"

#include "cpu/features.h"
#include "dev/console.h"
#include "hypercall/ctl.h"
#include "mm/alloc.h"
#include "pv/emulate.h"
#include "time/time.h"

static int answer;	   /* of whatever is asked next */
static unsigned int asked; /* how often */
static struct domain *last_domain;
static struct vcpu *last_vcpu;
static domid_t last_id;
static uint64_t last_values[2];
static unsigned int pauses;
static struct vcpu_guest_context last_context;

struct cpu_features cpu_features = {.phys_bits = 40};

static int ask(struct domain *d)
{
	asked++;
	last_domain = d;
	return answer;
}

int domain_create(domid_t id, const struct xen_domctl_createdomain *config, bool privileged,
		  struct domain **out)
{
	last_id = id;
	CHECK(!privileged);
	last_values[0] = config->max_vcpus;
	if (ask(NULL))
		return answer;
	*out = fake_domain(id == DOMID_INVALID ? 42 : id, config->max_vcpus);
	return 0;
}

int vcpu_create(struct domain *d, unsigned int id)
{
	last_values[0] = id;
	return ask(d);
}

int domain_destroy(struct domain *d)
{
	return ask(d);
}

int domain_pause_by_controller(struct domain *d)
{
	last_values[0] = 1;
	return ask(d);
}

int domain_unpause_by_controller(struct domain *d)
{
	last_values[0] = 0;
	return ask(d);
}

void domain_pause(struct domain *d)
{
	(void)d;
	pauses++;
}

void domain_unpause(struct domain *d)
{
	(void)d;
	pauses--;
}

int vcpu_context_set(struct vcpu *v, const struct vcpu_guest_context *ctx)
{
	CHECK_EQ(pauses, 1);
	last_vcpu = v;
	last_context = *ctx;
	return ask(v->domain);
}

void vcpu_context_get(struct vcpu *v, struct vcpu_guest_context *ctx)
{
	CHECK_EQ(pauses, 1);
	last_vcpu = v;
	ctx->kernel_sp = 0x1234;
}

int vcpu_set_affinity(struct vcpu *v, const struct cpumask *hard, const struct cpumask *soft)
{
	last_vcpu = v;
	if (answer)
		return answer;
	if (hard)
		v->sched.affinity = *hard;
	if (soft)
		v->sched.soft_affinity = *soft;
	return 0;
}

int sched_set_params(struct domain *d, uint16_t weight, uint16_t cap)
{
	last_values[0] = weight;
	last_values[1] = cap;
	return ask(d);
}

uint64_t vcpu_cpu_time(struct vcpu *v)
{
	return 100 + v->id;
}

uint64_t cpu_idle_time(unsigned int cpu)
{
	return 1000 + cpu;
}

void vcpu_kick(struct vcpu *v)
{
	last_vcpu = v;
	asked++;
}

void vtime_update_wallclock(struct domain *d)
{
	(void)ask(d);
}

int evtchn_set_virq_handler(struct domain *d, unsigned int virq)
{
	last_values[0] = virq;
	return ask(d);
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
	pg->type--;
	page_put(pg);
}

/* A CPU with leaves 0..d and 80000000..80000008; the guest is shown less of leaf 1. */
void pv_cpuid(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	(void)v;
	r[0] = leaf == 0 ? 0xd : leaf == 0x80000000 ? 0x80000008 : leaf << 8 | sub;
	r[1] = r[2] = 0;
	r[3] = leaf == 1 ? 0x1f : 0;
}

uint64_t tsc_khz(void)
{
	return 1000000;
}

bool time_is_stable(void)
{
	return true;
}

const struct tsc_scale *time_scale(void)
{
	static const struct tsc_scale scale;

	return &scale;
}

uint64_t fpu_xcr0_supported(void)
{
	return 7;
}

uint64_t frames_free_count(void)
{
	return 111;
}

uint64_t frames_total_count(void)
{
	return 222;
}

static char ring[600];
static bool ring_cleared;
static char keys[64];
static unsigned int nr_keys;

/* A ring that holds all that was ever said. */
size_t console_ring_read(char *buf, size_t size, uint32_t *index, bool from_start)
{
	size_t n;

	if (from_start)
		*index = 0;
	n = MIN(size, strlen(ring) - MIN(*index, strlen(ring)));
	memcpy(buf, ring + *index, n);
	*index += (uint32_t)n;
	return n;
}

void console_ring_clear(void)
{
	ring_cleared = true;
}

void debug_key(char key)
{
	keys[nr_keys++] = key;
}

static struct domain *domu;

static void fixture_begin(void)
{
	answer = 0;
	asked = pauses = nr_keys = 0;
	last_domain = NULL;
	last_vcpu = NULL;
	ring_cleared = false;
	fake_guest_any = true;
	fake_dom0(2);
	domu = fake_domain(7, 3);
	fake_vcpu_run(dom0->vcpus[0], 0);
}

static inline long do_domctl_raw(struct xen_domctl *op)
{
	const uint64_t args[5] = {(uint64_t)op};

	return hypercall_domctl(args);
}

/* With the version and, for no domain said, domu's id. */
static inline long do_domctl(uint32_t cmd, struct xen_domctl *op)
{
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	return do_domctl_raw(op);
}

static inline long do_sysctl(uint32_t cmd, struct xen_sysctl *op)
{
	const uint64_t args[5] = {(uint64_t)op};

	op->cmd = cmd;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return hypercall_sysctl(args);
}

#endif
