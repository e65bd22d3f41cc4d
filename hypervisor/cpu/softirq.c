/* SPDX-License-Identifier: BSD-2-Clause */
/* Pending bits per CPU and the functions behind them. */
#include "cpu/softirq.h"

#include "cpu/seam.h"
#include "lib/printk.h"

DEFINE_PERCPU(uint32_t, softirq_pending);
static void (*handlers[SOFTIRQ_COUNT])(void);

void softirq_register(enum softirq nr, void (*fn)(void))
{
	handlers[nr] = fn;
}

void softirq_raise(enum softirq nr)
{
	__atomic_fetch_or(&this_cpu(softirq_pending), 1U << nr, __ATOMIC_SEQ_CST);
}

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	uint32_t old = __atomic_fetch_or(&per_cpu(softirq_pending, cpu), 1U << nr, __ATOMIC_SEQ_CST);

	/* a bit that was set already has its kick on the way */
	if (!(old & 1U << nr) && cpu != cpu_id())
		cpu_kick(cpu);
}

bool softirq_is_pending(void)
{
	return READ_ONCE(this_cpu(softirq_pending));
}

/* The scheduler comes last: it may not return. */
void softirq_run(void)
{
	uint32_t pending;

	while ((pending = READ_ONCE(this_cpu(softirq_pending)))) {
		unsigned int nr = __builtin_ctz(pending & ~(1U << SOFTIRQ_SCHED) ?
							pending & ~(1U << SOFTIRQ_SCHED) :
							pending);

		__atomic_fetch_and(&this_cpu(softirq_pending), ~(1U << nr), __ATOMIC_SEQ_CST);
		if (handlers[nr])
			handlers[nr]();
	}
}
