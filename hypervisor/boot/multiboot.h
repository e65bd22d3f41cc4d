/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the boot loader's information. */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#include "lib/bits.h"
#include "lib/types.h"

#define MULTIBOOT1_LOADER_MAGIC 0x2BADB002
#define MULTIBOOT2_LOADER_MAGIC 0x36D76289

/* Fills boot_info; panics when the loader left nothing usable. */
init_text void multiboot_parse(uint32_t magic, uint32_t info);

#endif
