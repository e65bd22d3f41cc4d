/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an HVM test guest stands on besides guest.h's console, checks and traps:
 * a PVH domain with one vCPU in 64-bit mode, the first 4 GiB of its physical
 * addresses mapped at themselves, in ring 0.
 */
#ifndef HVM_GUEST_H
#define HVM_GUEST_H

#include "guest.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define EOPNOTSUPP 95

extern uint64_t table4[512]; /* its page table of the highest level; entry 0 is in use */

/* The same hypercall from 32-bit code, pointers below 4 GiB; what eax says, as an int. */
long hypercall32(unsigned long op, unsigned long a1, unsigned long a2);
/* HVM_PARAM_*, or -E */
long hvm_param_get(unsigned int index);

static inline unsigned long gfn_of(const void *p)
{
	return (unsigned long)p >> 12;
}

static inline void *gfn_at(unsigned long gfn)
{
	return (void *)(gfn << 12);
}

#endif
