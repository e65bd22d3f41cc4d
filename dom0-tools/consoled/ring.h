/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console page that a guest shares: bytes out of it and into it.  The guest
 * may write anything to it at any time; each position is read once.
 */
#ifndef ZCONSOLED_RING_H
#define ZCONSOLED_RING_H

#include <stddef.h>
#include <stdint.h>
#include <xen/io/console.h>

/* Takes up to size bytes of the guest's output.  What makes no sense is skipped. */
size_t ring_take(struct xencons_interface *page, char *data, size_t size);
/* How many bytes of input the guest has room for. */
size_t ring_room(const struct xencons_interface *page);
/* Gives bytes, no more than there is room for; returns how many. */
size_t ring_give(struct xencons_interface *page, const char *data, size_t len);

#endif
