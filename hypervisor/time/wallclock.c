/* SPDX-License-Identifier: BSD-2-Clause */
/* The wall clock: what it was at system time 0, from the RTC at boot, later as dom0 says. */
#include "time/wallclock.h"

#include "dev/cmos.h"
#include "domain/domain.h"
#include "lib/spinlock.h"
#include "time/time.h"
#include "time/vtime.h"

#define NS_PER_S 1000000000UL

static struct spinlock wallclock_lock = SPINLOCK_INIT; /* irq-safe; below: */
static uint64_t wallclock_sec;
static uint32_t wallclock_nsec;

static void wallclock_store(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
	uint64_t s = system_time / NS_PER_S, ns = system_time % NS_PER_S, flags;

	if (nsec < ns) {
		nsec += NS_PER_S;
		s++;
	}
	flags = spin_lock_irq(&wallclock_lock);
	wallclock_sec = sec > s ? sec - s : 0;
	wallclock_nsec = nsec - ns;
	spin_unlock_irq(&wallclock_lock, flags);
}

init_text void wallclock_init(void)
{
	uint64_t sec = cmos_time_read();

	wallclock_store(sec, 0, time_now());
}

void wallclock_get(uint64_t *sec, uint32_t *nsec)
{
	uint64_t flags = spin_lock_irq(&wallclock_lock);

	*sec = wallclock_sec;
	*nsec = wallclock_nsec;
	spin_unlock_irq(&wallclock_lock, flags);
}

void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_time)
{
	struct domain *d;

	wallclock_store(sec, nsec % NS_PER_S, system_time);
	spin_lock(&domain_list_lock);
	for_each_domain(d)
		vtime_update_wallclock(d);
	spin_unlock(&domain_list_lock);
}
