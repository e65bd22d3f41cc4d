/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's decisions: where a vCPU that wakes goes, who runs next on
 * this CPU and for how long.  Queues and virtual runtime are runqueue.c's.
 *
 * A vCPU that leaves the CPU is put on no queue before its registers are
 * saved (sched_switched): until then is_running keeps every other CPU off it.
 */
#include "sched/sched.h"

#include "cpu/cpu.h"
#include "cpu/softirq.h"
#include "domain/domain.h"
#include "hvm/hvm.h"
#include "hvm/vlapic.h"
#include "lib/errno.h"
#include "lib/printk.h"
#include "sched/runqueue.h"
#include "time/time.h"

static struct domain dom_idle = {.id = DOMID_IDLE, .type = DOMAIN_SYSTEM};
static DEFINE_PERCPU(struct vcpu, idle_vcpu);

static bool is_idling(const struct runqueue *rq)
{
	return rq->curr == rq->idle;
}

bool vcpu_is_runnable(const struct vcpu *v)
{
	return !(READ_ONCE(v->flags) & (BIT(VCPU_F_DOWN) | BIT(VCPU_F_BLOCKED) |
					BIT(VCPU_F_POLLING) | BIT(VCPU_F_IO_WAIT))) &&
	       !READ_ONCE(v->sched.pause_count);
}

/* What to call the state of a vCPU that is not on a CPU and not runnable. */
static int state_off_cpu(const struct vcpu *v)
{
	unsigned long flags = READ_ONCE(v->flags);

	if (READ_ONCE(v->sched.pause_count) || flags & BIT(VCPU_F_DOWN))
		return RUNSTATE_offline;
	if (flags & (BIT(VCPU_F_BLOCKED) | BIT(VCPU_F_POLLING) | BIT(VCPU_F_IO_WAIT)))
		return RUNSTATE_blocked;
	return RUNSTATE_runnable;
}

/* --- how long --- */

static void slice_ended(void *arg)
{
	(void)arg;
	softirq_raise(SOFTIRQ_SCHED);
}

/* ns of running until curr is so far ahead of the first in the queue that they change. */
static uint64_t slice_against(const struct vcpu *curr, const struct vcpu *head)
{
	uint64_t limit = head->sched.vruntime + SCHED_GRANULARITY, lead;

	if (limit <= curr->sched.vruntime)
		return 0;
	lead = limit - curr->sched.vruntime;
	if (lead > SCHED_SLICE_MAX * 4)
		return SCHED_SLICE_MAX;
	return MIN(lead * curr->domain->sched.weight / SCHED_WEIGHT_DEFAULT, SCHED_SLICE_MAX);
}

/* Under the queue's lock, from any CPU. */
static void slice_set(struct runqueue *rq, uint64_t now)
{
	struct vcpu *curr = rq->curr, *head = runqueue_head(rq);
	uint64_t slice = SCHED_BALANCE, earliest;

	if (is_idling(rq)) {
		timer_stop(&rq->slice);
		return;
	}
	if (READ_ONCE(sched_nr_waiting))
		slice = SCHED_SLICE_MAX;
	if (head)
		slice = rq->has_woken ? 0 : slice_against(curr, head);
	earliest = curr->sched.switched_in + SCHED_RATELIMIT;
	if (now + slice < earliest)
		slice = earliest - now;
	slice = MIN(slice, cap_budget(curr->domain));
	slice = MAX(slice, SCHED_SLICE_MIN);
	timer_set(&rq->slice, now + slice);
}

/* --- where --- */

static bool is_allowed(const struct vcpu *v, unsigned int cpu)
{
	return cpumask_test(&v->sched.affinity, cpu);
}

static bool idle_cpu_claim(unsigned int cpu)
{
	return atomic_bit_test_and_clear(sched_idle_cpus.bits, cpu);
}

/* An idle CPU of the set, no longer offered to others; MAX_CPUS if there is none. */
static unsigned int idle_cpu_find(const struct vcpu *v, const struct cpumask *wanted)
{
	struct cpumask candidates;
	unsigned int cpu;

	cpumask_and(&candidates, &sched_idle_cpus, wanted);
	cpumask_and(&candidates, &candidates, &v->sched.affinity);
	for_each_cpu(cpu, &candidates)
		if (idle_cpu_claim(cpu))
			return cpu;
	return MAX_CPUS;
}

static bool would_preempt(const struct vcpu *v, uint64_t curr_vruntime)
{
	return v->sched.vruntime + SCHED_WAKE_GRAN < curr_vruntime;
}

/* No CPU is idle: stay if it can run soon, else where the one running is furthest ahead. */
static unsigned int busy_cpu_choose(const struct vcpu *v)
{
	unsigned int cpu, best = MAX_CPUS;
	uint64_t most = 0;

	if (is_allowed(v, v->sched.cpu) &&
	    would_preempt(v, READ_ONCE(per_cpu(runqueue, v->sched.cpu).curr_vruntime)))
		return v->sched.cpu;
	for_each_online_cpu(cpu) {
		uint64_t ahead = READ_ONCE(per_cpu(runqueue, cpu).curr_vruntime);

		if (!is_allowed(v, cpu) || (best != MAX_CPUS && ahead <= most))
			continue;
		most = ahead;
		best = cpu;
	}
	if (is_allowed(v, v->sched.cpu) && !would_preempt(v, most))
		return v->sched.cpu;
	return best == MAX_CPUS ? v->sched.cpu : best;
}

/*
 * Is this CPU as good as an idle one, without having to be woken?  What it runs is just about to
 * stand still, waiting for v; or v has been waiting for that, which has little left to do.
 */
static bool is_free_here(const struct vcpu *v, enum enqueue_why why)
{
	const struct runqueue *rq = &this_cpu(runqueue);

	return is_allowed(v, rq->cpu) && !READ_ONCE(rq->nr_queued) && current != rq->idle &&
	       (why == ENQUEUE_ANSWERED || !vcpu_is_runnable(current));
}

static unsigned int cpu_choose(const struct vcpu *v, enum enqueue_why why)
{
	unsigned int cpu = v->sched.cpu;

	if (is_free_here(v, why))
		return cpu_id();
	if (is_allowed(v, cpu) && idle_cpu_claim(cpu))
		return cpu;
	cpu = idle_cpu_find(v, &v->sched.soft_affinity);
	if (cpu == MAX_CPUS)
		cpu = idle_cpu_find(v, &cpu_online);
	return cpu == MAX_CPUS ? busy_cpu_choose(v) : cpu;
}

/* Tells the CPU of a queue that it should choose again, at once or when curr's slice ends. */
static void runqueue_poke(struct runqueue *rq, struct vcpu *v, enum enqueue_why why, uint64_t now)
{
	if (is_idling(rq) || !vcpu_is_runnable(rq->curr)) {
		softirq_raise_on(rq->cpu, SOFTIRQ_SCHED);
		return;
	}
	if (why == ENQUEUE_ANSWERED && rq->cpu == cpu_id()) {
		timer_set(&rq->slice, now + SCHED_HANDOFF);
		return;
	}
	runqueue_account(rq, now);
	if (would_preempt(v, rq->curr->sched.vruntime)) {
		rq->has_woken = true;
		if (now >= rq->curr->sched.switched_in + SCHED_RATELIMIT) {
			softirq_raise_on(rq->cpu, SOFTIRQ_SCHED);
			return;
		}
	}
	slice_set(rq, now);
}

static bool may_enqueue(const struct vcpu *v)
{
	return vcpu_is_runnable(v) && !v->sched.is_running && !v->sched.is_queued &&
	       !v->sched.is_parked;
}

/* Queues v, which is on no CPU, on the best one. Takes the lock of its queue, and releases it. */
static void vcpu_place(struct runqueue *rq, struct vcpu *v, enum enqueue_why why, uint64_t flags)
{
	unsigned int cpu =
		why == ENQUEUE_PREEMPTED && is_allowed(v, rq->cpu) ? rq->cpu : cpu_choose(v, why);
	uint64_t now = time_now();

	/* Between two locks another may queue it, or change where it may run. */
	while (cpu != rq->cpu && may_enqueue(v)) {
		v->sched.cpu = cpu;
		runqueue_unlock(rq, flags);
		rq = runqueue_lock(v, &flags);
		if (why == ENQUEUE_PREEMPTED)
			why = ENQUEUE_MOVED;
		cpu = is_allowed(v, rq->cpu) ? rq->cpu : cpu_choose(v, why);
	}
	if (may_enqueue(v)) {
		runqueue_enqueue(rq, v, why, now);
		runqueue_poke(rq, v, why, now);
	}
	runqueue_unlock(rq, flags);
}

/* --- waking and sleeping --- */

static void wake(struct vcpu *v, enum enqueue_why why)
{
	uint64_t flags;
	struct runqueue *rq = runqueue_lock(v, &flags);

	if (may_enqueue(v)) {
		vcpu_place(rq, v, why, flags);
		return;
	}
	if (!v->sched.is_running && !v->sched.is_queued && !v->sched.is_parked)
		vcpu_state_set(v, state_off_cpu(v), time_now());
	runqueue_unlock(rq, flags);
}

void vcpu_wake(struct vcpu *v)
{
	wake(v, ENQUEUE_WOKEN);
}

void vcpu_unblock(struct vcpu *v)
{
	const unsigned long waits = BIT(VCPU_F_BLOCKED) | BIT(VCPU_F_POLLING);

	if (__atomic_fetch_and(&v->flags, ~waits, __ATOMIC_SEQ_CST) & waits)
		vcpu_wake(v);
}

void vcpu_kick(struct vcpu *v)
{
	vcpu_unblock(v);
	if (v != current && READ_ONCE(v->sched.is_running))
		cpu_kick(READ_ONCE(v->sched.cpu));
}

void vcpu_sleep(struct vcpu *v)
{
	uint64_t flags;
	struct runqueue *rq = runqueue_lock(v, &flags);

	if (!vcpu_is_runnable(v)) {
		if (v->sched.is_queued)
			runqueue_dequeue(rq, v);
		if (rq->curr == v)
			softirq_raise_on(rq->cpu, SOFTIRQ_SCHED);
		else if (!v->sched.is_running)
			vcpu_state_set(v, state_off_cpu(v), time_now());
	}
	runqueue_unlock(rq, flags);
}

void vcpu_sleep_wait(struct vcpu *v)
{
	ASSERT(v != current);
	vcpu_sleep(v);
	while (__atomic_load_n(&v->sched.is_running, __ATOMIC_ACQUIRE))
		cpu_relax();
}

void vcpu_yield(void)
{
	uint64_t flags;
	struct runqueue *rq = runqueue_lock(current, &flags);

	current->sched.has_yielded = true;
	runqueue_unlock(rq, flags);
	softirq_raise(SOFTIRQ_SCHED);
}

bool vcpu_has_wakeup(const struct vcpu *v)
{
	if (v->domain->type == DOMAIN_HVM)
		return hvm_has_wakeup(v);
	return vcpu_has_upcall(v) || bit_test(&v->flags, VCPU_F_NMI_PENDING);
}

void vcpu_block(void)
{
	struct vcpu *v = current;

	/* Set before the look: an event that comes after it finds the bit and clears it. */
	atomic_bit_set(&v->flags, VCPU_F_BLOCKED);
	if (vcpu_has_wakeup(v))
		atomic_bit_clear(&v->flags, VCPU_F_BLOCKED);
	else
		softirq_raise(SOFTIRQ_SCHED);
}

void vcpu_io_wait(void)
{
	atomic_bit_set(&current->flags, VCPU_F_IO_WAIT);
	softirq_raise(SOFTIRQ_SCHED);
}

void vcpu_io_wake(struct vcpu *v)
{
	if (atomic_bit_test_and_clear(&v->flags, VCPU_F_IO_WAIT))
		wake(v, ENQUEUE_ANSWERED);
}

/* --- who --- */

static bool may_stay(struct runqueue *rq, struct vcpu *v)
{
	return !is_idling(rq) && vcpu_is_runnable(v) && is_allowed(v, rq->cpu) && !cap_park(v);
}

/* The first of this queue whose domain has not used up its cap; others are parked. */
static struct vcpu *head_choose(struct runqueue *rq)
{
	struct vcpu *v;

	while ((v = runqueue_head(rq)) && cap_park(v))
		runqueue_dequeue(rq, v);
	return v;
}

static struct vcpu *steal_choose(struct runqueue *rq, uint64_t below)
{
	struct vcpu *v;

	while ((v = runqueue_steal(rq, below)) && cap_park(v))
		continue;
	return v;
}

static bool head_goes_first(struct runqueue *rq, struct vcpu *prev, struct vcpu *head, uint64_t now)
{
	uint64_t lead = rq->has_woken ? SCHED_WAKE_GRAN : SCHED_GRANULARITY;

	if (prev->sched.has_yielded) {
		prev->sched.vruntime = MAX(prev->sched.vruntime, head->sched.vruntime);
		return true;
	}
	if (now < prev->sched.switched_in + SCHED_RATELIMIT)
		return false;
	return head->sched.vruntime + lead <= prev->sched.vruntime;
}

/* Takes the next vCPU off its queue (or leaves prev on the CPU, or says idle). */
static struct vcpu *next_choose(struct runqueue *rq, struct vcpu *prev, uint64_t now)
{
	struct vcpu *stay = may_stay(rq, prev) ? prev : NULL, *head = head_choose(rq), *local, *v;
	uint64_t below = ~0UL;

	local = stay;
	if (head && (!stay || head_goes_first(rq, stay, head, now)))
		local = head;
	if (local) {
		uint64_t least = head ? MIN(head->sched.vruntime, local->sched.vruntime)
				      : local->sched.vruntime;

		below = least > SCHED_GRANULARITY ? least - SCHED_GRANULARITY : 0;
		if (local == prev && now < prev->sched.switched_in + SCHED_RATELIMIT)
			below = 0;
	}
	v = below ? steal_choose(rq, below) : NULL;
	if (v)
		return v;
	if (local == head && head)
		runqueue_dequeue(rq, head);
	return local ? local : rq->idle;
}

static void idle_hint_set(struct runqueue *rq, bool is_idle)
{
	if (bit_test(sched_idle_cpus.bits, rq->cpu) == is_idle)
		return;
	if (is_idle)
		cpumask_set(&sched_idle_cpus, rq->cpu);
	else
		cpumask_clear(&sched_idle_cpus, rq->cpu);
}

/* Somebody waits here while another CPU has nothing to do: let that one come and take it. */
static void idle_cpu_call(struct runqueue *rq)
{
	struct vcpu *head = runqueue_head(rq);
	unsigned int cpu;

	if (!head)
		return;
	cpu = idle_cpu_find(head, &cpu_online);
	if (cpu != MAX_CPUS && cpu != rq->cpu)
		softirq_raise_on(cpu, SOFTIRQ_SCHED);
}

static void next_begin(struct runqueue *rq, struct vcpu *prev, struct vcpu *next, uint64_t now)
{
	if (prev != rq->idle)
		vcpu_state_set(
			prev, prev->sched.is_parked ? RUNSTATE_runnable : state_off_cpu(prev), now);
	else
		vcpu_state_set(prev, RUNSTATE_runnable, now);
	next->sched.is_running = true;
	next->sched.run_since = now;
	next->sched.switched_in = now;
	vcpu_state_set(next, RUNSTATE_running, now);
	rq->curr = next;
	WRITE_ONCE(rq->curr_vruntime, next == rq->idle ? ~0UL : next->sched.vruntime);
}

void sched_run(void)
{
	struct runqueue *rq = &this_cpu(runqueue);
	uint64_t flags = spin_lock_irq(&rq->lock), now = time_now();
	struct vcpu *prev = rq->curr, *next;

	runqueue_account(rq, now);
	next = next_choose(rq, prev, now);
	/* Too early yet to preempt: the slice ends as soon as it is not. */
	rq->has_woken =
		rq->has_woken && next == prev && now < prev->sched.switched_in + SCHED_RATELIMIT;
	prev->sched.has_yielded = false;
	idle_hint_set(rq, next == rq->idle);
	if (next == prev) {
		slice_set(rq, now);
		idle_cpu_call(rq);
		runqueue_unlock(rq, flags);
		return;
	}
	next_begin(rq, prev, next, now);
	slice_set(rq, now);
	idle_cpu_call(rq);
	spin_unlock(&rq->lock); /* interrupts stay off */
	if (next != rq->idle) {
		vcpu_runstate_area_write(next);
		vtime_vcpu_scheduled(next, rq->cpu);
		if (next->domain->type == DOMAIN_HVM)
			vlapic_scheduled(next, rq->cpu);
	}
	if (prev != rq->idle)
		vcpu_runstate_area_write(prev);
	context_switch(prev, next);
}

void sched_switched(struct vcpu *prev)
{
	struct runqueue *rq = &this_cpu(runqueue);
	uint64_t flags;

	if (prev == rq->idle) {
		prev->sched.is_running = false;
		return;
	}
	flags = spin_lock_irq(&rq->lock);
	__atomic_store_n(&prev->sched.is_running, false, __ATOMIC_RELEASE);
	if (!may_enqueue(prev)) {
		runqueue_unlock(rq, flags);
		return;
	}
	vcpu_place(rq, prev, ENQUEUE_PREEMPTED, flags);
	/* It could not be taken while it was being saved. */
	flags = spin_lock_irq(&rq->lock);
	idle_cpu_call(rq);
	runqueue_unlock(rq, flags);
}

/* --- life --- */

init_text void sched_init(void)
{
	softirq_register(SOFTIRQ_SCHED, sched_run);
	softirq_register(SOFTIRQ_TIMER, timer_softirq);
}

init_text void sched_cpu_init(unsigned int cpu)
{
	struct runqueue *rq = &per_cpu(runqueue, cpu);
	struct vcpu *idle = &per_cpu(idle_vcpu, cpu);

	list_init(&rq->queue);
	rq->cpu = cpu;
	rq->head_vruntime = ~0UL;
	rq->curr_vruntime = ~0UL;
	timer_init(&rq->slice, slice_ended, NULL, cpu);
	idle->domain = &dom_idle;
	idle->id = cpu;
	idle->sched.cpu = cpu;
	idle->sched.is_running = true;
	idle->sched.state = RUNSTATE_running;
	idle->sched.state_since = time_now();
	list_init(&idle->sched.queue);
	rq->idle = idle;
	rq->curr = idle;
	cpu_info()->vcpu = idle;
	cpumask_set(&sched_idle_cpus, cpu);
}

static void poll_timed_out(void *arg)
{
	struct vcpu *v = arg;

	if (atomic_bit_test_and_clear(&v->flags, VCPU_F_POLLING))
		vcpu_wake(v);
}

/* vCPUs of a domain begin on different CPUs; the first wake looks for a better one. */
static unsigned int cpu_spread(unsigned int n)
{
	unsigned int cpu;

	n %= cpumask_weight(&cpu_online);
	for_each_online_cpu(cpu)
		if (!n--)
			return cpu;
	return cpumask_first(&cpu_online);
}

int sched_vcpu_init(struct vcpu *v)
{
	struct sched_vcpu *s = &v->sched;

	s->cpu = cpu_spread(v->id);
	list_init(&s->queue);
	cpumask_fill(&s->usable);
	cpumask_fill(&s->affinity);
	cpumask_fill(&s->soft_affinity);
	s->pause_count = 1;
	s->state = RUNSTATE_offline;
	s->state_since = time_now();
	timer_init(&s->poll_timer, poll_timed_out, v, s->cpu);
	atomic_bit_set(&v->flags, VCPU_F_DOWN);
	return 0;
}

void sched_vcpu_fini(struct vcpu *v)
{
	ASSERT(!v->sched.is_running && !v->sched.is_queued);
	timer_kill(&v->sched.poll_timer);
}

void sched_vcpu_relinquish(struct vcpu *v)
{
	vcpu_area_clear(&v->sched.runstate_area);
	vcpu_area_clear(&v->time.area);
	vcpu_info_release(v);
}

void sched_domain_fini(struct domain *d)
{
	timer_kill(&d->sched.cap_timer);
	for (unsigned int i = 0; i < SCHED_WATCHDOGS; i++)
		timer_kill(&d->sched.watchdogs[i]);
}

/* A vCPU that is where it may no longer be moves on. */
static void affinity_enforce(struct vcpu *v)
{
	uint64_t flags;
	struct runqueue *rq = runqueue_lock(v, &flags);

	if (is_allowed(v, rq->cpu)) {
		runqueue_unlock(rq, flags);
		return;
	}
	if (rq->curr == v)
		softirq_raise_on(rq->cpu, SOFTIRQ_SCHED);
	if (!v->sched.is_queued) {
		runqueue_unlock(rq, flags);
		return;
	}
	runqueue_dequeue(rq, v);
	vcpu_place(rq, v, ENQUEUE_MOVED, flags);
}

void sched_vcpu_confine(struct vcpu *v, const struct cpumask *cpus)
{
	ASSERT(cpumask_intersects(cpus, &cpu_online));
	v->sched.usable = *cpus;
	cpumask_and(&v->sched.affinity, &v->sched.affinity, cpus);
}

int vcpu_set_affinity(struct vcpu *v, const struct cpumask *hard, const struct cpumask *soft)
{
	struct cpumask usable;
	uint64_t flags;
	struct runqueue *rq;

	if (hard) {
		cpumask_and(&usable, hard, &v->sched.usable);
		if (!cpumask_intersects(&usable, &cpu_online))
			return -EINVAL;
	}
	rq = runqueue_lock(v, &flags);
	if (hard && v->sched.is_pin_overridden)
		v->sched.affinity_saved = usable;
	else if (hard)
		v->sched.affinity = usable;
	if (soft)
		v->sched.soft_affinity = *soft;
	runqueue_unlock(rq, flags);
	affinity_enforce(v);
	return 0;
}

int sched_pin_override(struct vcpu *v, int cpu)
{
	uint64_t flags;
	struct runqueue *rq;
	int rc = 0;

	if (cpu >= 0 && (cpu >= MAX_CPUS || !cpumask_test(&cpu_online, cpu)))
		return -EINVAL;
	rq = runqueue_lock(v, &flags);
	if (cpu < 0) {
		if (v->sched.is_pin_overridden)
			v->sched.affinity = v->sched.affinity_saved;
		v->sched.is_pin_overridden = false;
	} else if (v->sched.is_pin_overridden) {
		rc = -EBUSY;
	} else {
		v->sched.affinity_saved = v->sched.affinity;
		cpumask_zero(&v->sched.affinity);
		bit_set(v->sched.affinity.bits, cpu);
		v->sched.is_pin_overridden = true;
	}
	runqueue_unlock(rq, flags);
	affinity_enforce(v);
	return rc;
}

void sched_dump(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		struct runqueue *rq = &per_cpu(runqueue, cpu);
		uint64_t flags = spin_lock_irq(&rq->lock);
		struct vcpu *v;

		printk("CPU%u: runs d%uv%u, %u wait, vruntime %lu us\n", cpu, rq->curr->domain->id,
		       rq->curr->id, rq->nr_queued, rq->min_vruntime / 1000);
		list_for_each_entry(v, &rq->queue, sched.queue)
			printk("  d%uv%u vruntime %lu us, weight %u\n", v->domain->id, v->id,
			       v->sched.vruntime / 1000, v->domain->sched.weight);
		spin_unlock_irq(&rq->lock, flags);
	}
}
