/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: taking a domain away with everything that was made for it, from any state it may be in, and
 * sweeping up what killed creators left.
 */
#ifndef ZENDO_ZL_TEARDOWN_H
#define ZENDO_ZL_TEARDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "hyp/abi.h"

struct zl;

/*
 * Destroy the domain, close its back ends, remove its nodes, and wait until the hypervisor has all
 * its memory back. May be repeated, and called for a domain that is gone already. `domid` 0: it
 * was never made; only what is filed under the UUID goes. A domain of the same number but another
 * UUID is not touched. With `wait_loops`, also waits for loop devices; the caller holds none open.
 * -ETIMEDOUT: somebody still holds its memory; it stays listed as dying until they let go.
 */
int domain_teardown(struct zl *zl, domid_t domid, const uint8_t uuid[16], bool wait_loops);

/*
 * Under the creation lock: find what killed creators and monitors left behind, and clean it. A
 * domain that runs is never touched. -E: something could not be cleaned. `name`, unless NULL:
 * returns 1 when something of this name was among it.
 */
int sweep_orphans(struct zl *zl, const char *name);

#endif
