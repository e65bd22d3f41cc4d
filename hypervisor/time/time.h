/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time: nanoseconds since boot, the same on all CPUs and never going
 * back, from the TSC, calibrated against a platform counter; and the wall
 * clock from the CMOS RTC.
 *
 * While the TSCs of all CPUs agree (time_is_stable), system time is one
 * constant function of the TSC, and guests may compute it themselves.  When
 * they do not, each CPU has its own base, taken anew from the platform
 * counter every second or so.
 */
#ifndef TIME_TIME_H
#define TIME_TIME_H

#include "lib/types.h"
#include "time/scale.h"

init_text void time_init(void);	    /* boot CPU, after ACPI */
init_text void time_cpu_init(void); /* each CPU, with its percpu area and APIC ready */
/*
 * The boot CPU calls this again and again while it waits for another CPU to
 * come up, which in its time_cpu_init compares its TSC with ours.
 */
init_text void time_sync_source(void);

uint64_t time_now(void);	      /* system time, ns */
uint64_t time_from_tsc(uint64_t tsc); /* a TSC value read on this CPU */
uint64_t time_to_tsc(uint64_t ns);    /* for this CPU */
uint64_t tsc_khz(void);
const struct tsc_scale *time_scale(void);

/* The point from which this CPU's system time is reckoned: ns = base_ns + scale(tsc - base_tsc). */
struct time_base {
	uint64_t tsc;
	uint64_t ns;
};
const struct time_base *time_base(void);
/* All CPUs share one base that never changes. */
bool time_is_stable(void);

/* Wall-clock seconds and ns at system time 0, as dom0 set them. */
void wallclock_get(uint64_t *sec, uint32_t *nsec);
/* It is sec.nsec at that system time.  Tells all domains. */
void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_time);

void delay_us(unsigned int us);

#endif
