/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work put off until the CPU is about to return to a guest or goes idle:
 * runs with interrupts on and no lock held.
 */
#ifndef CPU_SOFTIRQ_H
#define CPU_SOFTIRQ_H

#include "lib/types.h"

enum softirq {
	SOFTIRQ_TIMER,
	SOFTIRQ_SCHED,
	SOFTIRQ_TASKLET, /* deferred functions, dev/serial input, debug keys */
	SOFTIRQ_COUNT
};

void softirq_register(enum softirq nr, void (*fn)(void));
void softirq_raise(enum softirq nr);                    /* on this CPU, any context */
void softirq_raise_on(unsigned int cpu, enum softirq nr); /* and kicks it */
bool softirq_is_pending(void);
void softirq_run(void);

#endif
