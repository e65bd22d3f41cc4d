/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The platform's free-running counters, of known frequency, against which
 * the TSC is measured: HPET, ACPI PM timer, PIT channel 2.
 */
#ifndef DEV_COUNTER_H
#define DEV_COUNTER_H

#include "lib/types.h"

struct counter {
	const char *name;
	uint64_t hz;
	uint64_t mask; /* it wraps at mask + 1 */
	uint64_t (*read)(void);
};

/* Each: NULL if there is none, or it does not count. */
init_text const struct counter *pmtimer_probe(void);
init_text const struct counter *hpet_probe(void);
init_text const struct counter *pit_probe(void);

#endif
