/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for addresses of our own text, and the calls on the stack. */
#ifndef CPU_BACKTRACE_H
#define CPU_BACKTRACE_H

#include "lib/types.h"

/* "name+0x12" into buf; false (and "?") for an address that is not our text. */
bool symbol_name(uint64_t addr, char *buf, size_t size);
/* Function number n of the image, in the order of addresses; NULL: there are no more. */
const char *symbol_by_number(uint32_t n, uint64_t *addr);
/* From this instruction and frame pointer upwards, on this CPU's stacks. */
void backtrace_print(uint64_t rip, uint64_t rbp);

#endif
