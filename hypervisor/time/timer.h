/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers, per CPU, in system time (ns since boot).  Callbacks run in
 * softirq context: interrupts on, no lock held, on the timer's CPU.
 */
#ifndef TIME_TIMER_H
#define TIME_TIMER_H

#include "lib/types.h"

struct timer {
	/* constant after init */
	void (*fn)(void *arg);
	void *arg;

	/* protected by the timer lock of `cpu` */
	uint64_t expires;
	unsigned int cpu;
	bool is_set;
	bool is_killed;			   /* by timer_kill: can no longer be set */
	bool is_running;		   /* its callback runs now, on some CPU */
	struct timer *child, *next, *prev; /* its place in the CPU's pairing heap */
};

#define TIMER_NEVER (~0UL)

void timer_init(struct timer *t, void (*fn)(void *), void *arg, unsigned int cpu);
/* Any context; replaces an earlier time. */
void timer_set(struct timer *t, uint64_t expires);
void timer_stop(struct timer *t);
/* Stop for good, and wait for a running callback to end; not from the callback itself. */
void timer_kill(struct timer *t);
void timer_migrate(struct timer *t, unsigned int cpu);

void timer_interrupt(void); /* the local APIC's; raises SOFTIRQ_TIMER */
void timer_softirq(void);

#endif
