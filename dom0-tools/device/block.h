/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: one virtual block device: the file or block device of dom0 behind it, the lock that
 * keeps others off it, and its nodes in the store. The data path is dom0's own blkback.
 */
#ifndef ZENDO_DEVICE_BLOCK_H
#define ZENDO_DEVICE_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "config/disk.h"
#include "device/entries.h"
#include "device/error.h"

/* A disk as dom0 holds it open. The descriptors carry the locks: see block_open(). */
struct block_device {
	int fd;	     /* the block device: the disk itself, or a loop device; -1: none */
	int file_fd; /* the locked disk or file; -1: none */
	unsigned int major;
	unsigned int minor;
	bool is_loop;
};

/*
 * Without opening anything: is this a disk that zl can serve at all? 0, or -E with `error`.
 * `has_model`: the domain has a device model, which can show an empty drive.
 */
int block_check(const struct disk_spec *disk, bool has_model, struct device_error *error);

/*
 * Open and lock the disk. A writable disk is for one domain alone, a read-only one may be shared
 * with other readers: -EBUSY otherwise, also when dom0 has it mounted. The lock is a flock(2) on
 * what the specification names; for a file the loop device keeps it for as long as it lives, so
 * it ends when the block backend lets go, not when the tool does. `tag` names a new loop device;
 * NULL: no block device is needed, for the disk is a device model's alone. The disk has passed
 * block_check(); an empty drive opens nothing.
 */
int block_open(const struct disk_spec *disk, const char *tag, struct block_device *out,
	       struct device_error *error);
void block_close(struct block_device *block);

/* The nodes of backend and frontend, both in state Initialising. */
void block_add_entries(struct store_entries *list, unsigned int domid, const struct disk_spec *disk,
		       const struct block_device *block);

#endif
