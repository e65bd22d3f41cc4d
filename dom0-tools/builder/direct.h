/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: a Linux kernel that the firmware of an HVM domain starts in place of a
 * boot loader. A device model hands it over byte by byte through a port, and an emulated port costs
 * thousands of instructions. So kernel and ramdisk lie in the guest's memory from the beginning,
 * the kernel unpacked, and what the device model is given is an image of a few KiB: the kernel's
 * own real-mode setup, which asks the BIOS as ever, and a start of ours for what comes after it.
 */
#ifndef ZENDO_BUILDER_DIRECT_H
#define ZENDO_BUILDER_DIRECT_H

#include <stdbool.h>
#include <stdint.h>

#include "builder/build.h"
#include "builder/kernel.h"
#include "builder/load.h"
#include "builder/ramdisk.h"

struct direct {
	struct kernel *kernel; /* NULL: there is none, or it is the device model's to load */
	struct ramdisk ramdisk;
	uint64_t ramdisk_pfn;
};

void direct_init(struct direct *direct);
void direct_close(struct direct *direct);

/*
 * Open params->boot_kernel and params->boot_ramdisk. What is no 64-bit Linux kernel of a layout
 * that is known here is no error: the device model takes it. Otherwise 0 or -E, with the message.
 */
int direct_open(struct direct *direct, const struct build_params *params,
		struct build_error *error);
/*
 * Place both in memory above `start_pfn` and well below `end_pfn`, where firmware has its own; if
 * there is no room, they are the device model's.
 */
void direct_plan(struct direct *direct, uint64_t start_pfn, uint64_t end_pfn);
int direct_load(const struct direct *direct, const struct loader *loader);
/* The image: a sealed memory file that the caller closes, in *fd; -1: the device model loads. */
int direct_make_image(const struct direct *direct, int *fd, struct build_error *error);

#endif
