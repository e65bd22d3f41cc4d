/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: dom0's network links: bridges and the ports put on them, by ioctl, and waiting for
 * a link to come or go. Names are interface names. Functions return 0 or -E.
 */
#ifndef ZENDO_DEVICE_BRIDGE_H
#define ZENDO_DEVICE_BRIDGE_H

#include <stdbool.h>

bool link_exists(const char *name);

/* A bridge of the Linux kernel: -ENODEV: no such link; -ENOTSUP: a link of another kind. */
int bridge_check(const char *bridge);

/* Give the link the MTU (0: the bridge's), put it on the bridge and take it up. */
int bridge_add_port(const char *bridge, const char *port, unsigned int mtu);

int link_rename(const char *from, const char *to);

/*
 * A descriptor that becomes readable whenever some link of this machine comes, changes or goes:
 * open it, look at the links, then poll. link_watch_drain() empties it.
 */
int link_watch_open(void);
void link_watch_drain(int fd);

#endif
