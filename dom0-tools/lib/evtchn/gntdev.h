/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Part of libzevtchn: pages other domains granted to this one, mapped through
 * /dev/xen/gntdev.  A mapping ends with zgntdev_unmap() or with the process.
 */
#ifndef ZENDO_GNTDEV_H
#define ZENDO_GNTDEV_H

#include <stddef.h>
#include <stdint.h>

struct zgntdev;

int zgntdev_open(struct zgntdev **gntdev);
void zgntdev_close(struct zgntdev *gntdev);

/* Maps one page read-write; *page is page-aligned. */
int zgntdev_map(struct zgntdev *gntdev, unsigned int domid, uint32_t ref, void **page);
int zgntdev_unmap(struct zgntdev *gntdev, void *page);

#endif
