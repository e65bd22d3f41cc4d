/* SPDX-License-Identifier: BSD-2-Clause */
/* Included before everything in ring 0: all symbols are the image's own, so no GOT is needed. */
#ifndef __ASSEMBLER__
#pragma GCC visibility push(hidden)
#endif
