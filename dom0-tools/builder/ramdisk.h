/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzbuild only: the ramdisk's file. It goes into the guest as it is; what is looked at
 * here is only whether a Linux guest could make sense of it.
 */
#ifndef ZENDO_BUILDER_RAMDISK_H
#define ZENDO_BUILDER_RAMDISK_H

#include <stddef.h>
#include <stdint.h>

#include "builder/error.h"

#define RAMDISK_SIZE_MAX (4UL << 30)

struct ramdisk {
	const char *name;
	int fd; /* -1: none */
	uint64_t size;
};

/* `path` NULL: no ramdisk, and no error. */
int ramdisk_open(const char *path, struct ramdisk *ramdisk, struct build_error *error);
void ramdisk_close(struct ramdisk *ramdisk);

/*
 * Is it a cpio archive, a compressed one, or a file system image, and where that shows without
 * unpacking, complete? -ENOEXEC or -EBADMSG otherwise.
 */
int ramdisk_check(const struct ramdisk *ramdisk, struct build_error *error);

/* Read all of it to `to`. -EBADMSG: the file has become shorter. */
int ramdisk_read(const struct ramdisk *ramdisk, void *to, uint64_t offset, size_t size,
		 struct build_error *error);

#endif
