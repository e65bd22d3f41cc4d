/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzhyp: the machine and the hypervisor itself, one function for each sysctl (xen/sysctl.h)
 * that a PV toolstack uses. See hyp/hyp.h for the rules.
 */
#ifndef ZENDO_HYP_SYSTEM_H
#define ZENDO_HYP_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hyp/abi.h"

struct hyp;

int hyp_system_get_physinfo(struct hyp *hyp, struct xen_sysctl_physinfo *info);

/* Up to `max` CPUs' core, socket and node; returns how many CPU numbers the machine has. */
int hyp_system_get_cpu_topology(struct hyp *hyp, struct xen_sysctl_cputopo *topo, uint32_t max);

/* Up to `max` CPUs' idle time in nanoseconds; returns how many were filled. */
int hyp_system_get_cpu_idle(struct hyp *hyp, struct xen_sysctl_cpuinfo *info, uint32_t max);

int hyp_system_get_sched_id(struct hyp *hyp, uint32_t *sched_id);

/*
 * Copy the console ring to `buf` (at most `size` bytes, no NUL added); returns the bytes written.
 * With `index`, reading starts at *index and *index is moved on, so that the next call gets only
 * what is new; NULL gives the whole ring. `clear` empties the ring afterwards.
 */
int hyp_system_read_console(struct hyp *hyp, char *buf, size_t size, uint32_t *index, bool clear);

/* Press the given debug keys; their output goes to the hypervisor's console. */
int hyp_system_send_debug_keys(struct hyp *hyp, const char *keys);

#endif
