/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: virtual block devices. What the nodes are for is said in xen/io/blkif.h; that the
 * kernel's blkback opens "physical-device" by itself when it is there from the start, so that no
 * hotplug script is needed, is its backend_changed().
 */
#include "device/block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "device/loop.h"

/* The kernel lets go of a destroyed domain's disk a moment after the domain is gone. */
#define LOCK_WAIT_MS 2000

#define BLOCK_SECTOR 512

int block_check(const struct disk_spec *disk, bool has_model, struct device_error *error)
{
	if (disk->format == DISK_FORMAT_EMPTY && disk->is_cdrom && has_model)
		return 0;
	if (disk->format == DISK_FORMAT_EMPTY)
		return device_error_set(error, -ENOTSUP,
					"disk %s: an empty drive needs an HVM domain and to be a "
					"cdrom; give a file or a block device",
					disk->vdev);
	if (disk->format != DISK_FORMAT_RAW || disk->backend_type == DISK_BACKEND_QDISK ||
	    disk->backend_type == DISK_BACKEND_TAP)
		return device_error_set(error, -ENOTSUP,
					"disk %s: format %s needs a device model as its back end; "
					"only raw files and block devices are served",
					disk->vdev, disk_format_name(disk->format));
	if (disk->script)
		return device_error_set(error, -ENOTSUP,
					"disk %s: script=%s: block scripts are not run; give a raw "
					"file or a block device as the target",
					disk->vdev, disk->script);
	if (disk->backend && strcmp(disk->backend, "0") && strcmp(disk->backend, "Domain-0"))
		return device_error_set(error, -ENOTSUP,
					"disk %s: backend=%s: disks are served by dom0 only",
					disk->vdev, disk->backend);
	return 0;
}

static int block_lock(int fd, bool writable)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
	int waited;

	for (waited = 0; waited <= LOCK_WAIT_MS; waited += 10) {
		if (!flock(fd, (writable ? LOCK_EX : LOCK_SH) | LOCK_NB))
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

static int block_open_target(const struct disk_spec *disk, struct stat *st,
			     struct device_error *error)
{
	int flags = (disk->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK;
	int fd, rc;

	if (stat(disk->target, st))
		return device_error_set(error, -errno, "disk %s: %s: %s", disk->vdev, disk->target,
					strerror(errno));
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return device_error_set(error, -EINVAL,
					"disk %s: %s is neither a file nor a block device",
					disk->vdev, disk->target);
	/* For a block device O_EXCL means: not while it is mounted, and no mount from now on. */
	if (S_ISBLK(st->st_mode) && disk->writable)
		flags |= O_EXCL;
	fd = open(disk->target, flags);
	if (fd < 0) {
		rc = -errno;
		return device_error_set(error, rc, "disk %s: %s: %s", disk->vdev, disk->target,
					rc == -EBUSY ? "in use in dom0 or by another domain"
						     : strerror(-rc));
	}
	rc = fstat(fd, st) ? -errno : block_lock(fd, disk->writable);
	if (rc) {
		close(fd);
		return device_error_set(
			error, rc, "disk %s: %s: %s", disk->vdev, disk->target,
			rc != -EBUSY	 ? strerror(-rc)
			: disk->writable ? "in use by another domain; a writable disk is for one "
					   "domain alone"
					 : "another domain may write to it");
	}
	return fd;
}

static int block_attach_file(const struct disk_spec *disk, const char *tag, const struct stat *st,
			     struct block_device *out, struct device_error *error)
{
	dev_t number = 0;
	int fd, other;

	if (st->st_size < BLOCK_SECTOR)
		return device_error_set(error, -EINVAL,
					"disk %s: %s is %s; a disk has at least %d bytes",
					disk->vdev, disk->target,
					st->st_size ? "too small" : "empty", BLOCK_SECTOR);
	other = disk->writable ? loop_find_file(st) : -ENOENT;
	if (other >= 0)
		return device_error_set(error, -EBUSY, "disk %s: %s is attached to /dev/loop%d",
					disk->vdev, disk->target, other);
	fd = loop_attach(out->file_fd, !disk->writable, tag, &number);
	if (fd == -ENOENT)
		return device_error_set(error, fd,
					"disk %s: no /dev/loop-control: dom0's loop driver is not "
					"loaded",
					disk->vdev);
	if (fd < 0)
		return device_error_set(error, fd, "disk %s: %s: no loop device: %s", disk->vdev,
					disk->target, strerror(-fd));
	out->fd = fd;
	out->is_loop = true;
	out->major = major(number);
	out->minor = minor(number);
	return 0;
}

int block_open(const struct disk_spec *disk, const char *tag, struct block_device *out,
	       struct device_error *error)
{
	struct stat st;
	int fd, rc;

	*out = (struct block_device){.fd = -1, .file_fd = -1};
	if (disk->format == DISK_FORMAT_EMPTY)
		return 0;
	fd = block_open_target(disk, &st, error);
	if (fd < 0)
		return fd;
	out->file_fd = fd;
	if (S_ISBLK(st.st_mode)) {
		out->major = major(st.st_rdev);
		out->minor = minor(st.st_rdev);
		return 0;
	}
	if (!tag)
		return 0;
	rc = block_attach_file(disk, tag, &st, out, error);
	if (rc)
		block_close(out);
	return rc;
}

void block_close(struct block_device *block)
{
	if (block->fd >= 0)
		close(block->fd);
	if (block->file_fd >= 0)
		close(block->file_fd);
	block->fd = -1;
	block->file_fd = -1;
}

void block_add_entries(struct store_entries *list, unsigned int domid, const struct disk_spec *disk,
		       const struct block_device *block)
{
	const struct entry_access guest_owns = {.owner = domid, .reader = 0};
	const struct entry_access guest_reads = {.owner = 0, .reader = domid};
	const char *type = disk->is_cdrom ? "cdrom" : "disk";
	char front[64], back[64];

	snprintf(front, sizeof(front), "/local/domain/%u/device/vbd/%u", domid, disk->devid);
	snprintf(back, sizeof(back), "/local/domain/0/backend/vbd/%u/%u", domid, disk->devid);

	entries_dir(list, front, guest_owns);
	entries_set(list, front, "backend", "%s", back);
	entries_set(list, front, "backend-id", "0");
	entries_set(list, front, "state", "1");
	entries_set(list, front, "virtual-device", "%u", disk->devid);
	entries_set(list, front, "device-type", "%s", type);

	entries_dir(list, back, guest_reads);
	entries_set(list, back, "frontend", "%s", front);
	entries_set(list, back, "frontend-id", "%u", domid);
	entries_set(list, back, "online", "1");
	entries_set(list, back, "state", "1");
	entries_set(list, back, "removable", "%d", disk->is_cdrom);
	entries_set(list, back, "bootable", "1");
	entries_set(list, back, "dev", "%s", disk->vdev);
	entries_set(list, back, "type", "phy");
	entries_set(list, back, "mode", "%s", disk->writable ? "w" : "r");
	entries_set(list, back, "device-type", "%s", type);
	entries_set(list, back, "params", "%s", disk->target);
	entries_set(list, back, "discard-enable", "%d", disk->has_discard ? disk->discard : 1);
	entries_set(list, back, "physical-device", "%x:%x", block->major, block->minor);
}
