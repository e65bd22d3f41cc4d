/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Zendo's own extension of the Xen ABI: what the Xen ABI has no words for.
 *
 * It is one hypercall, in the range that Xen sets aside for an architecture
 * and leaves unused on x86, so every other hypervisor refuses it with
 * -ENOSYS.  A program asks ZENDO_OP_version first and does without the rest
 * if that fails; no guest and no stock tool needs any of it.
 *
 *   long zendo_op(unsigned int op, void *arg);
 *
 * op is one of ZENDO_OP_*, arg the guest address of its structure.  Returns 0
 * or a positive result, or a negative errno value.  Structures only grow by
 * new operations; padding must be zero.
 */
#ifndef ZENDO_H
#define ZENDO_H

#include <stdint.h>

#define ZENDO_HYPERCALL 55 /* __HYPERVISOR_arch_7 */

/* arg NULL.  Returns ZENDO_ABI_VERSION of the running hypervisor. */
#define ZENDO_OP_version 0
#define ZENDO_ABI_VERSION 1

/*
 * Why the hypervisor ended a domain ("triple fault", ...), as a line of
 * printable text ended by a NUL; empty if it did not.  For a privileged
 * domain, -EPERM else.  -ESRCH: no such domain.  -EINVAL: padding.
 */
#define ZENDO_OP_domain_reason 1
#define ZENDO_REASON_SIZE      96

struct zendo_domain_reason {
	uint16_t domid;                 /* IN */
	uint16_t pad[3];                /* IN: zero */
	char reason[ZENDO_REASON_SIZE]; /* OUT */
};

/*
 * How often the vCPUs of an HVM or PVH domain came into the hypervisor since
 * they were made, by what for.  For a privileged domain, -EPERM else.
 * -ESRCH: no such domain.  -ENOENT: no such vCPU.  -EINVAL: not such a domain,
 * padding.  Counts of a running vCPU are those of one moment each.
 *
 * Kinds, by index, and names for a tool to show:
 *  0 interrupt   a hardware interrupt or NMI came while it ran
 *  1 window      it can take the interrupt that waits for it
 *  2 hypercall
 *  3 cpuid
 *  4 msr         RDMSR, WRMSR
 *  5 cr          control and debug registers, XSETBV
 *  6 hlt         HLT, PAUSE
 *  7 port        IN, OUT
 *  8 mmio        access to a device's memory
 *  9 page-fault  any other nested page fault
 * 10 exception
 * 11 other
 */
#define ZENDO_OP_exits    2
#define ZENDO_EXIT_KINDS  12 /* of this version */
#define ZENDO_EXIT_COUNTS 16

struct zendo_exits {
	uint16_t domid;                     /* IN */
	uint16_t pad[3];                    /* IN: zero */
	uint32_t vcpu;                      /* IN */
	uint32_t kinds;                     /* OUT: how many are counted */
	uint64_t counts[ZENDO_EXIT_COUNTS]; /* OUT: zero behind those */
};

#endif
