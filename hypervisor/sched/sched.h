/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: weighted fair sharing of the CPUs among vCPUs, with caps,
 * hard affinity, and run states.  Decides only; cpu/switch.c switches.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "lib/cpumask.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "lib/types.h" /* before the ABI headers, which need its types */
#include "sched/vcpu_area.h"
#include "time/timer.h"

#include <xen/vcpu.h>

#define SCHED_WEIGHT_DEFAULT 256
#define SCHED_WATCHDOGS	     2 /* per domain, as SCHEDOP_watchdog has them */

struct sched_vcpu {
	/* protected by the lock of `cpu`'s run queue (runqueue.h) */
	unsigned int cpu; /* whose run queue it is on, or last ran on */
	bool is_running;  /* its context is on a CPU (registers not saved yet) */
	bool is_queued;
	bool is_parked; /* its domain used up its cap; the cap's timer brings it back */
	bool has_yielded;
	struct list_node queue;
	uint64_t vruntime;	 /* weighted ns */
	uint64_t run_since;	 /* system time up to which its running is accounted */
	uint64_t switched_in;	 /* system time it was put on the CPU */
	struct cpumask usable;	 /* constant once it has run: no affinity goes beyond */
	struct cpumask affinity; /* hard */
	struct cpumask soft_affinity;
	struct cpumask affinity_saved; /* while SCHEDOP_pin_override is in force */
	bool is_pin_overridden;
	int state; /* RUNSTATE_* */
	uint64_t state_since;
	uint64_t state_time[4]; /* ns in each RUNSTATE_* */

	uint32_t pause_count; /* atomic; runs only at 0 */
	struct timer poll_timer;

	struct vcpu_area runstate_area; /* VCPUOP_register_runstate_memory_area */
};

struct sched_domain {
	uint16_t weight; /* 1..65535, of each vCPU, SCHED_WEIGHT_DEFAULT */
	uint16_t cap;	 /* percent of one CPU, 0 = none */

	struct spinlock cap_lock; /* irq-safe, taken inside a run queue's: */
	uint64_t cap_used;	  /* ns in this period */
	bool is_cap_active;	  /* cap_timer is set */
	struct timer cap_timer;

	/* protected by domain->lock */
	struct timer watchdogs[SCHED_WATCHDOGS];
	bool watchdog_used[SCHED_WATCHDOGS];
};

init_text void sched_init(void);
init_text void sched_cpu_init(unsigned int cpu); /* on that CPU; makes its idle vCPU current */
must_check int sched_vcpu_init(struct vcpu *v);	 /* pause_count 1, VCPU_F_DOWN */
void sched_vcpu_fini(struct vcpu *v);
/* Teardown: gives back the guest pages it holds (vcpu_info, runstate and time areas). */
void sched_vcpu_relinquish(struct vcpu *v);
void sched_domain_init(struct domain *d);
void sched_domain_fini(struct domain *d); /* once no vCPU of it can run: stops its timers */

/* Any context. Wake if it is runnable (nothing pauses or blocks it). */
void vcpu_wake(struct vcpu *v);
/* Any context. An event came: ends a sched_op block or poll, and wakes. */
void vcpu_unblock(struct vcpu *v);
/* Any context. As unblock, and if it runs on another CPU, makes it pass through the hypervisor. */
void vcpu_kick(struct vcpu *v);
/* Take off its queue and kick its CPU if it no longer may run; _wait: until it is off the CPU. */
void vcpu_sleep(struct vcpu *v);
void vcpu_sleep_wait(struct vcpu *v);
/* VCPUOP_down: v does not run until it is brought up.  A domain without a vCPU to run has ended. */
void vcpu_take_down(struct vcpu *v);
void vcpu_yield(void);
/* Current vCPU blocks until an event, unless one is pending. */
void vcpu_block(void);
/* Has the current vCPU something that ends a block or poll? */
bool vcpu_has_wakeup(const struct vcpu *v);
/*
 * The current vCPU stands still until vcpu_io_wake (any context), whatever
 * events come.  Look whether there still is something to wait for after it.
 */
void vcpu_io_wait(void);
void vcpu_io_wake(struct vcpu *v);
bool vcpu_is_runnable(const struct vcpu *v);

/* Softirq: choose the next vCPU for this CPU and switch to it (context_switch). */
void sched_run(void);
/* Called by context_switch when the previous vCPU's registers are saved, on the same CPU. */
void sched_switched(struct vcpu *prev);

/* Before it first runs: on these CPUs alone, one of which is online, whatever its affinity. */
void sched_vcpu_confine(struct vcpu *v, const struct cpumask *cpus);
/* hard or soft may be NULL: unchanged.  -EINVAL when no CPU of `hard` is online and usable */
must_check int vcpu_set_affinity(struct vcpu *v, const struct cpumask *hard,
				 const struct cpumask *soft);
/* SCHEDOP_pin_override: cpu -1 undoes it.  -EINVAL: not online, -EBUSY: in force already */
must_check int sched_pin_override(struct vcpu *v, int cpu);
/* -EINVAL: weight 0, or cap beyond all CPUs */
must_check int sched_set_params(struct domain *d, uint16_t weight, uint16_t cap);

void vcpu_runstate_get(struct vcpu *v, struct vcpu_runstate_info *out);
uint64_t vcpu_cpu_time(struct vcpu *v); /* ns running */
uint64_t cpu_idle_time(unsigned int cpu);

/*
 * VCPUOP_register_vcpu_info: the current vCPU's domain moves v's vcpu_info to
 * that place, once, and what it held with it.  -EINVAL, -ENXIO
 */
must_check int vcpu_info_register(struct vcpu *v, uint64_t frame, unsigned int offset);
void vcpu_info_release(struct vcpu *v); /* teardown */

/* HYPERVISOR_sched_op, vcpu_op */
long hypercall_sched_op(const uint64_t *args);
long hypercall_vcpu_op(const uint64_t *args);

void sched_dump(void); /* debug key 'r' */

#endif
