/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside dev/: the operations of HYPERVISOR_platform_op by file.  Each: 0, a number, or -E. */
#ifndef DEV_PLATFORM_H
#define DEV_PLATFORM_H

#include "lib/types.h"

#include <xen/platform.h>

/* platform_cpu.c */
long platform_pcpu_version(struct xen_platform_op *op);
long platform_getidletime(struct xen_platform_op *op);
long platform_set_pminfo(struct xen_platform_op *op);
long platform_cpuinfo(struct xen_platform_op *op);
long platform_cpu_online(struct xen_platform_op *op);
long platform_cpu_offline(struct xen_platform_op *op);
long platform_core_parking(struct xen_platform_op *op);
long platform_resource_op(struct xen_platform_op *op);

#endif
