/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside sched/: the run queue of each CPU, the rules of virtual runtime,
 * and the caps.  sched.c decides by them.
 *
 * A vCPU's virtual runtime grows while it runs, the slower the larger its
 * weight; who has least runs next.  Values are comparable between CPUs as
 * long as vCPUs may move; where pinning lets them drift apart, a move clamps
 * the mover to within LAG of the queue it comes to.
 */
#ifndef SCHED_RUNQUEUE_H
#define SCHED_RUNQUEUE_H

#include "cpu/seam.h"
#include "domain/domain.h"
#include "lib/list.h"
#include "lib/spinlock.h"
#include "time/timer.h"

#define MS		  1000000UL

#define SCHED_GRANULARITY (5 * MS) /* of virtual runtime: two equals change every twice this */
#define SCHED_WAKE_GRAN	  (1 * MS) /* so much less, and a woken vCPU preempts at once */
#define SCHED_RATELIMIT	  (1 * MS) /* nobody is preempted sooner */
#define SCHED_SLICE_MAX	  (10 * MS)
#define SCHED_SLICE_MIN	  (MS / 10)
#define SCHED_BALANCE	  (50 * MS) /* between looks at other CPUs when nobody waits here */
#define SCHED_BONUS	  (5 * MS)  /* how far a sleeper may lag behind when it wakes */
#define SCHED_LAG	  (40 * MS) /* how far a mover may differ from where it comes to */
#define SCHED_CAP_PERIOD  (50 * MS)
#define SCHED_HANDOFF	  (MS / 4) /* until an idle CPU is called for who waits for its waker */

struct runqueue {
	/* irq-safe.  A second one is only ever tried for, never waited for without bound. */
	struct spinlock lock;
	struct vcpu *curr;	/* whom the CPU runs; the idle vCPU if nobody */
	struct list_node queue; /* who waits, by virtual runtime */
	unsigned int nr_queued;
	uint64_t min_vruntime;	/* of all here; never goes back */
	uint64_t head_vruntime; /* of the first who waits, ~0 if nobody; others look without the
				   lock */
	uint64_t curr_vruntime; /* likewise, as last accounted; ~0 when idle */
	bool has_woken;		/* somebody woken should preempt curr */

	/* constant after init */
	unsigned int cpu;
	struct vcpu *idle;
	struct timer slice;
};

DECLARE_PERCPU(struct runqueue, runqueue);
extern struct cpumask sched_idle_cpus; /* atomic bits; a hint */
extern uint32_t sched_nr_waiting;      /* vCPUs queued on all CPUs, atomic */

/* The queue of the vCPU's CPU, locked. */
struct runqueue *runqueue_lock(struct vcpu *v, uint64_t *flags);
static inline void runqueue_unlock(struct runqueue *rq, uint64_t flags)
{
	spin_unlock_irq(&rq->lock, flags);
}

enum enqueue_why {
	ENQUEUE_PREEMPTED, /* it ran here until now */
	ENQUEUE_WOKEN,
	ENQUEUE_ANSWERED, /* likewise, by one who soon waits in turn */
	ENQUEUE_MOVED,	  /* it comes from another CPU's queue */
};

/* All of these under the queue's lock. */
void runqueue_enqueue(struct runqueue *rq, struct vcpu *v, enum enqueue_why why, uint64_t now);
void runqueue_dequeue(struct runqueue *rq, struct vcpu *v);
static inline struct vcpu *runqueue_head(const struct runqueue *rq)
{
	return list_is_empty(&rq->queue) ? NULL
					 : list_first_entry(&rq->queue, struct vcpu, sched.queue);
}
/* Brings curr's virtual runtime, its domain's cap and the queue's minimum up to `now`. */
void runqueue_account(struct runqueue *rq, uint64_t now);
/*
 * The vCPU with the least virtual runtime below `below` that waits on another CPU and may run
 * here, taken off there; NULL if there is none, or its queue is busy.
 */
struct vcpu *runqueue_steal(struct runqueue *rq, uint64_t below);

/* runstate.c, under the queue's lock; the area is written by who has it (is_running). */
void vcpu_state_set(struct vcpu *v, int state, uint64_t now);
void vcpu_runstate_area_write(struct vcpu *v);

/* cap.c, under the queue's lock of a vCPU of d. */
void cap_charge(struct domain *d, uint64_t ns, uint64_t now);
/* The domain may not run before its next period: the caller has parked v. */
bool cap_park(struct vcpu *v);
uint64_t cap_budget(const struct domain *d); /* ns left in this period, ~0 uncapped */
void cap_unpark_all(struct domain *d);	     /* no lock held */

void sched_watchdogs_init(struct domain *d); /* sched_op.c */

#endif
