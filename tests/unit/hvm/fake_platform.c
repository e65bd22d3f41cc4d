/* SPDX-License-Identifier: BSD-2-Clause */
/* The platform's surroundings of fake_platform.h. */
#include "fake_platform.h"

#include "cpu/softirq.h"
#include "hvm/vcpu.h"
#include "time/time.h"

unsigned int fake_kicked[4], fake_nmis[4];
unsigned int fake_window, fake_shadow;
bool fake_nmi_window;
uint8_t fake_tpr;
uint64_t fake_wall_sec;

static struct vcpu_info infos[4];
static const struct tsc_scale scale = {.mul = 0x80000000, .shift = 1};

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

void wallclock_get(uint64_t *sec, uint32_t *nsec)
{
	*sec = fake_wall_sec;
	*nsec = 0;
}

void vcpu_kick(struct vcpu *v)
{
	fake_kicked[v->id]++;
}

void hvm_vcpu_nmi(struct vcpu *v)
{
	fake_nmis[v->id]++;
}

void hvm_vcpu_init_signal(struct vcpu *v)
{
}

void hvm_vcpu_sipi(struct vcpu *v, uint8_t vector)
{
}

static unsigned int shadow_get(const struct vcpu *v)
{
	return fake_shadow;
}

static void window_set(struct vcpu *v, unsigned int priority, bool nmi)
{
	fake_window = priority;
	fake_nmi_window = nmi;
}

static void tpr_set(struct vcpu *v, uint8_t cr8)
{
	fake_tpr = cr8;
}

static uint8_t tpr_get(const struct vcpu *v)
{
	return fake_tpr;
}

struct domain *fake_platform_domain(unsigned int nr_vcpus, uint32_t emulation)
{
	struct domain *d = fake_hvm_domain(1, nr_vcpus);
	struct vcpu *v;

	memset(fake_kicked, 0, sizeof(fake_kicked));
	memset(fake_nmis, 0, sizeof(fake_nmis));
	memset(infos, 0, sizeof(infos));
	fake_window = fake_shadow = fake_tpr = 0;
	fake_nmi_window = false;
	fake_wall_sec = 0;
	fake_vendor.shadow_get = shadow_get;
	fake_vendor.window_set = window_set;
	fake_vendor.tpr_set = tpr_set;
	fake_vendor.tpr_get = tpr_get;
	d->hvm->emulation = emulation;
	CHECK_EQ(hvm_platform_init(d), 0);
	for_each_vcpu(d, v) {
		v->info = &infos[v->id];
		CHECK_EQ(vlapic_init(v), 0);
	}
	fake_vcpu_run(d->vcpus[0], 0);
	irq_enable();
	return d;
}

void fake_platform_free(struct domain *d)
{
	struct vcpu *v;

	hvm_platform_fini(d);
	for_each_vcpu(d, v)
		vlapic_fini(v);
	CHECK_EQ(fake_heap_objects, 0);
	fake_hvm_free(d);
}

bool fake_io_try(struct domain *d, struct hvm_io *io)
{
	return hvm_platform_access(d->vcpus[0], io);
}

uint64_t fake_io(struct domain *d, bool is_port, uint64_t addr, unsigned int size, int64_t val)
{
	struct hvm_io io = {.addr = addr,
			    .size = size,
			    .is_port = is_port,
			    .is_write = val != -1,
			    .data = val == -1 ? 0 : val};

	CHECK(fake_io_try(d, &io));
	return size == 8 ? io.data : io.data & ((1UL << size * 8) - 1);
}

void fake_time_pass(uint64_t ns)
{
	fake_time += ns;
	timer_softirq();
}

void fake_pic_start(struct domain *d)
{
	static const uint8_t words[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1},
					   {0xa0, 0x11}, {0xa1, 0x28}, {0xa1, 2}, {0xa1, 1}};

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		fake_io(d, true, words[i][0], 1, words[i][1]);
}

uint32_t fake_ioapic_read(struct domain *d, unsigned int reg)
{
	fake_io(d, false, 0xfec00000, 4, reg);
	return fake_io(d, false, 0xfec00010, 4, -1);
}

void fake_ioapic_write(struct domain *d, unsigned int reg, uint32_t val)
{
	fake_io(d, false, 0xfec00000, 4, reg);
	fake_io(d, false, 0xfec00010, 4, val);
}

void fake_ioapic_route(struct domain *d, unsigned int pin, uint64_t entry)
{
	fake_ioapic_write(d, 0x10 + 2 * pin, 1U << 16);
	fake_ioapic_write(d, 0x11 + 2 * pin, entry >> 32);
	fake_ioapic_write(d, 0x10 + 2 * pin, entry);
}

unsigned int fake_vectors_take(struct domain *d, uint8_t vector)
{
	unsigned int n = 0;

	while (vlapic_pending(d->vcpus[0]) == vector) {
		CHECK_EQ(vlapic_take(d->vcpus[0]), vector);
		vlapic_eoi(d->vcpus[0]->hvm->vlapic);
		n++;
	}
	return n;
}
