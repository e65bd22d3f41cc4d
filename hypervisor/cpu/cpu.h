/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU set-up, the switch between vCPUs, and calls to other CPUs. */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "cpu/seam.h"
#include "lib/cpumask.h"

/* Maps and fills a CPU's area: stacks, GDT, TSS, SYSCALL stub.  0 or -ENOMEM. */
must_check int cpu_area_create(unsigned int cpu);
/* Loads GDT, TSS and IDT and the SYSCALL MSRs; on its own stack, each CPU. */
void cpu_descriptors_load(unsigned int cpu);
/* The address a CPU's stack begins at, cpu_info above it. */
uint64_t cpu_stack_top(unsigned int cpu);
struct cpu_info *cpu_info_of(unsigned int cpu);

init_text void idt_init(void);

/*
 * Leaves prev and runs next: saves what prev has in registers, loads next's.
 * Does not return: goes on to the guest or to the idle loop.  Interrupts off.
 */
no_return void context_switch(struct vcpu *prev, struct vcpu *next);

no_return void idle_loop(void);
no_return void ret_to_guest(void);
no_return void reset_stack_and_jump(void (*fn)(void));
no_return void stack_switch_and_call(uint64_t stack_top, void (*fn)(void));

/* Runs fn(arg) on the CPUs of the set, this one included; returns when all did. Interrupts on. */
void cpu_call_mask(const struct cpumask *cpus, void (*fn)(void *), void *arg);

/* The VECTOR_CALL interrupt: interrupts off. */
void ipi_call_handle(void);

init_text void smp_start_others(void);
extern unsigned int cpu_count;           /* CPUs started */
extern uint32_t cpu_apic_ids[MAX_CPUS];
extern uint32_t cpu_acpi_ids[MAX_CPUS];

/* The root of the hypervisor's own tables, without a guest. */
uint64_t cpu_hyp_cr3(void);

#endif
