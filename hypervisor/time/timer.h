/* SPDX-License-Identifier: BSD-2-Clause */
/* One-shot timers, per CPU, in system time (ns since boot). Callbacks run in softirq context. */
#ifndef TIME_TIMER_H
#define TIME_TIMER_H

#include "lib/types.h"

struct timer {
	uint64_t expires;
	void (*fn)(void *arg);
	void *arg;
	unsigned int cpu;
	uint32_t heap_index; /* 0: not set */
};

#define TIMER_NEVER (~0UL)

void timer_init(struct timer *t, void (*fn)(void *), void *arg, unsigned int cpu);
/* Any context; replaces an earlier time. */
void timer_set(struct timer *t, uint64_t expires);
void timer_stop(struct timer *t);
/* Stop, and wait for a running callback on another CPU to end. */
void timer_kill(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);

void timer_interrupt(void); /* the local APIC's; raises SOFTIRQ_TIMER */
void timer_softirq(void);

#endif
