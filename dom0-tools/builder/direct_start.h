/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: the first instructions of an HVM guest's Linux kernel, which direct.c puts
 * where its setup jumps to.
 */
#ifndef ZENDO_BUILDER_DIRECT_START_H
#define ZENDO_BUILDER_DIRECT_START_H

#include <stdint.h>

#define DIRECT_START_PADDR 0x100000u /* where it is linked to, and boot.rst has code32_start */
#define DIRECT_START_END   0x108000u /* of it and the page tables that it makes */

/* What it needs to know; the last bytes of it. */
struct direct_values {
	uint32_t entry; /* of the kernel, in long mode */
	uint32_t ramdisk_paddr;
	uint32_t ramdisk_size;
};

extern const uint8_t direct_start[] __attribute__((visibility("hidden")));
extern const uint8_t direct_start_end[] __attribute__((visibility("hidden")));

#endif
