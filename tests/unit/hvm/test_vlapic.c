/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC: priorities, EOI, registers by page and by MSR with what they
 * refuse, modes, destinations of messages, INIT and SIPI; and any sequence of
 * accesses leaves a state that vlapic_reg_is_valid accepts.
 *
 * Links: hvm/vlapic.c hvm/vlapic_regs.c hvm/vlapic_timer.c hvm/vlapic_ipi.c time/timer.c
 * Links: time/scale.c lib/bits.c
 * Helpers: hvm/fake_vendor.c
 */
#include "fake_vendor.h"

#include "cpu/softirq.h"
#include "hvm/platform_state.h"
#include "hvm/vcpu.h"
#include "hvm/vlapic_state.h"
#include "time/time.h"

#define MSR_APIC_BASE	 0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define X2(offset)	 (0x800 + (offset) / 16)

static struct domain *d;
static unsigned int kicks[4], nmis[4], inits[4], sipis[4], sipi_vector, eois, eoi_vector;
static struct tsc_scale scale;

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

void vcpu_kick(struct vcpu *v)
{
	kicks[v->id]++;
}

void hvm_vcpu_nmi(struct vcpu *v)
{
	nmis[v->id]++;
}

void hvm_vcpu_init_signal(struct vcpu *v)
{
	inits[v->id]++;
}

void hvm_vcpu_sipi(struct vcpu *v, uint8_t vector)
{
	sipis[v->id]++;
	sipi_vector = vector;
}

void vioapic_eoi(struct domain *owner, uint8_t vector)
{
	eois++;
	eoi_vector = vector;
}

static void current_set(unsigned int id)
{
	if (current)
		fake_vcpu_stop(current);
	fake_vcpu_run(d->vcpus[id], 0);
}

static void begin(void)
{
	struct vcpu *v;

	memset(kicks, 0, sizeof(kicks));
	memset(nmis, 0, sizeof(nmis));
	memset(inits, 0, sizeof(inits));
	memset(sipis, 0, sizeof(sipis));
	eois = 0;
	scale = (struct tsc_scale){.mul = 0x80000000, .shift = 1};
	d = fake_hvm_domain(1, 4);
	for_each_vcpu(d, v)
		CHECK_EQ(vlapic_init(v), 0);
	current_set(0);
}

static void end(void)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		vlapic_fini(v);
	fake_hvm_free(d);
}

static int wr(struct vcpu *v, unsigned int msr, uint64_t val)
{
	return vlapic_msr_write(v, msr, val);
}

static uint64_t rd(struct vcpu *v, unsigned int msr)
{
	uint64_t val = 0;

	CHECK_EQ(vlapic_msr_read(v, msr, &val), 0);
	return val;
}

static void x2apic_all(void)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		CHECK_EQ(wr(v, MSR_APIC_BASE, rd(v, MSR_APIC_BASE) | APIC_BASE_EXTD), 0);
		CHECK_EQ(wr(v, X2(APIC_SVR), 0x1ff), 0);
	}
}

static void page_write(struct vcpu *v, unsigned int offset, uint32_t val)
{
	struct hvm_io io = {.addr = 0xfee00000 + offset, .data = val, .size = 4, .is_write = true};

	CHECK(vlapic_access(v, &io));
}

static uint32_t page_read(struct vcpu *v, unsigned int offset)
{
	struct hvm_io io = {.addr = 0xfee00000 + offset, .size = 4};

	CHECK(vlapic_access(v, &io));
	return io.data;
}

TEST(reset_leaves_the_manuals_state)
{
	struct vcpu *v;

	begin();
	v = d->vcpus[1];
	CHECK_EQ(rd(d->vcpus[0], MSR_APIC_BASE), 0xfee00900);
	CHECK_EQ(rd(v, MSR_APIC_BASE), 0xfee00800);
	CHECK_EQ(page_read(v, APIC_ID), 2U << 24);
	CHECK_EQ(page_read(v, APIC_SVR), 0xff);
	CHECK_EQ(page_read(v, APIC_DFR), 0xffffffff);
	CHECK_EQ(page_read(v, APIC_LVTT), LVT_MASKED);
	CHECK_EQ(page_read(v, APIC_LVTERR), LVT_MASKED);
	CHECK_EQ(page_read(v, APIC_VERSION), 0x50014);
	end();
}

TEST(vectors_go_by_priority)
{
	struct vcpu *v;

	begin();
	x2apic_all();
	v = d->vcpus[0];
	vlapic_raise(v, 0x31, false);
	vlapic_raise(v, 0x52, false);
	vlapic_raise(v, 0x55, false);
	vlapic_raise(v, 0x55, false);
	CHECK_EQ(kicks[0], 3); /* the fourth was pending already */
	CHECK_EQ(vlapic_take(v), 0x55);
	CHECK_EQ(rd(v, X2(APIC_PPR)), 0x50);
	CHECK_EQ(vlapic_pending(v), -1); /* 0x52 is of the same class */
	CHECK_EQ(vlapic_waiting_class(v), 0);
	vlapic_raise(v, 0xe0, false);
	CHECK_EQ(vlapic_waiting_class(v), 0xe);
	CHECK_EQ(vlapic_take(v), 0xe0); /* nested */
	CHECK_EQ(wr(v, X2(APIC_EOI), 0), 0);
	CHECK_EQ(vlapic_take(v), -1);
	CHECK_EQ(wr(v, X2(APIC_EOI), 0), 0);
	CHECK_EQ(vlapic_take(v), 0x52);
	CHECK_EQ(wr(v, X2(APIC_EOI), 0), 0);
	vlapic_cr8_set(v, 3);
	CHECK_EQ(vlapic_pending(v), -1);
	CHECK_EQ(vlapic_waiting_class(v), 3);
	CHECK_EQ(rd(v, X2(APIC_TPR)), 0x30);
	vlapic_cr8_set(v, 2);
	CHECK_EQ(vlapic_take(v), 0x31);
	CHECK_EQ(wr(v, X2(APIC_EOI), 0), 0);
	CHECK_EQ(wr(v, X2(APIC_EOI), 0), 0); /* of nothing */
	CHECK_EQ(eois, 0);
	end();
}

TEST(cr8_keeps_the_tprs_low_bits_if_unchanged)
{
	begin();
	page_write(d->vcpus[0], APIC_TPR, 0x35);
	vlapic_cr8_set(d->vcpus[0], 3);
	CHECK_EQ(page_read(d->vcpus[0], APIC_TPR), 0x35);
	vlapic_cr8_set(d->vcpus[0], 4);
	CHECK_EQ(page_read(d->vcpus[0], APIC_TPR), 0x40);
	end();
}

TEST(level_vectors_tell_the_ioapic_their_end)
{
	struct vcpu *v;

	begin();
	x2apic_all();
	v = d->vcpus[0];
	vlapic_raise(v, 0x41, true);
	CHECK_EQ(vlapic_take(v), 0x41);
	CHECK_EQ(wr(v, X2(APIC_EOI), 0), 0);
	CHECK_EQ(eois, 1);
	CHECK_EQ(eoi_vector, 0x41);
	vlapic_raise(v, 0x41, false); /* an edge clears the TMR bit */
	CHECK_EQ(vlapic_take(v), 0x41);
	CHECK_EQ(wr(v, X2(APIC_EOI), 0), 0);
	CHECK_EQ(eois, 1);
	vlapic_raise(v, 0xff, true);
	CHECK_EQ(vlapic_take(v), 0xff);
	CHECK_EQ(wr(v, X2(APIC_EOI), 0), 0);
	CHECK_EQ(wr(v, X2(APIC_EOI), 0), 0); /* of nothing: no other end */
	CHECK_EQ(eois, 2);
	end();
}

TEST(software_disabled_accepts_nothing)
{
	struct vcpu *v;

	begin();
	v = d->vcpus[0];
	vlapic_raise(v, 0x41, false);
	CHECK_EQ(vlapic_pending(v), -1);
	page_write(v, APIC_SVR, 0x1ff);
	page_write(v, APIC_LVT0, 0x700);
	page_write(v, APIC_SVR, 0x1fe); /* still on: nothing is masked */
	CHECK(vlapic_accepts_pic(v));
	page_write(v, APIC_SVR, 0xff);
	CHECK_EQ(page_read(v, APIC_LVT0), 0x700 | LVT_MASKED);
	page_write(v, APIC_LVT0, 0x700); /* the mask stays */
	CHECK_EQ(page_read(v, APIC_LVT0), 0x700 | LVT_MASKED);
	CHECK(!vlapic_accepts_pic(v));
	end();
}

TEST(illegal_vectors_are_errors)
{
	struct vcpu *v;

	begin();
	x2apic_all();
	v = d->vcpus[0];
	CHECK_EQ(wr(v, X2(APIC_LVTERR), 0x33), 0);
	vlapic_raise(v, 15, false);
	CHECK_EQ(vlapic_pending(v), 0x33);
	CHECK_EQ(rd(v, X2(APIC_ESR)), 0);
	CHECK_EQ(wr(v, X2(APIC_ESR), 0), 0);
	CHECK_EQ(rd(v, X2(APIC_ESR)), ESR_RECEIVE_ILLEGAL);
	CHECK_EQ(wr(v, X2(APIC_ICR), 15), 0);
	CHECK_EQ(wr(v, X2(APIC_SELF_IPI), 15), 0);
	CHECK_EQ(wr(v, X2(APIC_ESR), 0), 0);
	CHECK_EQ(rd(v, X2(APIC_ESR)), ESR_SEND_ILLEGAL);
	/* its own entry's vector is illegal: once, not for ever */
	CHECK_EQ(wr(v, X2(APIC_LVTERR), 3), 0);
	vlapic_raise(v, 15, false);
	end();
}

TEST(x2apic_refuses_what_is_reserved)
{
	struct vcpu *v;
	uint64_t val;

	begin();
	v = d->vcpus[0];
	CHECK_EQ(wr(v, X2(APIC_TPR), 0), -EPERM); /* not in xAPIC mode */
	CHECK_EQ(vlapic_msr_read(v, X2(APIC_ID), &val), -EPERM);
	x2apic_all();
	for (unsigned int msr = 0x800; msr < 0x900; msr++) {
		int rc = vlapic_msr_read(v, msr, &val);
		unsigned int at = (msr - 0x800) * 16;
		bool readable = at == APIC_ID || at == APIC_VERSION || at == APIC_TPR ||
				at == APIC_PPR || at == APIC_LDR || at == APIC_SVR ||
				(at >= APIC_ISR && at <= APIC_ESR) || at == APIC_ICR ||
				(at >= APIC_LVTT && at <= APIC_TMCCT) || at == APIC_TDCR;

		CHECK_EQ(rc, readable ? 0 : -EPERM);
	}
	CHECK_EQ(wr(v, X2(APIC_ID), 0), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_LDR), 0), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_DFR), 0), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_ICR2), 0), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_ISR), 0), -EPERM);
	CHECK_EQ(wr(v, 0x8ff, 0), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_TPR), 0x100), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_EOI), 1), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_ESR), 1), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_SVR), 0x400), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_LVTT), 1U << 19), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_ICR), 1UL << 20), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_TMICT), 1UL << 32), -EPERM);
	CHECK_EQ(wr(v, X2(APIC_SELF_IPI), 0x100), -EPERM);
	CHECK_EQ(wr(v, 0x7ff, 0), -EPERM);
	CHECK_EQ(vlapic_msr_read(v, 0x1c, &val), -EPERM);
	end();
}

TEST(modes_change_only_as_the_manual_says)
{
	struct vcpu *v;
	struct hvm_io io = {.addr = 0xfee00020, .size = 4};
	const uint64_t base = 0xfee00100;

	begin();
	v = d->vcpus[0];
	CHECK_EQ(wr(v, MSR_APIC_BASE, base | APIC_BASE_EXTD), -EPERM);
	CHECK_EQ(wr(v, MSR_APIC_BASE, 0xfed00900), -EPERM); /* moved */
	CHECK_EQ(wr(v, MSR_APIC_BASE, 0xfee00800), -EPERM); /* BSP is read-only */
	CHECK_EQ(wr(v, MSR_APIC_BASE, base | APIC_BASE_ENABLE | 1UL << 60), -EPERM);
	CHECK_EQ(wr(v, MSR_APIC_BASE, base), 0); /* off */
	CHECK(!vlapic_access(v, &io));
	CHECK(vlapic_accepts_pic(v));
	CHECK(!vlapic_accepts_pic(d->vcpus[1]));
	CHECK_EQ(wr(v, MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_EXTD), -EPERM);
	CHECK_EQ(wr(v, MSR_APIC_BASE, base | APIC_BASE_ENABLE), 0);
	CHECK(vlapic_access(v, &io));
	CHECK_EQ(wr(v, MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_EXTD), 0);
	CHECK(!vlapic_access(v, &io));
	CHECK_EQ(rd(v, X2(APIC_ID)), 0);
	CHECK_EQ(rd(v, X2(APIC_LDR)), 1);
	CHECK_EQ(wr(v, MSR_APIC_BASE, base | APIC_BASE_ENABLE), -EPERM);
	CHECK_EQ(wr(v, MSR_APIC_BASE, base), 0);
	end();
}

TEST(the_page_takes_words_and_gives_parts)
{
	struct hvm_io io = {.addr = 0xfee00033, .size = 1};
	struct vcpu *v;

	begin();
	v = d->vcpus[0];
	CHECK(vlapic_access(v, &io));
	CHECK_EQ(io.data & 0xff, 0);
	io.addr = 0xfee00032;
	CHECK(vlapic_access(v, &io));
	CHECK_EQ(io.data & 0xff, 5);
	io = (struct hvm_io){.addr = 0xfee0003f, .size = 8}; /* across the register's end */
	CHECK(vlapic_access(v, &io));
	CHECK_EQ(io.data, 0);
	io = (struct hvm_io){
		.addr = APIC_BASE_ADDRESS + APIC_TPR, .size = 1, .data = 0x40, .is_write = true};
	CHECK(vlapic_access(v, &io));
	CHECK_EQ(page_read(v, APIC_TPR), 0); /* not 32 bits */
	io = (struct hvm_io){.addr = 0xfee01000, .size = 4};
	CHECK(!vlapic_access(v, &io));
	io = (struct hvm_io){.addr = 0xfee00020, .size = 4, .is_port = true};
	CHECK(!vlapic_access(v, &io));
	CHECK_EQ(page_read(v, 0xff0), 0);
	page_write(v, APIC_ESR, 0);
	CHECK_EQ(page_read(v, APIC_ESR), ESR_ADDRESS);
	page_write(v, APIC_ID, 0x05000000); /* it has no other */
	CHECK_EQ(page_read(v, APIC_ID), 0);
	end();
}

/* Who has vector 0x60 pending, as bits. */
static unsigned int got(void)
{
	unsigned int who = 0;
	struct vcpu *v;

	for_each_vcpu(d, v) {
		if (vlapic_pending(v) != 0x60)
			continue;
		who |= 1U << v->id;
		CHECK_EQ(vlapic_take(v), 0x60);
		vlapic_eoi(v->hvm->vlapic);
	}
	return who;
}

TEST(x2apic_destinations)
{
	struct vcpu *v;

	begin();
	x2apic_all();
	v = d->vcpus[0];
	CHECK_EQ(wr(v, X2(APIC_ICR), 4UL << 32 | 0x60), 0);
	CHECK_EQ(got(), 4);
	CHECK_EQ(wr(v, X2(APIC_ICR), 3UL << 32 | 0x60), 0); /* nobody's */
	CHECK_EQ(wr(v, X2(APIC_ICR), 8UL << 32 | 0x60), 0);
	CHECK_EQ(wr(v, X2(APIC_ICR), 0xfffffffeUL << 32 | 0x60), 0);
	CHECK_EQ(got(), 0);
	CHECK_EQ(wr(v, X2(APIC_ICR), 0xffffffffUL << 32 | 0x60), 0);
	CHECK_EQ(got(), 15);
	CHECK_EQ(wr(v, X2(APIC_ICR), 0x14UL << 32 | 0x860), 0); /* logical: ids 2 and 4 */
	CHECK_EQ(got(), 6);
	CHECK_EQ(wr(v, X2(APIC_ICR), 0x10014UL << 32 | 0x860), 0); /* another cluster */
	CHECK_EQ(got(), 0);
	CHECK_EQ(wr(v, X2(APIC_ICR), 0x40060), 0);
	CHECK_EQ(got(), 1);
	CHECK_EQ(wr(v, X2(APIC_ICR), 0x80060), 0);
	CHECK_EQ(got(), 15);
	CHECK_EQ(wr(v, X2(APIC_ICR), 0xc0060), 0);
	CHECK_EQ(got(), 14);
	CHECK_EQ(wr(v, X2(APIC_SELF_IPI), 0x60), 0);
	CHECK_EQ(got(), 1);
	end();
}

TEST(xapic_logical_destinations)
{
	struct vcpu *v;

	begin();
	for_each_vcpu(d, v) {
		page_write(v, APIC_SVR, 0x1ff);
		page_write(v, APIC_LDR, 1U << (24 + v->id));
	}
	v = d->vcpus[0];
	page_write(v, APIC_ICR2, 0xaU << 24);
	page_write(v, APIC_ICR, 0x860);
	CHECK_EQ(got(), 10);
	page_write(v, APIC_ICR2, 0xffU << 24);
	page_write(v, APIC_ICR, 0x60);
	CHECK_EQ(got(), 15);
	for_each_vcpu(d, v) {
		page_write(v, APIC_DFR, 0);
		page_write(v, APIC_LDR, (v->id / 2) << 28 | 1U << (24 + (v->id & 1)));
	}
	v = d->vcpus[0];
	page_write(v, APIC_ICR2, 0x12U << 24);
	page_write(v, APIC_ICR, 0x860);
	CHECK_EQ(got(), 8);
	end();
}

TEST(lowest_priority_goes_to_the_idlest)
{
	struct vlapic_message m = {
		.dest = VLAPIC_BROADCAST, .vector = 0x60, .delivery = VLAPIC_LOWEST};

	begin();
	x2apic_all();
	vlapic_cr8_set(d->vcpus[0], 5);
	vlapic_cr8_set(d->vcpus[1], 2);
	vlapic_cr8_set(d->vcpus[2], 3);
	vlapic_cr8_set(d->vcpus[3], 2);
	CHECK_EQ(vlapic_message_send(d, &m), 0);
	CHECK_EQ(got(), 2);
	CHECK_EQ(wr(d->vcpus[1], X2(APIC_SVR), 0xff), 0); /* switched off it does not take part */
	CHECK_EQ(vlapic_message_send(d, &m), 0);
	CHECK_EQ(got(), 8);
	end();
}

TEST(one_switched_off_gets_nothing)
{
	struct vlapic_message m = {.dest = 2, .delivery = VLAPIC_NMI};

	begin();
	CHECK_EQ(wr(d->vcpus[1], MSR_APIC_BASE, 0xfee00000), 0);
	CHECK_EQ(vlapic_message_send(d, &m), -EINVAL);
	CHECK_EQ(nmis[1], 0);
	end();
}

TEST(devices_send_no_init)
{
	begin();
	x2apic_all();
	for (unsigned int delivery = 0; delivery < 8; delivery++) {
		struct vlapic_message m = {.dest = 2, .vector = 0x60, .delivery = delivery};
		bool ok = delivery == VLAPIC_FIXED || delivery == VLAPIC_LOWEST ||
			  delivery == VLAPIC_NMI;

		CHECK_EQ(vlapic_message_send(d, &m), ok ? 0 : -EINVAL);
		m.dest = 9;
		CHECK_EQ(vlapic_message_send(d, &m), -EINVAL);
	}
	CHECK_EQ(nmis[1], 1);
	CHECK_EQ(inits[1] + sipis[1], 0);
	end();
}

TEST(init_and_sipi)
{
	struct vcpu *v;

	begin();
	x2apic_all();
	v = d->vcpus[0];
	CHECK_EQ(wr(v, X2(APIC_ICR), 2UL << 32 | 0xc500), 0);
	CHECK_EQ(inits[1], 1);
	CHECK_EQ(wr(v, X2(APIC_ICR), 2UL << 32 | 0x8500), 0); /* level de-assert */
	CHECK_EQ(inits[1], 1);
	CHECK_EQ(wr(v, X2(APIC_ICR), 2UL << 32 | 0x600 | 0x9a), 0);
	CHECK_EQ(sipis[1], 1);
	CHECK_EQ(sipi_vector, 0x9a);
	CHECK_EQ(wr(v, X2(APIC_ICR), 0x500), 0); /* itself: never */
	CHECK_EQ(wr(v, X2(APIC_ICR), 0xc0500), 0);
	CHECK_EQ(inits[0], 0);
	CHECK_EQ(inits[3], 1);
	CHECK_EQ(wr(v, X2(APIC_ICR), 0xc0400), 0);
	CHECK_EQ(nmis[0], 0);
	CHECK_EQ(nmis[2], 1);
	end();
}

static uint64_t random_state = 88172645463325252UL;

static uint64_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void random_access(struct vcpu *v)
{
	struct hvm_io io = {
		.addr = 0xfee00000 + (rnd() % 0x1008 & (rnd() & 1 ? ~15UL : ~0UL)),
		.data = rnd() & (rnd() & 1 ? ~0UL : 0xff0ff),
		.size = 1U << (rnd() & 3),
		.is_write = rnd() & 1,
	};
	uint64_t val;

	switch (rnd() % 8) {
	case 0:
		(void)vlapic_msr_write(v, MSR_APIC_BASE,
				       (v->hvm->apic_base & ~0xc00UL) | (rnd() & 0xc00));
		return;
	case 1:
		vlapic_raise(v, rnd(), rnd() & 1);
		return;
	case 2:
		(void)vlapic_take(v);
		return;
	case 3:
		(void)vlapic_msr_write(v, 0x800 + rnd() % 0x40, rnd() & 0xf000000fffffUL);
		return;
	case 4:
		(void)vlapic_msr_read(v, 0x800 + rnd() % 0x40, &val);
		return;
	case 5:
		fake_time += rnd() % 100000;
		fake_tsc += rnd() % 100000;
		timer_softirq();
		(void)vlapic_msr_write(v, MSR_TSC_DEADLINE, fake_tsc + rnd() % 200000);
		return;
	default:
		(void)vlapic_access(v, &io);
	}
}

static void state_check(const struct vlapic *l)
{
	for (unsigned int at = 0; at < APIC_REGS_END; at += 16)
		if (!vlapic_reg_is_valid(l, at, vlapic_get(l, at)))
			fake_test_fail(__FILE__, __LINE__, "register %#x holds %#x", at,
				       vlapic_get(l, at));
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(l->regs[0]); i++)
		if (i & 3)
			CHECK_EQ(l->regs[i], 0);
}

TEST(any_accesses_leave_a_valid_state)
{
	begin();
	for (unsigned int i = 0; i < 200000; i++) {
		struct vcpu *v = d->vcpus[rnd() % 4];

		current_set(v->id);
		random_access(v);
		state_check(v->hvm->vlapic);
	}
	end();
}

static unsigned int plain_check(struct vcpu *v)
{
	const uint64_t *page = vlapic_page(v);
	unsigned int n = 0;

	for (uint32_t msr = 0x700; msr < 0xa00; msr++)
		if (vlapic_msr_is_plain(msr)) {
			CHECK_EQ(page[(msr & 0xff) * 2], rd(v, msr));
			n++;
		}
	return n;
}

/* What hardware may answer from the page is what RDMSR gives. */
TEST(plain_msrs_are_as_in_the_page)
{
	unsigned int checks = 0;
	struct vcpu *v;

	begin();
	v = d->vcpus[1];
	CHECK(!vlapic_is_by_msr(v));
	x2apic_all();
	CHECK(vlapic_is_by_msr(v));
	current_set(1);
	for (unsigned int i = 0; i < 20000; i++) {
		random_access(v);
		if (i % 16 || !vlapic_is_by_msr(v))
			continue;
		/* ID, version, TPR, LDR, SVR; ISR TMR IRR; ESR, six LVTs, initial count, divide */
		CHECK_EQ(plain_check(v), 5 + 24 + 1 + 6 + 2);
		checks++;
	}
	CHECK(checks > 10);
	CHECK(!vlapic_msr_is_plain(0x80a) && !vlapic_msr_is_plain(0x839) && !vlapic_msr_is_plain(0x830));
	end();
}
