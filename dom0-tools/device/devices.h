/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: the back ends of one domain in dom0's kernel, all together: waiting until they are
 * ready when the domain is made, and taking them away when it ends. Both wait on store watches
 * and link events, within a time limit.
 */
#ifndef ZENDO_DEVICE_DEVICES_H
#define ZENDO_DEVICE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/disk.h"
#include "config/vif.h"
#include "device/block.h"
#include "device/entries.h"
#include "device/error.h"

struct zstore;

/* enum xenbus_state of xen/io/xenbus.h, as numbers in the store. */
enum backend_state {
	BACKEND_UNKNOWN = 0,
	BACKEND_INITIALISING = 1,
	BACKEND_INIT_WAIT = 2,
	BACKEND_CONNECTED = 4,
	BACKEND_CLOSING = 5,
	BACKEND_CLOSED = 6,
};

/* A domain's devices: specifications are the caller's, `blocks` belong to this. */
struct domain_devices {
	const struct disk_spec *disks;
	struct block_device *blocks; /* one for each disk, or NULL before devices_open() */
	size_t nr_disks;
	const struct vif_spec *vifs; /* each with a MAC */
	size_t nr_vifs;
	bool has_model; /* a device model shows them, too */
};

/*
 * Has disk `i` a back end of the kernel's? All have, but the CD-ROM drives of a domain with a
 * device model, which no front end wants.
 */
bool devices_has_backend(const struct domain_devices *devices, size_t i);

/* The number of interface `i`: its own devid=, or its place in the list. */
uint32_t devices_vif_id(const struct domain_devices *devices, size_t i);

/* Check every device, then open every disk; on error nothing stays open. */
int devices_open(struct domain_devices *devices, const char *domain_name,
		 struct device_error *error);
void devices_close(struct domain_devices *devices);

/* The nodes of all devices, and the empty device directory when there is none. */
void devices_add_entries(struct store_entries *list, unsigned int domid,
			 const struct domain_devices *devices);

/*
 * After the nodes are written: wait until each back end waits for its front end, and connect the
 * links to their bridges. -ETIMEDOUT, the back end's own error, or -ECANCELED as soon as
 * `cancel_fd` (-1: none) has something to say; `error` says which device.
 */
int devices_wait_ready(struct zstore *store, unsigned int domid,
		       const struct domain_devices *devices, int timeout_ms, int cancel_fd,
		       struct device_error *error);

/*
 * Take away all devices of a domain, whoever made them, and their nodes: back ends are told to
 * close and waited for. Needs no specification and may be repeated. With `wait_loops`, also waits
 * until loop devices behind the disks are free; the caller holds none of them open then.
 * -ETIMEDOUT when a back end did not answer; its nodes are gone then all the same.
 */
int devices_remove(struct zstore *store, unsigned int domid, int timeout_ms, bool wait_loops);

#endif
