/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other CPUs, one after the other: INIT, STARTUP (Intel SDM vol. 3,
 * "MP Initialization"), through the trampoline of head.S to ap_start on their
 * own stack and on to the idle loop.
 */
#include "boot/smp.h"

#include "boot/boot.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/fpu.h"
#include "dev/acpi.h"
#include "dev/apic.h"
#include "hvm/hvm.h"
#include "lib/printk.h"
#include "lib/string.h"
#include "mm/alloc.h"
#include "sched/sched.h"
#include "time/time.h"

extern const char trampoline_start[], trampoline_end[];
extern char percpu_start[], percpu_end[];

no_return void ap_start(void); /* from head.S */

uint64_t ap_start_cr3, ap_start_stack; /* what head.S loads */
static unsigned int ap_cpu;
static uint32_t ap_alive;

#define START_TIMEOUT_US 200000

init_text void smp_trampoline_install(void)
{
	memcpy(paddr_to_virt(TRAMPOLINE_PADDR), trampoline_start, trampoline_end - trampoline_start);
}

no_return void ap_start(void)
{
	unsigned int cpu = ap_cpu;

	*cpu_info() = (struct cpu_info){.cpu = cpu, .percpu_offset = cpu_percpu_offset[cpu]};
	cpu_features_enable();
	cpu_descriptors_load(cpu);
	fpu_cpu_init();
	apic_cpu_init();
	__atomic_store_n(&ap_alive, cpu, __ATOMIC_RELEASE);
	time_cpu_init();
	sched_cpu_init(cpu);
	hvm_cpu_init();
	cpumask_set(&cpu_online, cpu);
	idle_loop();
}

static init_text int percpu_create(unsigned int cpu)
{
	size_t size = percpu_end - percpu_start;
	char *copy = heap_alloc(size);

	if (!copy)
		return -1;
	memset(copy, 0, size);
	cpu_percpu_offset[cpu] = (uint64_t)copy - (uint64_t)percpu_start;
	return 0;
}

static init_text bool wait_for(const uint32_t *word, uint32_t value)
{
	for (unsigned int us = 0; us < START_TIMEOUT_US; us += 10) {
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
			return true;
		delay_us(10);
	}
	return false;
}

static init_text bool cpu_start(unsigned int cpu, uint32_t apic)
{
	if (percpu_create(cpu) || cpu_area_create(cpu)) {
		printk("no memory for CPU %u\n", cpu);
		return false;
	}
	ap_cpu = cpu;
	ap_start_cr3 = cpu_hyp_cr3();
	ap_start_stack = cpu_stack_top(cpu);
	apic_send_init(apic);
	delay_us(10000);
	for (int tries = 0; tries < 2; tries++) {
		apic_send_startup(apic, TRAMPOLINE_PADDR >> PAGE_SHIFT);
		if (wait_for(&ap_alive, cpu))
			break;
	}
	if (ap_alive != cpu) {
		printk("CPU with APIC id %u does not start\n", apic);
		return false;
	}
	while (!cpumask_test(&cpu_online, cpu)) {
		time_sync_source();
		cpu_relax();
	}
	return true;
}

init_text void smp_start_others(void)
{
	uint32_t own = apic_id();

	for (unsigned int i = 0; i < acpi_info.nr_cpus; i++) {
		uint32_t apic = acpi_info.apic_ids[i];

		if (apic == own) {
			cpu_acpi_ids[0] = acpi_info.acpi_ids[i];
			continue;
		}
		if (cpu_count == MAX_CPUS) {
			printk("more than %u CPUs: the rest is left alone\n", MAX_CPUS);
			break;
		}
		cpu_apic_ids[cpu_count] = apic;
		cpu_acpi_ids[cpu_count] = acpi_info.acpi_ids[i];
		if (cpu_start(cpu_count, apic))
			cpu_count++;
	}
	printk("%u CPU%s\n", cpu_count, cpu_count == 1 ? "" : "s");
}
