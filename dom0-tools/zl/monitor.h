/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: watching one domain to its end, and doing what its configuration says then.
 */
#ifndef ZENDO_ZL_MONITOR_H
#define ZENDO_ZL_MONITOR_H

struct creation;

/*
 * Watch the domain that `creation` made, through restarts, until it is gone or kept for good.
 * Writes its log to stderr. What it leaves is consistent: no nodes and no state file, or those of
 * a domain that is still there.
 */
void monitor_run(struct creation *creation);

#endif
