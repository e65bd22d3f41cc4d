/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time: nanoseconds since boot, the same on all CPUs and never going
 * back, from the TSC, calibrated against the PM timer or the HPET; and the
 * wall clock from the CMOS RTC.
 */
#ifndef TIME_TIME_H
#define TIME_TIME_H

#include "lib/types.h"

/* tsc * mul >> 32, after a shift, as in struct vcpu_time_info. */
struct tsc_scale {
	uint32_t mul;
	int8_t shift;
};

init_text void time_init(void);     /* boot CPU, after ACPI */
init_text void time_cpu_init(void); /* each CPU */

uint64_t time_now(void); /* system time, ns */
uint64_t time_from_tsc(uint64_t tsc);
uint64_t tsc_khz(void);
const struct tsc_scale *time_scale(void);

/* Wall-clock seconds and ns at system time 0, as dom0 set them. */
void wallclock_get(uint64_t *sec, uint32_t *nsec);
void wallclock_set(uint64_t sec, uint32_t nsec, uint64_t system_time);

void delay_us(unsigned int us);

#endif
