/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls between CPUs.  Each CPU has one request slot of its own for what it
 * asks of others; the asked ones clear their bit in it when done.
 */
#include "cpu/asm.h"
#include "cpu/cpu.h"
#include "cpu/softirq.h"
#include "dev/apic.h"
#include "lib/printk.h"
#include "mm/mm.h"

struct cpumask cpu_online;
unsigned int cpu_count = 1;
uint32_t cpu_apic_ids[MAX_CPUS];
uint32_t cpu_acpi_ids[MAX_CPUS];

struct call_request {
	void (*fn)(void *);
	void *arg;
	struct cpumask waiting; /* CPUs that have not done it */
};

/* One request from each CPU; requests[n] is CPU n's. */
static struct call_request requests[MAX_CPUS];

void cpu_kick(unsigned int cpu)
{
	if (cpu != cpu_id())
		apic_send_ipi(cpu_apic_ids[cpu], VECTOR_KICK);
}

static void call_serve(void)
{
	unsigned int me = cpu_id(), from;

	for_each_online_cpu (from) {
		struct call_request *r = &requests[from];

		if (!cpumask_test(&r->waiting, me))
			continue;
		r->fn(r->arg);
		cpumask_clear(&r->waiting, me);
	}
}

void ipi_call_handle(void)
{
	call_serve();
}

void cpu_call_mask(const struct cpumask *cpus, void (*fn)(void *), void *arg)
{
	unsigned int me = cpu_id(), cpu;
	struct call_request *r = &requests[me];
	struct cpumask others;
	bool any = false;

	cpumask_and(&others, cpus, &cpu_online);
	if (cpumask_test(&others, me)) {
		uint64_t flags = irq_save();

		fn(arg);
		irq_restore(flags);
		bit_clear(others.bits, me);
	}
	if (cpumask_is_empty(&others))
		return;
	ASSERT(irq_is_enabled());
	r->fn = fn;
	r->arg = arg;
	for (unsigned int i = 0; i < ARRAY_SIZE(others.bits); i++)
		__atomic_store_n(&r->waiting.bits[i], others.bits[i], __ATOMIC_SEQ_CST);
	for_each_cpu (cpu, &others)
		apic_send_ipi(cpu_apic_ids[cpu], VECTOR_CALL);
	do {
		any = !cpumask_is_empty(&r->waiting);
		cpu_relax();
	} while (any);
}

static void do_cache_flush(void *arg)
{
	__asm__ volatile("wbinvd" ::: "memory");
}

void cache_flush_mask(const struct cpumask *cpus)
{
	cpu_call_mask(cpus, do_cache_flush, NULL);
}

uint64_t cpu_hyp_cr3(void)
{
	return (uint64_t)hyp_l4 - IMAGE_START;
}
