/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside time/: the wall clock's start. */
#ifndef TIME_WALLCLOCK_H
#define TIME_WALLCLOCK_H

#include "lib/types.h"

init_text void wallclock_init(void); /* from the CMOS clock; system time must run */

#endif
