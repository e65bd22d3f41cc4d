/* SPDX-License-Identifier: BSD-2-Clause */
/* From the first C instruction to a running dom0: the order of all set-up. */
#include "boot/boot.h"
#include "boot/multiboot.h"
#include "boot/smp.h"
#include "cpu/cpu.h"
#include "cpu/features.h"
#include "cpu/fpu.h"
#include "dev/acpi.h"
#include "dev/apic.h"
#include "dev/console.h"
#include "dev/irq.h"
#include "domain/dom0.h"
#include "domain/domain.h"
#include "hvm/hvm.h"
#include "lib/printk.h"
#include "mm/mm.h"
#include "sched/sched.h"
#include "time/time.h"

no_return void boot_start(uint32_t magic, uint32_t info); /* from head.S */

uint64_t cpu_percpu_offset[MAX_CPUS];

/* No init code any more, this included: what it occupied is given back. */
static void boot_finish(void)
{
	mm_init_done();
	printk("starting dom0\n");
	if (domain_unpause_by_controller(dom0))
		panic("dom0 was not paused");
	idle_loop();
}

/* On the boot CPU's own stack, everything mapped for good. */
static init_text void boot_on_own_stack(void)
{
	*cpu_info() = (struct cpu_info){0};
	cpu_descriptors_load(0);

	acpi_init(&boot_info);
	apic_init();
	apic_cpu_init();
	cpu_apic_ids[0] = apic_id();
	time_init();
	apic_timer_calibrate();
	time_cpu_init();
	irq_init();

	sched_init();
	sched_cpu_init(0);
	cpumask_set(&cpu_online, 0);
	hvm_init();
	hvm_cpu_init();
	irq_enable();
	smp_start_others();
	console_input_init();

	dom0_build(&boot_info);
	reset_stack_and_jump(boot_finish);
}

no_return void boot_start(uint32_t magic, uint32_t info)
{
	*cpu_info() = (struct cpu_info){0};
	console_init();
	printk("Zendo, a hypervisor of the Xen 4.17 ABI\n");
	multiboot_parse(magic, info);
	smp_trampoline_install();
	cpu_features_init();
	cpu_features_enable();
	fpu_init();
	idt_init();
	mm_init(&boot_info);
	if (cpu_area_create(0))
		panic("no memory for the boot CPU");
	stack_switch_and_call(cpu_stack_top(0), boot_on_own_stack);
}
