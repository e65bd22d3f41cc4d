/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: how often HVM and PVH vCPUs came into the hypervisor, and the names of what for, by our own
 * extension (zendo.h). Reads only.
 */
#ifndef ZENDO_ZL_EXITS_H
#define ZENDO_ZL_EXITS_H

#include <stdint.h>

#include "hyp/abi.h"

struct hyp;
struct zendo_exits;

struct exits {
	struct zendo_exits *vcpus; /* each with its number */
	uint32_t nr;
};

/*
 * The counts of all vCPUs of the domain that `info` tells of. The caller frees ->vcpus, in any
 * case. -ENOSYS: this hypervisor does not count them; -EINVAL: a PV domain; -ESRCH: it is gone.
 */
int exits_read(struct hyp *hyp, const struct xen_domctl_getdomaininfo *info, struct exits *exits);

#define EXIT_KIND_NAME_SIZE 12
/* Kinds of a newer hypervisor have no name here, and are told by their number, in `buf`. */
const char *exit_kind_name(uint32_t kind, char buf[EXIT_KIND_NAME_SIZE]);

#endif
