/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: loop devices of dom0's kernel, which make a block device of a raw file.
 *
 * They are made with "autoclear": the kernel detaches the file at the last close. The creator
 * holds one descriptor until the block backend has opened the device too, so whoever is killed,
 * and when, no loop device can be left behind.
 */
#ifndef ZENDO_DEVICE_LOOP_H
#define ZENDO_DEVICE_LOOP_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Attach the open file `file_fd` to a free loop device. Returns a descriptor of the loop device,
 * or -E: -ENOENT when dom0 has no loop driver. `*number` is the device number. The kernel keeps
 * its own reference to the open file, and with it any flock() on it. Direct I/O is used where the
 * file system can, and buffered I/O where it cannot.
 */
int loop_attach(int file_fd, bool readonly, const char *tag, dev_t *number);

/* The file is attached to some loop device already, by anybody: its number N, or -ENOENT. */
int loop_find_file(const struct stat *file);

/* Wait until the loop device has let go of its file, for at most `timeout_ms`. */
int loop_wait_detached(unsigned int minor, int timeout_ms);

#endif
