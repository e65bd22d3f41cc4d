/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boot loader told us, in one form for Multiboot 1 and 2. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "lib/types.h"

#define BOOT_REGIONS_MAX 128
#define BOOT_MODULES_MAX 4
#define BOOT_CMDLINE_MAX 1024

/* As BIOS E820: type 1 RAM, 2 reserved, 3 ACPI, 4 NVS, 5 bad. */
struct boot_region {
	uint64_t start, size;
	uint32_t type;
};

struct boot_module {
	paddr_t start, end;
	char cmdline[BOOT_CMDLINE_MAX];
};

struct boot_info {
	struct boot_region regions[BOOT_REGIONS_MAX]; /* sorted, disjoint */
	unsigned int nr_regions;
	struct boot_module modules[BOOT_MODULES_MAX]; /* 0: dom0 kernel (ELF), 1: its initrd */
	unsigned int nr_modules;
	char cmdline[BOOT_CMDLINE_MAX];
	paddr_t rsdp; /* from Multiboot 2, or 0 */
};

extern struct boot_info boot_info;

/* "name=value" of our command line into buf: true if present (a bare "name" gives ""). */
bool boot_option(const char *name, char *buf, size_t size);
uint64_t boot_option_size(const char *name, uint64_t otherwise); /* with K M G suffixes */

/* Linker script symbols. */
extern char image_start[], image_text_end[], image_rodata_end[], image_init_start[],
	image_init_end[], image_end[];

#endif
