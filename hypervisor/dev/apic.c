/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC, by MMIO or, where the firmware left it so, in x2APIC mode
 * (Intel SDM vol. 3, "Advanced Programmable Interrupt Controller").  Its timer
 * is the one source of timer interrupts: TSC deadline where the CPU has it,
 * else count-down.
 */
#include "dev/apic.h"

#include "cpu/asm.h"
#include "cpu/features.h"
#include "cpu/seam.h"
#include "dev/acpi.h"
#include "lib/printk.h"
#include "mm/mm.h"
#include "time/scale.h"
#include "time/time.h"

#define APIC_ID		   0x20
#define APIC_TPR	   0x80
#define APIC_EOI	   0xb0
#define APIC_LDR	   0xd0
#define APIC_DFR	   0xe0
#define APIC_SPURIOUS	   0xf0
#define APIC_ESR	   0x280
#define APIC_ICR	   0x300
#define APIC_ICR_HIGH	   0x310
#define APIC_LVT_TIMER	   0x320
#define APIC_LVT_THERMAL   0x330
#define APIC_LVT_PERF	   0x340
#define APIC_LVT_LINT0	   0x350
#define APIC_LVT_LINT1	   0x360
#define APIC_LVT_ERROR	   0x370
#define APIC_TIMER_INIT	   0x380
#define APIC_TIMER_NOW	   0x390
#define APIC_TIMER_DIV	   0x3e0

#define APIC_BASE_ENABLE   (1u << 11)
#define APIC_BASE_X2APIC   (1u << 10)
#define APIC_SPURIOUS_ON   0x100
#define LVT_MASKED	   (1u << 16)
#define LVT_TSC_DEADLINE   (2u << 17)
#define LVT_NMI		   (4u << 8)
#define ICR_BUSY	   (1u << 12)
#define ICR_ASSERT	   (1u << 14)
#define ICR_LEVEL	   (1u << 15)
#define ICR_INIT	   (5u << 8)
#define ICR_STARTUP	   (6u << 8)
#define ICR_NMI		   (4u << 8)
#define ICR_ALL_OTHERS	   (3u << 18)
#define TIMER_DIVIDE_BY_16 3

#define MSR_X2APIC_BASE	   0x800
#define MSR_TSC_DEADLINE   0x6e0

#define PIC_MASTER_DATA	   0x21
#define PIC_SLAVE_DATA	   0xa1

#define CALIBRATE_NS	   10000000
#define CALIBRATE_TRIES	   8

static volatile uint32_t *apic_mmio;  /* NULL in x2APIC mode */
static struct tsc_scale ticks_per_ns; /* of the count-down timer */
static bool has_deadline;

static uint32_t apic_read(unsigned int reg)
{
	if (apic_mmio)
		return apic_mmio[reg / 4];
	return msr_read(MSR_X2APIC_BASE + reg / 16);
}

static void apic_write(unsigned int reg, uint32_t v)
{
	if (apic_mmio)
		apic_mmio[reg / 4] = v;
	else
		msr_write(MSR_X2APIC_BASE + reg / 16, v);
}

static init_text void pics_mask(void)
{
	port_outb(PIC_MASTER_DATA, 0xff);
	port_outb(PIC_SLAVE_DATA, 0xff);
}

init_text void apic_init(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE);

	pics_mask();
	has_deadline = cpu_features.has_tsc_deadline;
	if (base & APIC_BASE_X2APIC)
		return;
	apic_mmio = iomap(acpi_info.lapic, PAGE_SIZE);
	if (!apic_mmio)
		panic("no room to map the local APIC");
}

init_text void apic_cpu_init(void)
{
	msr_write(MSR_APIC_BASE,
		  msr_read(MSR_APIC_BASE) | APIC_BASE_ENABLE | (apic_mmio ? 0 : APIC_BASE_X2APIC));
	apic_write(APIC_TPR, 0);
	if (apic_mmio) {
		/* Flat logical mode; we address CPUs physically, but the I/O APIC may not. */
		apic_write(APIC_DFR, ~0u);
		apic_write(APIC_LDR, 1u << (24 + cpu_id() % 8));
	}
	apic_write(APIC_SPURIOUS, APIC_SPURIOUS_ON | VECTOR_SPURIOUS);
	apic_write(APIC_LVT_THERMAL, LVT_MASKED);
	apic_write(APIC_LVT_PERF, LVT_MASKED);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	/* NMIs come to LINT1 of the boot CPU on every PC. */
	apic_write(APIC_LVT_LINT1, cpu_id() ? LVT_MASKED : LVT_NMI);
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	apic_write(APIC_ESR, 0);
	apic_write(APIC_TIMER_DIV, TIMER_DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (has_deadline ? LVT_TSC_DEADLINE : 0));
	/* A fence between the LVT (MMIO) and the deadline (MSR): SDM, "TSC-Deadline Mode". */
	__asm__ volatile("mfence" ::: "memory");
	apic_eoi();
}

/* The counter and the time it was read, of several tries the one that took least. */
static init_text void timer_sample(uint32_t *count, uint64_t *ns)
{
	uint64_t best = ~0UL;

	for (unsigned int i = 0; i < CALIBRATE_TRIES; i++) {
		uint64_t before = time_now();
		uint32_t now = apic_read(APIC_TIMER_NOW);
		uint64_t width = time_now() - before;

		if (width >= best)
			continue;
		best = width;
		*count = now;
		*ns = before + width / 2;
	}
}

init_text void apic_timer_calibrate(void)
{
	uint32_t start_count, end_count, ticks;
	uint64_t start, end;

	if (has_deadline)
		return;
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER | LVT_MASKED);
	apic_write(APIC_TIMER_INIT, ~0u);
	timer_sample(&start_count, &start);
	while (time_now() - start < CALIBRATE_NS)
		cpu_relax();
	timer_sample(&end_count, &end);
	apic_write(APIC_TIMER_INIT, 0);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	ticks = start_count - end_count;
	if (ticks < 100)
		panic("the local APIC's timer does not count");
	tsc_scale_set(&ticks_per_ns, end - start, ticks);
	printk("APIC timer: %lu kHz\n", ticks * 1000000UL / (end - start));
}

uint32_t apic_id(void)
{
	uint32_t id = apic_read(APIC_ID);

	return apic_mmio ? id >> 24 : id;
}

uint32_t apic_error_read(void)
{
	apic_write(APIC_ESR, 0);
	return apic_read(APIC_ESR);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

static void icr_write(uint32_t dest, uint32_t low)
{
	uint64_t flags;

	if (!apic_mmio) {
		/* Earlier stores must be seen by the CPU interrupted: x2APIC writes do not order
		 * them. */
		__asm__ volatile("mfence; lfence" ::: "memory");
		msr_write(MSR_X2APIC_BASE + APIC_ICR / 16, (uint64_t)dest << 32 | low);
		return;
	}
	/* The two halves must not be parted by an interrupt that sends one too. */
	flags = irq_save();
	while (apic_read(APIC_ICR) & ICR_BUSY)
		cpu_relax();
	apic_write(APIC_ICR_HIGH, dest << 24);
	apic_write(APIC_ICR, low);
	irq_restore(flags);
}

void apic_send_ipi(uint32_t id, uint8_t vector)
{
	icr_write(id, ICR_ASSERT | vector);
}

void apic_send_init(uint32_t id)
{
	icr_write(id, ICR_INIT | ICR_ASSERT | ICR_LEVEL);
	delay_us(200);
	if (apic_mmio)
		icr_write(id, ICR_INIT | ICR_LEVEL);
}

void apic_send_startup(uint32_t id, uint8_t page)
{
	icr_write(id, ICR_STARTUP | ICR_ASSERT | page);
}

void apic_send_nmi_all_others(void)
{
	icr_write(0, ICR_NMI | ICR_ASSERT | ICR_ALL_OTHERS);
}

static void deadline_arm(uint64_t deadline_ns)
{
	msr_write(MSR_TSC_DEADLINE, deadline_ns == ~0UL ? 0 : time_to_tsc(deadline_ns));
}

static void countdown_arm(uint64_t deadline_ns)
{
	uint64_t now = time_now(), ticks;

	if (deadline_ns == ~0UL) {
		apic_write(APIC_TIMER_INIT, 0);
		return;
	}
	ticks = deadline_ns > now ? tsc_scale_apply(&ticks_per_ns, deadline_ns - now) : 0;
	/* One more tick than rounded down, so that it never comes early. */
	apic_write(APIC_TIMER_INIT, MIN(ticks + 1, (uint64_t)~0u));
}

void timer_hw_arm(uint64_t deadline_ns)
{
	if (has_deadline)
		deadline_arm(deadline_ns);
	else
		countdown_arm(deadline_ns);
}
