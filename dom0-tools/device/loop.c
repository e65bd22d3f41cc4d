/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: loop devices, by LOOP_CTL_GET_FREE and LOOP_CONFIGURE (linux/loop.h). Owns no state:
 * the kernel's is the only record. Locks on the file are block.c's.
 */
#include "device/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* Others may take the free device that we were told of before we do. */
#define ATTACH_TRIES 64

static int loop_configure(int loop_fd, int file_fd, bool readonly, const char *tag)
{
	struct loop_config config = {
		.fd = (unsigned int)file_fd,
		.block_size = 512,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
	};

	if (readonly)
		config.info.lo_flags |= LO_FLAGS_READ_ONLY;
	snprintf((char *)config.info.lo_file_name, sizeof(config.info.lo_file_name), "%s", tag);
	return ioctl(loop_fd, LOOP_CONFIGURE, &config) ? -errno : 0;
}

static int loop_try_attach(int control, int file_fd, bool readonly, const char *tag, dev_t *number)
{
	struct stat st;
	char path[32];
	int fd, rc;
	int minor = ioctl(control, LOOP_CTL_GET_FREE);

	if (minor < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/loop%d", minor);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENXIO ? -EBUSY : -errno;
	rc = loop_configure(fd, file_fd, readonly, tag);
	if (!rc && fstat(fd, &st))
		rc = -errno;
	if (rc) {
		close(fd);
		return rc;
	}
	*number = st.st_rdev;
	return fd;
}

int loop_attach(int file_fd, bool readonly, const char *tag, dev_t *number)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int tries, fd = -EBUSY;

	if (control < 0)
		return -errno;
	for (tries = 0; fd == -EBUSY && tries < ATTACH_TRIES; tries++)
		fd = loop_try_attach(control, file_fd, readonly, tag, number);
	close(control);
	return fd;
}

/* The backing file of /sys/block/NAME, when it is a loop device that has one. */
static int loop_read_file(const char *name, char *path, size_t size)
{
	char attribute[300];
	ssize_t len;
	int fd;

	snprintf(attribute, sizeof(attribute), "/sys/block/%s/loop/backing_file", name);
	fd = open(attribute, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, path, size - 1);
	close(fd);
	if (len <= 0)
		return -ENOENT;
	path[len] = '\0';
	path[strcspn(path, "\n")] = '\0';
	return 0;
}

int loop_find_file(const struct stat *file)
{
	struct dirent *entry;
	char path[4096];
	struct stat st;
	int found = -ENOENT;
	DIR *dir = opendir("/sys/block");

	if (!dir)
		return -ENOENT;
	while (found < 0 && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "loop", 4))
			continue;
		if (loop_read_file(entry->d_name, path, sizeof(path)) || stat(path, &st))
			continue;
		if (st.st_dev == file->st_dev && st.st_ino == file->st_ino)
			found = atoi(entry->d_name + 4);
	}
	closedir(dir);
	return found;
}

int loop_wait_detached(unsigned int minor, int timeout_ms)
{
	/* Detaching is deferred to a kernel worker and signals nobody: look again and again. */
	const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
	char name[16], path[4096];
	int waited;

	snprintf(name, sizeof(name), "loop%u", minor);
	for (waited = 0; waited < timeout_ms; waited += 5) {
		if (loop_read_file(name, path, sizeof(path)))
			return 0;
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}
