/* SPDX-License-Identifier: BSD-2-Clause */
/* The CMOS real-time clock, read once at boot. */
#ifndef DEV_CMOS_H
#define DEV_CMOS_H

#include "lib/types.h"

/* The clock's registers as read (MC146818), before any decoding. */
struct cmos_time {
	uint8_t second, minute, hour, day, month, year, century;
	uint8_t status_b;
};

/* Seconds since 1970, UTC; 0 if the registers hold no date. */
uint64_t cmos_time_decode(const struct cmos_time *t);
init_text uint64_t cmos_time_read(void);

#endif
