/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: time limits on the monotonic clock, as poll(2) wants them.
 */
#ifndef ZENDO_DEVICE_DEADLINE_H
#define ZENDO_DEVICE_DEADLINE_H

#include <stdint.h>

/* Milliseconds of the monotonic clock, `timeout_ms` from now. */
int64_t deadline_after(int timeout_ms);
/* Milliseconds left, 0 when over. */
int deadline_left(int64_t deadline);

#endif
