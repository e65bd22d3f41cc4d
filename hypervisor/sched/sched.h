/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: weighted fair sharing of the CPUs among vCPUs, with caps,
 * hard affinity, and run states.  Decides only; cpu/switch.c switches.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <xen/vcpu.h>

#include "lib/cpumask.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/types.h"
#include "time/timer.h"

struct sched_vcpu {
	/* protected by the run queue's lock of `cpu` (see sched.c) */
	unsigned int cpu;        /* whose run queue it is on, or last ran on */
	bool is_running;         /* its context is on a CPU (registers not saved yet) */
	struct list_node queue;
	uint64_t vruntime;       /* weighted ns */
	uint64_t run_since;      /* system time it was put on the CPU */
	struct cpumask affinity; /* hard */
	struct cpumask soft_affinity;
	uint32_t pause_count;    /* atomic; runs only at 0 */
	int state;               /* RUNSTATE_* */
	uint64_t state_since;
	uint64_t state_time[4];  /* ns in each RUNSTATE_* */
	struct timer poll_timer;
	struct list_node parked; /* over its cap */
	void *runstate_guest;    /* where VCPUOP_register_runstate_memory_area wants it, guest address */
};

struct sched_domain {
	uint16_t weight; /* 1..65535, 256 default */
	uint16_t cap;    /* percent of one CPU, 0 = none */
	uint64_t cap_used;
	uint64_t cap_period_start;
	bool cap_parked;
	struct spinlock cap_lock;
};

init_text void sched_init(void);
init_text void sched_cpu_init(unsigned int cpu); /* on that CPU; makes its idle vCPU current */
must_check int sched_vcpu_init(struct vcpu *v);  /* paused once, down */
void sched_vcpu_fini(struct vcpu *v);
void sched_domain_init(struct domain *d);

/* Any context. Wake if it is runnable (nothing pauses or blocks it). */
void vcpu_wake(struct vcpu *v);
/* Take off its queue and kick its CPU if it no longer may run; _wait: until it is off the CPU. */
void vcpu_sleep(struct vcpu *v);
void vcpu_sleep_wait(struct vcpu *v);
void vcpu_yield(void);
/* Current vCPU blocks until an event, unless one is pending. */
void vcpu_block(void);
bool vcpu_is_runnable(const struct vcpu *v);

/* Softirq: choose the next vCPU for this CPU and switch to it (context_switch). */
void sched_run(void);
/* Called by context_switch when the previous vCPU's registers are saved, on the same CPU. */
void sched_switched(struct vcpu *prev);

must_check int vcpu_set_affinity(struct vcpu *v, const struct cpumask *hard, const struct cpumask *soft);
must_check int sched_set_params(struct domain *d, uint16_t weight, uint16_t cap);

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out);
uint64_t vcpu_cpu_time(struct vcpu *v); /* ns running */
uint64_t cpu_idle_time(unsigned int cpu);

/* HYPERVISOR_sched_op, vcpu_op */
long hypercall_sched_op(const uint64_t *args);
long hypercall_vcpu_op(const uint64_t *args);

void sched_dump(void); /* debug key 'r' */

#endif
