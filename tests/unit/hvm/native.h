/* SPDX-License-Identifier: BSD-2-Clause */
/* One instruction on the CPU that runs the tests, to compare an emulated one with. */
#ifndef NATIVE_H
#define NATIVE_H

#include "lib/types.h"

/*
 * 64-bit code of n bytes, which goes on behind itself: with the registers and arithmetic flags
 * of *regs but rsp, which then are what it left.  It may access only memory of the test's.
 */
void native_run(const uint8_t *code, unsigned int n, struct cpu_user_regs *regs);

#endif
