/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The save records of the virtual platform: what a random life has made of it
 * comes back the same in another domain; what the hardware cannot hold is
 * refused and changes nothing; whatever is not refused can be lived with.
 *
 * Links: hvm/platform_context.c hvm/vlapic_context.c hvm/lines.c hvm/interrupt.c hvm/vpic.c
 * Links: hvm/vioapic.c hvm/vpit.c hvm/vrtc.c hvm/vpm.c hvm/vhpet.c hvm/platform.c hvm/vdebug.c
 * Links: hvm/vlapic.c hvm/vlapic_regs.c hvm/vlapic_timer.c hvm/vlapic_ipi.c dev/cmos_time.c
 * Links: time/timer.c time/scale.c lib/bits.c
 * Helpers: hvm/fake_vendor.c hvm/fake_platform.c
 */
#include "fake_platform.h"

#include "hvm/context.h"

#define MAX_RECORD 2048
#define HPET_BASE  0xfed00000UL

static struct domain *d;
static struct vcpu *v;
static uint64_t rec[MAX_RECORD / 8], before[MAX_RECORD / 8];

static const struct hvm_save_kind *kind(unsigned int type)
{
	for (unsigned int i = 0; i < hvm_platform_nr_save_kinds; i++)
		if (hvm_platform_save_kinds[i].type == type)
			return &hvm_platform_save_kinds[i];
	CHECK(!"a kind");
	return NULL;
}

static void begin(void)
{
	d = fake_platform_domain(2, FAKE_EMU_HVM);
	v = d->vcpus[0];
	CHECK_EQ(vlapic_msr_write(v, 0x1b, v->hvm->apic_base | APIC_BASE_EXTD), 0);
	CHECK_EQ(vlapic_msr_write(v, 0x80f, 0x1ff), 0);
}

static void end(void)
{
	fake_platform_free(d);
}

static unsigned int instances(const struct hvm_save_kind *k)
{
	return k->instances ? k->instances : d->max_vcpus;
}

/* --- there and back --- */

#define RECORDS 16
static uint64_t saved[RECORDS][MAX_RECORD / 8];

static void all(void (*fn)(const struct hvm_save_kind *k, unsigned int instance, uint64_t *r))
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < hvm_platform_nr_save_kinds; i++) {
		const struct hvm_save_kind *k = &hvm_platform_save_kinds[i];

		CHECK(k->size <= MAX_RECORD);
		for (unsigned int j = 0; j < instances(k); j++)
			fn(k, j, saved[n++]);
	}
	CHECK(n <= RECORDS);
}

static void save_one(const struct hvm_save_kind *k, unsigned int instance, uint64_t *r)
{
	memset(r, 0, MAX_RECORD);
	CHECK_EQ(k->save(d, instance, r), 0);
}

static void load_one(const struct hvm_save_kind *k, unsigned int instance, uint64_t *r)
{
	int rc = k->load(d, instance, r);

	if (rc)
		fake_test_fail(__FILE__, __LINE__, "record %u.%u: %d", k->type, instance, rc);
}

static void compare_one(const struct hvm_save_kind *k, unsigned int instance, uint64_t *r)
{
	save_one(k, instance, rec);
	for (unsigned int i = 0; i < k->size / 8; i++)
		if (rec[i] != r[i])
			fake_test_fail(__FILE__, __LINE__, "record %u.%u at %u: %#lx, was %#lx",
				       k->type, instance, i * 8, rec[i], r[i]);
}

static void live(unsigned int steps)
{
	static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1,	0x40,  0x41,
					 0x42, 0x43, 0x61, 0x70, 0x71,	0x1f40, 0x1f42};

	for (unsigned int i = 0; i < steps; i++) {
		struct hvm_io io = {.size = 4, .is_write = true, .data = rand()};
		struct hvm_interrupt got;

		switch (rand() % 6) {
		case 0:
			io.addr = HPET_BASE + (rand() % 0x180 & ~7);
			break;
		case 1:
			fake_ioapic_write(d, rand() % 0x70, rand());
			continue;
		case 2:
			(void)vlapic_msr_write(v, 0x800 + rand() % 0x40, rand() & 0xfffff);
			(void)vlapic_msr_write(v, 0x6e0, fake_tsc + rand());
			continue;
		case 3:
			hvm_pci_intx_set(d, rand() % 32, rand() % 4, rand() & 1);
			hvm_isa_irq_set(d, 3 + rand() % 5, rand() & 1);
			(void)hvm_pci_link_set(d, rand() % 4, rand() % 16);
			continue;
		case 4:
			got = hvm_interrupt_pending(v);
			(void)hvm_interrupt_take(v, &got);
			vlapic_eoi(v->hvm->vlapic);
			fake_time_pass(rand() % 1000000);
			continue;
		default:
			io.is_port = true;
			io.size = 1;
			io.addr = ports[rand() % ARRAY_SIZE(ports)];
			io.data &= io.addr == 0x70 ? 0xf : 0xff;
		}
		(void)fake_io_try(d, &io);
	}
}

/* A clock's phase within its period is not in the records: none runs that would show it. */
static void clocks_hold(void)
{
	fake_io(d, false, HPET_BASE + 0x10, 4, 0);
	for (unsigned int n = 0; n < 3; n++)
		fake_io(d, true, 0x43, 1, n << 6 | 0x30);
	fake_io(d, true, 0x70, 1, 12);
	(void)fake_io(d, true, 0x71, 1, -1);
}

TEST(a_life_goes_on_elsewhere)
{
	srand(3);
	for (unsigned int i = 0; i < 300; i++) {
		begin();
		live(400);
		clocks_hold();
		all(save_one);
		end();
		begin();
		all(load_one);
		all(compare_one);
		live(50);
		end();
		fake_reset();
	}
}

TEST(clocks_go_on)
{
	begin();
	fake_io(d, false, HPET_BASE + 0x10, 4, 1);
	fake_time_pass(1000000000);
	CHECK_EQ(vlapic_msr_write(v, 0x83e, 0xb), 0);
	CHECK_EQ(vlapic_msr_write(v, 0x832, 0x31), 0);
	CHECK_EQ(vlapic_msr_write(v, 0x838, 1000000), 0); /* 10 ms */
	fake_time_pass(4000000);
	fake_io(d, true, 0x43, 1, 0x34);
	fake_io(d, true, 0x40, 1, 0);
	fake_io(d, true, 0x40, 1, 0x10);
	all(save_one);
	end();
	fake_time += 77000000000;
	begin();
	all(load_one);
	CHECK_EQ(fake_io(d, false, HPET_BASE + 0xf0, 8, -1), 1004000000 / 16);
	CHECK_EQ(fake_io(d, true, 0x1f48, 4, -1), 1004000000UL * 3579545 / 1000000000);
	fake_ioapic_route(d, 2, 0x40);
	fake_time_pass(5000000);
	CHECK_EQ(fake_vectors_take(d, 0x31), 0);
	CHECK_EQ(fake_vectors_take(d, 0x40), 1);
	fake_time_pass(1000000);
	CHECK_EQ(fake_vectors_take(d, 0x31), 1);
	end();
	begin();
	fake_tsc = 1000;
	CHECK_EQ(vlapic_msr_write(v, 0x832, 0x32 | LVTT_TSCDEADLINE), 0);
	CHECK_EQ(vlapic_msr_write(v, 0x6e0, 5000), 0);
	all(save_one);
	end();
	begin();
	all(load_one);
	fake_tsc = 5000;
	fake_time_pass(5000);
	CHECK_EQ(fake_vectors_take(d, 0x32), 1);
	end();
}

/* --- refused --- */

static void refused(unsigned int type, unsigned int instance, unsigned int offset, uint8_t val)
{
	const struct hvm_save_kind *k = kind(type);

	save_one(k, instance, before);
	memcpy(rec, before, sizeof(rec));
	CHECK(((uint8_t *)rec)[offset] != val);
	((uint8_t *)rec)[offset] = val;
	if (k->load(d, instance, rec) != -EINVAL)
		fake_test_fail(__FILE__, __LINE__, "record %u.%u takes %#x at %u", type, instance,
			       val, offset);
	save_one(k, instance, rec);
	CHECK(!memcmp(rec, before, sizeof(rec)));
}

#define REFUSED(name, instance, field, val) \
	refused(HVM_SAVE_CODE(name), instance, offsetof(HVM_SAVE_TYPE(name), field), val)

TEST(what_the_pic_cannot_hold)
{
	begin();
	REFUSED(PIC, 0, irq_base, 0x21);
	REFUSED(PIC, 0, elcr, 1);
	REFUSED(PIC, 1, elcr, 1);
	refused(HVM_SAVE_CODE(PIC), 0, 4, 0x80); /* priority_add 8 */
	refused(HVM_SAVE_CODE(PIC), 0, 5, 0);	 /* is_master */
	refused(HVM_SAVE_CODE(PIC), 1, 5, 0x40);
	end();
}

TEST(what_the_ioapic_cannot_hold)
{
	begin();
	REFUSED(IOAPIC, 0, base_address, 1);
	refused(HVM_SAVE_CODE(IOAPIC), 0, 9, 1);
	REFUSED(IOAPIC, 0, id, 1);
	refused(HVM_SAVE_CODE(IOAPIC), 0, 16 + 8 * 47 + 4, 1);	  /* reserved */
	refused(HVM_SAVE_CODE(IOAPIC), 0, 16 + 8 * 47 + 1, 0x40); /* remote IRR of an edge */
	end();
}

TEST(what_the_wires_cannot_hold)
{
	begin();
	refused(HVM_SAVE_CODE(ISA_IRQ), 0, 2, 1);
	REFUSED(PCI_LINK, 0, route[3], 16);
	end();
}

TEST(what_the_clocks_cannot_hold)
{
	begin();
	refused(HVM_SAVE_CODE(PIT), 0, 2, 2);
	for (unsigned int field = 6; field < 16; field++)
		if (field != 8 && field != 11) /* status, write_latch: any */
			refused(HVM_SAVE_CODE(PIT), 0, 16 + field, 9);
	REFUSED(PIT, 0, speaker_data_on, 2);
	REFUSED(RTC, 0, cmos_data[10], 0xa6);
	REFUSED(RTC, 0, cmos_data[12], 1);
	REFUSED(RTC, 0, cmos_index, 0x80);
	REFUSED(HPET, 0, config, 4);
	REFUSED(HPET, 0, isr, 8);
	REFUSED(HPET, 0, isr, 1); /* an edge */
	REFUSED(HPET, 0, timers[0].config, 1);
	refused(HVM_SAVE_CODE(HPET), 0, offsetof(struct hvm_hw_hpet, timers[0].config) + 1, 1);
	REFUSED(PMTIMER, 0, pm1a_sts, 2);
	REFUSED(PMTIMER, 0, pm1a_en, 2);
	end();
}

TEST(what_the_local_apic_cannot_hold)
{
	begin();
	REFUSED(LAPIC, 0, apic_base_msr, 1);
	refused(HVM_SAVE_CODE(LAPIC), 0, 1, 0xc); /* vCPU 0 is the BSP */
	refused(HVM_SAVE_CODE(LAPIC), 1, 1, 0x9); /* vCPU 1 is not */
	refused(HVM_SAVE_CODE(LAPIC), 0, 1, 0x5); /* x2APIC, but off */
	refused(HVM_SAVE_CODE(LAPIC), 0, 2, 0xe1);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_ID, 9);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_VERSION, 9);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_LDR, 9);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_DFR, 0);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_TPR + 1, 1);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_SVR + 1, 5);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_ISR + 1, 1);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_IRR, 1);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_ESR, 1);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_LVTT + 2, 0x10);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, APIC_TDCR, 4);
	refused(HVM_SAVE_CODE(LAPIC_REGS), 0, 0x40, 1); /* no register */
	end();
}

TEST(devices_that_are_not_there)
{
	d = fake_platform_domain(1, XEN_X86_EMU_LAPIC);
	for (unsigned int i = 0; i < hvm_platform_nr_save_kinds; i++) {
		const struct hvm_save_kind *k = &hvm_platform_save_kinds[i];
		bool is_lapic =
			k->type == HVM_SAVE_CODE(LAPIC) || k->type == HVM_SAVE_CODE(LAPIC_REGS);

		memset(rec, 0, sizeof(rec));
		CHECK_EQ(k->save(d, 0, rec), is_lapic ? 0 : -ENODEV);
		CHECK_EQ(k->load(d, 0, rec), is_lapic ? 0 : -ENODEV);
	}
	end();
}

/* Bits turned at random: refused, or a state that a guest may go on from. */
TEST(whatever_is_taken_can_be_lived_with)
{
	unsigned int taken = 0;

	srand(5);
	for (unsigned int i = 0; i < 20000; i++) {
		const struct hvm_save_kind *k =
			&hvm_platform_save_kinds[rand() % hvm_platform_nr_save_kinds];
		unsigned int instance = rand() % instances(k);

		if (i % 100 == 0) {
			if (i) {
				end();
				fake_reset();
			}
			begin();
		}
		save_one(k, instance, rec);
		for (int n = rand() % 4; n >= 0; n--)
			((uint8_t *)rec)[rand() % k->size] ^= 1U << rand() % 8;
		taken += !k->load(d, instance, rec);
		live(20);
	}
	end();
	CHECK(taken > 1000);
}
