/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor says: into the console ring (zl dmesg) and to the
 * serial line.  Safe in any context; a line is never split by another CPU.
 */
#ifndef LIB_PRINTK_H
#define LIB_PRINTK_H

#include "lib/types.h"

void printk(const char *fmt, ...) printf_like(1, 2);

/* A message a guest can cause: dropped when they come too fast. */
void guest_printk(const struct domain *d, const char *fmt, ...) printf_like(2, 3);

/* Our own state is broken: print it, a backtrace, and stop the machine. */
no_return void panic(const char *fmt, ...) printf_like(1, 2);

/* For our own invariants only: guest input must never reach one. */
#define ASSERT(cond)                                                                               \
	do {                                                                                       \
		if (unlikely(!(cond)))                                                             \
			panic("assertion '%s' failed at %s:%d", #cond, __FILE__, __LINE__);        \
	} while (0)

#endif
