/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /dev/xen/gntdev: see gntdev.h.  A grant is announced by an ioctl, which names
 * the offset at which mmap() then maps it; the kernel asks for the offset again
 * when the announcement is withdrawn.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/sys/gntdev.h>

#include "gntdev.h"

#define GNTDEV_PAGE_SIZE 4096u

struct zgntdev {
	int fd;
};

int zgntdev_open(struct zgntdev **out)
{
	struct zgntdev *gntdev = malloc(sizeof(*gntdev));
	int ret;

	if (!gntdev)
		return -ENOMEM;
	gntdev->fd = open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC);
	if (gntdev->fd < 0) {
		ret = -errno;
		free(gntdev);
		return ret;
	}
	*out = gntdev;
	return 0;
}

void zgntdev_close(struct zgntdev *gntdev)
{
	if (!gntdev)
		return;
	close(gntdev->fd);
	free(gntdev);
}

static void gntdev_withdraw(struct zgntdev *gntdev, uint64_t index)
{
	struct ioctl_gntdev_unmap_grant_ref unmap = {.index = index, .count = 1};

	ioctl(gntdev->fd, IOCTL_GNTDEV_UNMAP_GRANT_REF, &unmap);
}

int zgntdev_map(struct zgntdev *gntdev, unsigned int domid, uint32_t ref, void **page)
{
	struct ioctl_gntdev_map_grant_ref map = {
		.count = 1,
		.refs = {{.domid = domid, .ref = ref}},
	};
	void *p;
	int ret;

	if (ioctl(gntdev->fd, IOCTL_GNTDEV_MAP_GRANT_REF, &map) < 0)
		return -errno;
	p = mmap(NULL, GNTDEV_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, gntdev->fd,
		 (off_t)map.index);
	if (p == MAP_FAILED) {
		ret = -errno;
		gntdev_withdraw(gntdev, map.index);
		return ret;
	}
	*page = p;
	return 0;
}

int zgntdev_unmap(struct zgntdev *gntdev, void *page)
{
	struct ioctl_gntdev_get_offset_for_vaddr get = {.vaddr = (uintptr_t)page};

	if (ioctl(gntdev->fd, IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, &get) < 0)
		return -errno;
	if (munmap(page, GNTDEV_PAGE_SIZE) < 0)
		return -errno;
	gntdev_withdraw(gntdev, get.offset);
	return 0;
}
