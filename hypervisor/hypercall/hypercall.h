/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: a table of functions taking the guest's five argument
 * registers (rdi rsi rdx r10 r8) and returning a value or -E.  Long ones are
 * preemptible: they ask now and then, and arrange to be called again.
 */
#ifndef HYPERCALL_HYPERCALL_H
#define HYPERCALL_HYPERCALL_H

#include "lib/errno.h"
#include "lib/types.h"

typedef long (*hypercall_fn)(const uint64_t *args);

/* Time to give way?  (A softirq is pending.) */
bool hypercall_preempt_check(void);

/*
 * Makes the current vCPU issue hypercall `op` again with these arguments when
 * it next runs (also inside a multicall).  Return what this returns, at once.
 */
must_check long hypercall_continue(unsigned int op, const uint64_t *args, unsigned int nr_args);

/* The function of a hypercall, NULL if there is none (table.c). */
hypercall_fn hypercall_find(uint64_t op);

/* Entry from assembly, registers in cpu_info()->guest_regs. */
void hypercall_dispatch(struct cpu_user_regs *regs);

long hypercall_multicall(const uint64_t *args);
long hypercall_xen_version(const uint64_t *args);
long hypercall_console_io(const uint64_t *args);
long hypercall_platform_op(const uint64_t *args);
long hypercall_physdev_op(const uint64_t *args);
long hypercall_domctl(const uint64_t *args);
long hypercall_sysctl(const uint64_t *args);
long hypercall_hvm_op(const uint64_t *args);
long hypercall_zendo_op(const uint64_t *args); /* include-public/zendo.h */

/* Convenience over guest_copy_*: 0 or -EFAULT.  `guest` is a guest address. */
static inline must_check int copy_in(void *dst, const void *guest, size_t n);
static inline must_check int copy_out(void *guest, const void *src, size_t n);

#include "cpu/seam.h"

static inline int copy_in(void *dst, const void *guest, size_t n)
{
	return guest_copy_from(dst, guest, n) ? -EFAULT : 0;
}

static inline int copy_out(void *guest, const void *src, size_t n)
{
	return guest_copy_to(guest, src, n) ? -EFAULT : 0;
}

#endif
