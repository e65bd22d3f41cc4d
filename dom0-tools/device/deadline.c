/* SPDX-License-Identifier: BSD-2-Clause */
/* libzdevice: time limits. Owns only the reading of the clock. */
#include "device/deadline.h"

#include <time.h>

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t deadline_after(int timeout_ms)
{
	return clock_ms() + timeout_ms;
}

int deadline_left(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	return left > 0 ? (int)left : 0;
}
