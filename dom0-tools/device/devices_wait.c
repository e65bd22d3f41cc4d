/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: waiting for the back ends of a new domain. The kernel makes each of them when its
 * nodes appear, and says InitWait when it is ready for the front end; netback's link comes a
 * moment later. What is waited for here is a change of the store or of the links, never time.
 */
#include "device/devices.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device/bridge.h"
#include "device/deadline.h"
#include "device/net.h"
#include "store/zstore.h"

#define BACKEND_DIR "/local/domain/0/backend"
#define SYSFS_DIR   "/sys/bus/xen-backend/devices"

/* blkback opens its disk right after it said InitWait; there is no event for that. */
#define DISK_OPEN_MS 2000

struct waiter {
	struct zstore *store;
	unsigned int domid;
	const struct domain_devices *devices;
	struct device_error *error;
	bool *ready; /* disks first, then interfaces */
	size_t nr;
	int links_fd;
	int cancel_fd;
};

static const char *waiter_type(const struct waiter *w, size_t i)
{
	return i < w->devices->nr_disks ? "vbd" : "vif";
}

static uint32_t waiter_id(const struct waiter *w, size_t i)
{
	if (i < w->devices->nr_disks)
		return w->devices->disks[i].devid;
	return devices_vif_id(w->devices, i - w->devices->nr_disks);
}

static void waiter_path(const struct waiter *w, size_t i, const char *leaf, char *path, size_t size)
{
	snprintf(path, size, BACKEND_DIR "/%s/%u/%u/%s", waiter_type(w, i), w->domid,
		 waiter_id(w, i), leaf);
}

/* A back end that gave up; the kernel leaves its reason in dom0's "error" directory. */
static int waiter_fail(const struct waiter *w, size_t i)
{
	char path[128], *text = NULL;

	snprintf(path, sizeof(path), "/local/domain/0/error/backend/%s/%u/%u/error",
		 waiter_type(w, i), w->domid, waiter_id(w, i));
	if (zstore_read(w->store, ZSTORE_NO_TX, path, &text, NULL))
		text = NULL;
	device_error_set(w->error, -EIO, "%s %u: the back end in dom0 gave up: %s",
			 waiter_type(w, i), waiter_id(w, i), text ? text : "no reason given");
	free(text);
	return -EIO;
}

static int waiter_connect_vif(const struct waiter *w, size_t i)
{
	const struct vif_spec *vif = &w->devices->vifs[i - w->devices->nr_disks];
	char path[128];
	int rc = net_connect_link(vif, w->domid, waiter_id(w, i), w->error);

	if (rc)
		return rc;
	waiter_path(w, i, "hotplug-status", path, sizeof(path));
	return zstore_write_string(w->store, ZSTORE_NO_TX, path, "connected");
}

static int waiter_look(struct waiter *w, size_t i)
{
	char path[128], link[IFNAMSIZ];
	long long state;
	int rc;

	waiter_path(w, i, "state", path, sizeof(path));
	rc = zstore_read_number(w->store, ZSTORE_NO_TX, path, &state);
	if (rc)
		return device_error_set(w->error, rc, "%s: %s", path, strerror(-rc));
	if (state >= BACKEND_CLOSING)
		return waiter_fail(w, i);
	if (state < BACKEND_INIT_WAIT)
		return 0;
	if (i >= w->devices->nr_disks) {
		net_link_name(NULL, w->domid, waiter_id(w, i), link, sizeof(link));
		if (!link_exists(link))
			return 0;
		rc = waiter_connect_vif(w, i);
	}
	w->ready[i] = !rc;
	return rc;
}

static int waiter_look_all(struct waiter *w, bool *all)
{
	size_t i;
	int rc;

	*all = true;
	for (i = 0; i < w->nr; i++) {
		rc = w->ready[i] ? 0 : waiter_look(w, i);
		if (rc)
			return rc;
		*all = *all && w->ready[i];
	}
	return 0;
}

/* True when the store had something to tell. */
static bool waiter_drain(struct waiter *w)
{
	struct zstore_event event;
	bool any = false;

	while (!zstore_next_event(w->store, 0, &event)) {
		zstore_free_event(&event);
		any = true;
	}
	link_watch_drain(w->links_fd);
	return any;
}

static int waiter_sleep(struct waiter *w, int64_t deadline)
{
	struct pollfd fds[3] = {
		{.fd = zstore_fd(w->store), .events = POLLIN},
		{.fd = w->links_fd, .events = POLLIN},
		{.fd = w->cancel_fd, .events = POLLIN},
	};
	int rc;

	/* What came while answers were waited for no longer shows in the descriptor. */
	if (waiter_drain(w))
		return 0;
	rc = poll(fds, 3, deadline_left(deadline));
	if (rc < 0 && errno != EINTR)
		return device_error_set(w->error, -errno, "poll: %s", strerror(errno));
	if (rc > 0 && fds[2].revents)
		return device_error_set(w->error, -ECANCELED, "interrupted");
	waiter_drain(w);
	return 0;
}

static int waiter_run(struct waiter *w, int64_t deadline)
{
	bool all;
	size_t i;
	int rc;

	for (;;) {
		rc = waiter_look_all(w, &all);
		if (rc || all)
			return rc;
		if (!deadline_left(deadline))
			break;
		rc = waiter_sleep(w, deadline);
		if (rc)
			return rc;
	}
	for (i = 0; w->ready[i]; i++)
		;
	return device_error_set(w->error, -ETIMEDOUT,
				"%s %u: no answer from the back end; is xen-%sback loaded in dom0?",
				waiter_type(w, i), waiter_id(w, i),
				i < w->devices->nr_disks ? "blk" : "net");
}

static int waiter_watch(struct waiter *w, bool on)
{
	char path[128];
	size_t i;
	int rc;

	for (i = 0; i < w->nr; i++) {
		waiter_path(w, i, "state", path, sizeof(path));
		rc = on ? zstore_watch(w->store, path, "devices-wait")
			: zstore_unwatch(w->store, path, "devices-wait");
		if (rc && on)
			return device_error_set(w->error, rc, "watch %s: %s", path, strerror(-rc));
	}
	return 0;
}

/* The disk is held open by blkback from here on. Without sysfs there is nothing to look at. */
static int waiter_check_disk(struct waiter *w, size_t i)
{
	const struct timespec pause = {.tv_nsec = 2 * 1000 * 1000};
	char attribute[96], path[128];
	long long state;
	int waited;

	snprintf(attribute, sizeof(attribute), SYSFS_DIR "/vbd-%u-%u/physical_device", w->domid,
		 waiter_id(w, i));
	waiter_path(w, i, "state", path, sizeof(path));
	for (waited = 0; access(SYSFS_DIR, F_OK) == 0 && access(attribute, F_OK); waited += 2) {
		if (waited > DISK_OPEN_MS ||
		    zstore_read_number(w->store, ZSTORE_NO_TX, path, &state) ||
		    state >= BACKEND_CLOSING)
			return waiter_fail(w, i);
		nanosleep(&pause, NULL);
	}
	return 0;
}

int devices_wait_ready(struct zstore *store, unsigned int domid,
		       const struct domain_devices *devices, int timeout_ms, int cancel_fd,
		       struct device_error *error)
{
	struct waiter w = {
		.store = store,
		.domid = domid,
		.devices = devices,
		.error = error,
		.nr = devices->nr_disks + devices->nr_vifs,
		.cancel_fd = cancel_fd,
	};
	size_t i;
	int rc;

	if (!w.nr)
		return 0;
	w.ready = calloc(w.nr, sizeof(*w.ready));
	if (!w.ready)
		return device_error_set(error, -ENOMEM, "out of memory");
	w.links_fd = link_watch_open();
	if (w.links_fd < 0) {
		rc = device_error_set(error, w.links_fd, "netlink: %s", strerror(-w.links_fd));
		goto free_ready;
	}
	for (i = 0; i < devices->nr_disks; i++)
		w.ready[i] = !devices_has_backend(devices, i);
	rc = waiter_watch(&w, true);
	if (!rc)
		rc = waiter_run(&w, deadline_after(timeout_ms));
	waiter_watch(&w, false);
	waiter_drain(&w);
	for (i = 0; !rc && i < devices->nr_disks; i++)
		if (devices_has_backend(devices, i))
			rc = waiter_check_disk(&w, i);
	close(w.links_fd);

free_ready:
	free(w.ready);
	return rc;
}
