/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: one virtual network interface: its nodes in the store and its link in dom0, which
 * goes on a bridge. The data path is dom0's own netback.
 */
#ifndef ZENDO_DEVICE_NET_H
#define ZENDO_DEVICE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/vif.h"
#include "device/entries.h"
#include "device/error.h"

/* The bridge of a vif that names none, as in xl. */
#define NET_DEFAULT_BRIDGE "xenbr0"

/*
 * Is this an interface that zl can serve, and is its bridge there? 0, or -E with `error`.
 * `has_model`: the domain has a device model, which can show a card.
 */
int net_check(const struct vif_spec *vif, uint32_t devid, bool has_model,
	      struct device_error *error);

/* A locally made address in the range that the Xen project has for guests, 00:16:3e. */
int net_choose_mac(uint8_t mac[6]);

/* "vifDOMID.DEVID", as netback names its links, or the name of the specification. */
void net_link_name(const struct vif_spec *vif, unsigned int domid, uint32_t devid, char *name,
		   size_t size);

/* The nodes of backend and frontend, both in state Initialising. `vif` has a MAC. */
void net_add_entries(struct store_entries *list, unsigned int domid, uint32_t devid,
		     const struct vif_spec *vif);

/* netback has made the link: name it, and put it on its bridge. */
int net_connect_link(const struct vif_spec *vif, unsigned int domid, uint32_t devid,
		     struct device_error *error);

#endif
