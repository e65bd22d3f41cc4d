/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of ours that are allowed to fault, and where to go on then.
 * Shared with assembly.
 */
#ifndef CPU_EXTABLE_H
#define CPU_EXTABLE_H

#ifdef __ASSEMBLER__
.macro extable from, to
	.pushsection .extable, "a"
	.balign 4
	.long \from - .
	.long \to - .
	.popsection
.endm
#else
#include "lib/types.h"

#define EXTABLE(from, to)                                                                          \
	".pushsection .extable,\"a\"\n\t.balign 4\n\t.long " #from " - .\n\t.long " #to            \
	" - .\n\t.popsection\n"

/* Where to continue after a fault at rip, or 0. */
uint64_t extable_find(uint64_t rip);
#endif

#endif
