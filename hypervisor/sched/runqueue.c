/* SPDX-License-Identifier: BSD-2-Clause */
/* Run queues: order by virtual runtime, accounting, and taking work from other CPUs. */
#include "sched/runqueue.h"

#include "sched/sched.h"

DEFINE_PERCPU(struct runqueue, runqueue);
struct cpumask sched_idle_cpus;
uint32_t sched_nr_waiting;

/* The largest min_vruntime of any queue: where one that was idle comes back in. */
static uint64_t frontier;

struct runqueue *runqueue_lock(struct vcpu *v, uint64_t *flags)
{
	for (;;) {
		unsigned int cpu = READ_ONCE(v->sched.cpu);
		struct runqueue *rq = &per_cpu(runqueue, cpu);

		*flags = spin_lock_irq(&rq->lock);
		if (v->sched.cpu == cpu)
			return rq;
		spin_unlock_irq(&rq->lock, *flags);
	}
}

static bool is_idling(const struct runqueue *rq)
{
	return rq->curr == rq->idle;
}

static void frontier_advance(uint64_t vruntime)
{
	uint64_t seen = __atomic_load_n(&frontier, __ATOMIC_RELAXED);

	/* Not for every microsecond: the line is shared by all CPUs. */
	while (vruntime > seen + MS)
		if (__atomic_compare_exchange_n(&frontier, &seen, vruntime, true, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return;
}

/* The least virtual runtime of those here now; ~0 if there is nobody. */
static uint64_t present_min(const struct runqueue *rq)
{
	struct vcpu *head = runqueue_head(rq);
	uint64_t min = head ? head->sched.vruntime : ~0UL;

	return is_idling(rq) ? min : MIN(min, rq->curr->sched.vruntime);
}

static void min_update(struct runqueue *rq)
{
	struct vcpu *head = runqueue_head(rq);
	uint64_t min = present_min(rq);

	WRITE_ONCE(rq->head_vruntime, head ? head->sched.vruntime : ~0UL);
	WRITE_ONCE(rq->curr_vruntime, is_idling(rq) ? ~0UL : rq->curr->sched.vruntime);
	if (min != ~0UL && min > rq->min_vruntime) {
		rq->min_vruntime = min;
		frontier_advance(min);
	}
}

/* Where a vCPU that did not run here until now comes into the order. */
static void vruntime_clamp(struct runqueue *rq, struct vcpu *v, enum enqueue_why why)
{
	uint64_t slack = why == ENQUEUE_MOVED ? SCHED_LAG : SCHED_BONUS, min;

	if (is_idling(rq) && !rq->nr_queued)
		rq->min_vruntime = MAX(rq->min_vruntime, READ_ONCE(frontier));
	min = MIN(rq->min_vruntime, present_min(rq));
	if (v->sched.vruntime + slack < min)
		v->sched.vruntime = min - slack;
	if (v->sched.vruntime > min + SCHED_LAG)
		v->sched.vruntime = min + SCHED_LAG;
}

void runqueue_enqueue(struct runqueue *rq, struct vcpu *v, enum enqueue_why why, uint64_t now)
{
	struct list_node *at;

	if (why != ENQUEUE_PREEMPTED)
		vruntime_clamp(rq, v, why);
	for (at = rq->queue.prev; at != &rq->queue; at = at->prev)
		if (list_entry(at, struct vcpu, sched.queue)->sched.vruntime <= v->sched.vruntime)
			break;
	list_insert_between(&v->sched.queue, at, at->next);
	v->sched.is_queued = true;
	rq->nr_queued++;
	__atomic_fetch_add(&sched_nr_waiting, 1, __ATOMIC_RELAXED);
	vcpu_state_set(v, RUNSTATE_runnable, now);
	min_update(rq);
}

void runqueue_dequeue(struct runqueue *rq, struct vcpu *v)
{
	list_del(&v->sched.queue);
	v->sched.is_queued = false;
	rq->nr_queued--;
	__atomic_fetch_sub(&sched_nr_waiting, 1, __ATOMIC_RELAXED);
	min_update(rq);
}

/*
 * A queue that pinning (or a weight too heavy for one CPU) keeps far behind
 * the others is brought up, all its vCPUs by the same: between them nothing
 * changes, and none of them may claim the difference on another CPU later.
 */
static void drift_limit(struct runqueue *rq)
{
	uint64_t ahead = READ_ONCE(frontier), shift;
	struct vcpu *v;

	if (ahead < rq->min_vruntime + 2 * SCHED_LAG)
		return;
	shift = ahead - SCHED_LAG - rq->min_vruntime;
	rq->curr->sched.vruntime += shift;
	list_for_each_entry(v, &rq->queue, sched.queue)
		v->sched.vruntime += shift;
	min_update(rq);
}

void runqueue_account(struct runqueue *rq, uint64_t now)
{
	struct vcpu *v = rq->curr;
	uint64_t ran;

	if (is_idling(rq) || now <= v->sched.run_since)
		return;
	ran = now - v->sched.run_since;
	v->sched.run_since = now;
	v->sched.vruntime += ran * SCHED_WEIGHT_DEFAULT / v->domain->sched.weight;
	cap_charge(v->domain, ran, now);
	min_update(rq);
	drift_limit(rq);
}

/* The first in its queue that may run on `cpu`, still below the bound. */
static struct vcpu *victim_find(struct runqueue *victim, unsigned int cpu, uint64_t below)
{
	struct vcpu *v;

	list_for_each_entry(v, &victim->queue, sched.queue) {
		if (v->sched.vruntime >= below)
			return NULL;
		if (cpumask_test(&v->sched.affinity, cpu) && !v->sched.is_running)
			return v;
	}
	return NULL;
}

/* For a moment only: two CPUs may want each other's. */
static bool victim_lock(struct runqueue *victim, unsigned int tries)
{
	while (!spin_trylock(&victim->lock)) {
		if (!tries--)
			return false;
		cpu_relax();
	}
	return true;
}

static struct vcpu *steal_from(struct runqueue *rq, struct runqueue *victim, uint64_t below)
{
	struct vcpu *v;

	/* One with nothing else to do tries longer: whoever called it may still hold the lock. */
	if (!victim_lock(victim, below == ~0UL ? 1000 : 0))
		return NULL;
	v = victim_find(victim, rq->cpu, below);
	if (v) {
		runqueue_dequeue(victim, v);
		v->sched.cpu = rq->cpu;
	}
	spin_unlock(&victim->lock);
	if (v)
		vruntime_clamp(rq, v, ENQUEUE_MOVED);
	return v;
}

struct vcpu *runqueue_steal(struct runqueue *rq, uint64_t below)
{
	struct cpumask tried = {{0}};

	/* Least first; a queue whose head may not come here can hide another that may. */
	for (;;) {
		unsigned int cpu, best = MAX_CPUS;
		uint64_t least = below;
		struct vcpu *v;

		if (!READ_ONCE(sched_nr_waiting))
			return NULL;
		for_each_online_cpu(cpu) {
			uint64_t head = READ_ONCE(per_cpu(runqueue, cpu).head_vruntime);

			if (cpu == rq->cpu || bit_test(tried.bits, cpu) || head >= least)
				continue;
			least = head;
			best = cpu;
		}
		if (best == MAX_CPUS)
			return NULL;
		v = steal_from(rq, &per_cpu(runqueue, best), below);
		if (v)
			return v;
		bit_set(tried.bits, best);
	}
}
