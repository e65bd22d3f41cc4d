/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest is told of time: once, in its own TSC's numbers; again after a
 * firmware has cleared its shared_info for the kernel that it starts.
 *
 * Links: time/vtime.c time/timer.c time/scale.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "hvm/fake_vendor.h"

#include "cpu/softirq.h"
#include "time/time.h"
#include "time/vtime.h"

static const struct tsc_scale scale = {.mul = 0x80000000, .shift = 1};
static const struct time_base base = {.tsc = 1000, .ns = 5000};
static bool is_stable;
static struct vcpu_info info;

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
}

void softirq_raise(enum softirq nr)
{
}

const struct tsc_scale *time_scale(void)
{
	return &scale;
}

const struct time_base *time_base(void)
{
	return &base;
}

bool time_is_stable(void)
{
	return is_stable;
}

void wallclock_get(uint64_t *sec, uint32_t *nsec)
{
	*sec = *nsec = 0;
}

void evtchn_send_virq(struct vcpu *v, unsigned int virq)
{
}

int vcpu_area_set(struct vcpu_area *area, const void *guest, size_t size)
{
	return 0;
}

void vcpu_area_write(struct vcpu_area *area, size_t offset, const void *src, size_t n)
{
}

TEST(told_once_while_tscs_agree)
{
	struct vcpu *v = fake_domain(1, 1)->vcpus[0];
	uint32_t version;

	memset(&info, 0, sizeof(info));
	v->info = &info;
	is_stable = true;
	vtime_update(v);
	CHECK_EQ(info.time.tsc_timestamp, 1000);
	CHECK_EQ(info.time.system_time, 5000);
	CHECK_EQ(info.time.tsc_to_system_mul, 0x80000000);
	CHECK_EQ(info.time.flags, XEN_PVCLOCK_TSC_STABLE_BIT);
	version = info.time.version;
	CHECK(version && !(version & 1));
	vtime_update(v);
	CHECK_EQ(info.time.version, version);
	is_stable = false;
	vtime_update(v);
	CHECK_EQ(info.time.version, version + 2);
	CHECK_EQ(info.time.flags, 0);
}

TEST(told_again_when_it_was_cleared)
{
	struct vcpu *v = fake_domain(1, 1)->vcpus[0];

	memset(&info, 0, sizeof(info));
	v->info = &info;
	is_stable = true;
	vtime_update(v);
	memset(&info, 0, sizeof(info));
	vtime_update(v);
	CHECK_EQ(info.time.tsc_to_system_mul, 0x80000000);
	CHECK(info.time.version && !(info.time.version & 1));
}

TEST(an_hvm_guests_tsc_is_its_own)
{
	struct domain *d = fake_hvm_domain(1, 1);

	memset(&info, 0, sizeof(info));
	d->vcpus[0]->info = &info;
	d->vcpus[0]->hvm->tsc_offset = -300UL;
	vtime_update(d->vcpus[0]);
	CHECK_EQ(info.time.tsc_timestamp, 700);
	fake_hvm_free(d);
}
