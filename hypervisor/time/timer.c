/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers: on each CPU a pairing heap (Fredman et al., 1986) through
 * the timers themselves, so that setting one never allocates.  A node's prev
 * is its left sibling, or its parent if it is the first child.
 */
#include "time/timer.h"

#include "cpu/seam.h"
#include "cpu/softirq.h"
#include "lib/spinlock.h"
#include "time/time.h"

/* A callback still running elsewhere when its timer is due again is retried this much later. */
#define RETRY_NS 50000

struct timer_base {
	struct spinlock lock; /* irq-safe; two of them are taken in the order of their CPUs */
	struct timer *root;
};

static DEFINE_PERCPU(struct timer_base, timer_base);

static struct timer *heap_meld(struct timer *a, struct timer *b)
{
	struct timer *t;

	if (!a || !b)
		return a ? a : b;
	if (b->expires < a->expires) {
		t = a;
		a = b;
		b = t;
	}
	/* b becomes a's first child */
	b->prev = a;
	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	a->child = b;
	a->next = NULL;
	a->prev = NULL;
	return a;
}

/* One heap of a list of siblings: pairs from left to right, then all from right to left. */
static struct timer *heap_meld_siblings(struct timer *first)
{
	struct timer *pairs = NULL, *root = NULL;

	while (first) {
		struct timer *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = NULL;
		a->prev = NULL;
		if (b) {
			b->next = NULL;
			b->prev = NULL;
		}
		a = heap_meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *t = pairs;

		pairs = t->next;
		t->next = NULL;
		root = heap_meld(root, t);
	}
	return root;
}

static void heap_insert(struct timer_base *base, struct timer *t)
{
	t->child = NULL;
	t->next = NULL;
	t->prev = NULL;
	t->is_set = true;
	base->root = heap_meld(base->root, t);
}

static void heap_remove(struct timer_base *base, struct timer *t)
{
	struct timer *children = heap_meld_siblings(t->child);

	t->is_set = false;
	t->child = NULL;
	if (t == base->root) {
		base->root = children;
		return;
	}
	if (t->prev->child == t)
		t->prev->child = t->next;
	else
		t->prev->next = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->next = NULL;
	t->prev = NULL;
	base->root = heap_meld(base->root, children);
}

/* Locks the base of the CPU the timer is on, which may change until then. */
static struct timer_base *timer_lock(struct timer *t, uint64_t *flags)
{
	for (;;) {
		unsigned int cpu = READ_ONCE(t->cpu);
		struct timer_base *base = &per_cpu(timer_base, cpu);

		*flags = spin_lock_irq(&base->lock);
		if (t->cpu == cpu)
			return base;
		spin_unlock_irq(&base->lock, *flags);
	}
}

/* The first timer changed, or may have: set the hardware, here or over there. */
static void base_arm(const struct timer_base *base, unsigned int cpu)
{
	if (cpu == cpu_id())
		timer_hw_arm(base->root ? base->root->expires : TIMER_NEVER);
	else if (base->root)
		softirq_raise_on(cpu, SOFTIRQ_TIMER);
}

void timer_init(struct timer *t, void (*fn)(void *), void *arg, unsigned int cpu)
{
	*t = (struct timer){.fn = fn, .arg = arg, .cpu = cpu};
}

void timer_set(struct timer *t, uint64_t expires)
{
	uint64_t flags;
	struct timer_base *base = timer_lock(t, &flags);

	if (!t->is_killed) {
		bool was_first = base->root == t;

		if (t->is_set)
			heap_remove(base, t);
		t->expires = expires;
		heap_insert(base, t);
		if (base->root == t || was_first)
			base_arm(base, t->cpu);
	}
	spin_unlock_irq(&base->lock, flags);
}

/* The hardware stays armed: one interrupt in vain costs less than arming again each time. */
static void timer_stop_locked(struct timer_base *base, struct timer *t)
{
	if (t->is_set)
		heap_remove(base, t);
}

void timer_stop(struct timer *t)
{
	uint64_t flags;
	struct timer_base *base;

	if (!READ_ONCE(t->is_set))
		return;
	base = timer_lock(t, &flags);
	timer_stop_locked(base, t);
	spin_unlock_irq(&base->lock, flags);
}

void timer_kill(struct timer *t)
{
	uint64_t flags;
	struct timer_base *base;

	if (!t->fn)
		return; /* never initialised */
	base = timer_lock(t, &flags);
	t->is_killed = true;
	timer_stop_locked(base, t);
	spin_unlock_irq(&base->lock, flags);
	while (__atomic_load_n(&t->is_running, __ATOMIC_ACQUIRE))
		cpu_relax();
}

void timer_migrate(struct timer *t, unsigned int cpu)
{
	struct timer_base *from, *to = &per_cpu(timer_base, cpu);
	uint64_t flags;

	for (;;) {
		unsigned int old = READ_ONCE(t->cpu);

		if (old == cpu)
			return;
		from = &per_cpu(timer_base, old);
		flags = irq_save();
		spin_lock(old < cpu ? &from->lock : &to->lock);
		spin_lock(old < cpu ? &to->lock : &from->lock);
		if (t->cpu == old)
			break;
		spin_unlock(&to->lock);
		spin_unlock_irq(&from->lock, flags);
	}
	if (t->is_set) {
		heap_remove(from, t);
		t->cpu = cpu;
		heap_insert(to, t);
		if (to->root == t)
			base_arm(to, cpu);
	} else {
		t->cpu = cpu;
	}
	spin_unlock(&to->lock);
	spin_unlock_irq(&from->lock, flags);
}

void timer_interrupt(void)
{
	softirq_raise(SOFTIRQ_TIMER);
}

/* With the base's lock, taken away while the callback runs. */
static void timer_run(struct timer_base *base, struct timer *t, uint64_t *flags)
{
	heap_remove(base, t);
	if (__atomic_load_n(&t->is_running, __ATOMIC_ACQUIRE)) {
		t->expires = time_now() + RETRY_NS;
		heap_insert(base, t);
		return;
	}
	t->is_running = true;
	spin_unlock_irq(&base->lock, *flags);
	t->fn(t->arg);
	/* timer_kill may free it from here on */
	__atomic_store_n(&t->is_running, false, __ATOMIC_RELEASE);
	*flags = spin_lock_irq(&base->lock);
}

void timer_softirq(void)
{
	struct timer_base *base = &this_cpu(timer_base);
	uint64_t flags = spin_lock_irq(&base->lock), now = time_now();

	while (base->root && base->root->expires <= now)
		timer_run(base, base->root, &flags);
	base_arm(base, cpu_id());
	spin_unlock_irq(&base->lock, flags);
}
