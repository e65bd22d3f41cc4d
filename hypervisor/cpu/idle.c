/* SPDX-License-Identifier: BSD-2-Clause */
/* What a CPU does when no vCPU may run: softirqs, then HLT until an interrupt. */
#include "cpu/cpu.h"
#include "cpu/softirq.h"
#include "lib/printk.h"

no_return void idle_loop(void)
{
	for (;;) {
		irq_enable();
		softirq_run();
		irq_disable();
		if (softirq_is_pending())
			continue;
		/* STI takes effect after HLT has begun: no interrupt is lost between */
		__asm__ volatile("sti; hlt" ::: "memory");
	}
}
