/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticket spin locks.  A lock taken in interrupt context is taken everywhere
 * by the _irq forms.  A lock under which TLBs are flushed on other CPUs is
 * never taken with interrupts off (the other CPU could not answer).  The
 * order between locks: docs/locking.md.
 */
#ifndef LIB_SPINLOCK_H
#define LIB_SPINLOCK_H

#include "cpu/seam.h"
#include "lib/types.h"

struct spinlock {
	uint32_t next;  /* the ticket the next comer takes */
	uint32_t owner; /* the ticket that holds the lock */
};

#define SPINLOCK_INIT {0, 0}

static inline void spin_lock(struct spinlock *l)
{
	uint32_t mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != mine)
		cpu_relax();
}

static inline bool spin_trylock(struct spinlock *l)
{
	uint32_t owner = __atomic_load_n(&l->owner, __ATOMIC_RELAXED);

	return __atomic_compare_exchange_n(&l->next, &owner, owner + 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->owner, l->owner + 1, __ATOMIC_RELEASE);
}

static inline bool spin_is_locked(const struct spinlock *l)
{
	return __atomic_load_n(&l->owner, __ATOMIC_RELAXED) !=
	       __atomic_load_n(&l->next, __ATOMIC_RELAXED);
}

static inline must_check uint64_t spin_lock_irq(struct spinlock *l)
{
	uint64_t flags = irq_save();

	spin_lock(l);
	return flags;
}

static inline void spin_unlock_irq(struct spinlock *l, uint64_t flags)
{
	spin_unlock(l);
	irq_restore(flags);
}

#endif
