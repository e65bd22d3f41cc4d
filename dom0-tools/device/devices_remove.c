/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzdevice: taking away all devices of a domain, from what the store says alone, so that it
 * works for domains made by anybody and after any accident.
 *
 * A back end is told to close by state 5 and online 0; when its front end's nodes go as well,
 * the kernel unbinds it and, last of all, answers with state 6 (drivers/xen/xenbus of Linux).
 */
#include "device/devices.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device/bridge.h"
#include "device/deadline.h"
#include "device/loop.h"
#include "device/net.h"
#include "store/zstore.h"

#define BACKEND_DIR "/local/domain/0/backend"
#define DRIVER_DIR  "/sys/bus/xen-backend/drivers"
#define LOOP_MAJOR  7
#define LOOP_MS	    2000
#define PROBE_MS    3000

struct backend {
	char dir[128];
	char link[IFNAMSIZ]; /* of a vif */
	bool in_kernel;	     /* a driver of dom0's kernel answers for it */
	bool is_unprobed;    /* and will do so any moment: its nodes are new */
	bool was_bound;
	bool is_gone;
	int loop_minor; /* of a vbd on a loop device, else -1 */
};

struct remover {
	struct zstore *store;
	unsigned int domid;
	struct backend *items;
	size_t nr;
	int links_fd;
};

static void backend_read_state(struct remover *r, struct backend *b)
{
	char path[160];
	long long state;

	snprintf(path, sizeof(path), "%s/state", b->dir);
	if (zstore_read_number(r->store, ZSTORE_NO_TX, path, &state))
		state = BACKEND_UNKNOWN;
	b->is_unprobed = b->in_kernel && state == BACKEND_INITIALISING;
	b->was_bound = b->in_kernel && state >= BACKEND_INIT_WAIT && state < BACKEND_CLOSED;
}

static void backend_read(struct remover *r, struct backend *b, const char *type, const char *id)
{
	unsigned int major, minor;
	char path[160], *text;

	b->loop_minor = -1;
	snprintf(path, sizeof(path), DRIVER_DIR "/%s", type);
	b->in_kernel = (!strcmp(type, "vbd") || !strcmp(type, "vif")) && !access(path, F_OK);
	backend_read_state(r, b);
	snprintf(path, sizeof(path), "%s/physical-device", b->dir);
	if (!strcmp(type, "vbd") && !zstore_read(r->store, ZSTORE_NO_TX, path, &text, NULL)) {
		if (sscanf(text, "%x:%x", &major, &minor) == 2 && major == LOOP_MAJOR)
			b->loop_minor = (int)minor;
		free(text);
	}
	if (strcmp(type, "vif"))
		return;
	net_link_name(NULL, r->domid, (uint32_t)strtoul(id, NULL, 10), b->link, sizeof(b->link));
	snprintf(path, sizeof(path), "%s/vifname", b->dir);
	if (!link_exists(b->link) && !zstore_read(r->store, ZSTORE_NO_TX, path, &text, NULL)) {
		snprintf(b->link, sizeof(b->link), "%s", text);
		free(text);
	}
}

static int remover_add(struct remover *r, const char *type, const char *id)
{
	struct backend *items = realloc(r->items, (r->nr + 1) * sizeof(*items));
	struct backend *b;

	if (!items)
		return -ENOMEM;
	r->items = items;
	b = &items[r->nr];
	memset(b, 0, sizeof(*b));
	if ((size_t)snprintf(b->dir, sizeof(b->dir), BACKEND_DIR "/%s/%u/%s", type, r->domid, id) >=
	    sizeof(b->dir))
		return -ENAMETOOLONG;
	backend_read(r, b, type, id);
	r->nr++;
	return 0;
}

static int remover_add_type(struct remover *r, const char *type)
{
	char dir[128], **ids;
	int nr, i, rc = 0;

	snprintf(dir, sizeof(dir), BACKEND_DIR "/%s/%u", type, r->domid);
	nr = zstore_list(r->store, ZSTORE_NO_TX, dir, &ids);
	if (nr < 0)
		return nr == -ENOENT ? 0 : nr;
	for (i = 0; !rc && i < nr; i++)
		rc = remover_add(r, type, ids[i]);
	zstore_free_names(ids, nr);
	return rc;
}

/* Close all back ends and take the front ends away in one step; nodes of back ends stay. */
static int remover_close(struct remover *r)
{
	struct store_entries list;
	char path[64];
	size_t i;
	int rc;

	entries_init(&list);
	for (i = 0; i < r->nr; i++) {
		entries_set(&list, r->items[i].dir, "online", "0");
		if (r->items[i].was_bound)
			entries_set(&list, r->items[i].dir, "state", "%d", BACKEND_CLOSING);
	}
	snprintf(path, sizeof(path), "/local/domain/%u/device", r->domid);
	entries_remove(&list, path);
	rc = entries_write(r->store, &list);
	entries_fini(&list);
	return rc;
}

static bool backend_is_gone(struct remover *r, struct backend *b)
{
	char path[160];
	long long state;
	int rc;

	if (b->is_gone || !b->in_kernel)
		return true;
	if (b->was_bound) {
		snprintf(path, sizeof(path), "%s/state", b->dir);
		rc = zstore_read_number(r->store, ZSTORE_NO_TX, path, &state);
		if (rc != -ENOENT && (rc || state != BACKEND_CLOSED))
			return false;
	}
	b->is_gone = !*b->link || !link_exists(b->link);
	return b->is_gone;
}

/*
 * A back end whose nodes are only just there: the kernel is about to bind it, and would make nodes
 * anew in a directory removed under its feet. Let it do so first.
 */
static bool backend_is_settled(struct remover *r, struct backend *b)
{
	if (b->is_unprobed)
		backend_read_state(r, b);
	return !b->is_unprobed;
}

/* True when the store had something to tell. */
static bool remover_drain(struct remover *r)
{
	struct zstore_event event;
	bool any = false;

	while (!zstore_next_event(r->store, 0, &event)) {
		zstore_free_event(&event);
		any = true;
	}
	link_watch_drain(r->links_fd);
	return any;
}

static int remover_wait(struct remover *r, bool (*is_done)(struct remover *, struct backend *),
			int64_t deadline)
{
	struct pollfd fds[2] = {{.events = POLLIN}, {.fd = r->links_fd, .events = POLLIN}};
	size_t i, done;

	for (;;) {
		for (i = 0, done = 0; i < r->nr; i++)
			done += is_done(r, &r->items[i]);
		if (done == r->nr)
			return 0;
		if (!deadline_left(deadline))
			return -ETIMEDOUT;
		/* What came while answers were waited for no longer shows in the descriptor. */
		if (remover_drain(r))
			continue;
		fds[0].fd = zstore_fd(r->store);
		if (poll(fds, 2, deadline_left(deadline)) < 0 && errno != EINTR)
			return -errno;
		remover_drain(r);
	}
}

static void remover_watch(struct remover *r, bool on)
{
	char path[160];
	size_t i;

	for (i = 0; i < r->nr; i++) {
		if (!r->items[i].in_kernel)
			continue;
		snprintf(path, sizeof(path), "%s/state", r->items[i].dir);
		if (on)
			zstore_watch(r->store, path, "devices-remove");
		else
			zstore_unwatch(r->store, path, "devices-remove");
	}
}

static int remover_forget(struct remover *r, char *const *types, int nr_types)
{
	struct store_entries list;
	char path[128];
	int i, rc;

	entries_init(&list);
	for (i = 0; i < nr_types; i++) {
		snprintf(path, sizeof(path), BACKEND_DIR "/%s/%u", types[i], r->domid);
		entries_remove(&list, path);
		snprintf(path, sizeof(path), "/local/domain/0/error/backend/%s/%u", types[i],
			 r->domid);
		entries_remove(&list, path);
	}
	rc = entries_write(r->store, &list);
	entries_fini(&list);
	return rc;
}

static void remover_wait_loops(struct remover *r)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (r->items[i].loop_minor >= 0)
			loop_wait_detached((unsigned int)r->items[i].loop_minor, LOOP_MS);
}

int devices_remove(struct zstore *store, unsigned int domid, int timeout_ms, bool wait_loops)
{
	struct remover r = {.store = store, .domid = domid};
	int i, nr_types, rc, waited = 0;
	char **types;

	nr_types = zstore_list(store, ZSTORE_NO_TX, BACKEND_DIR, &types);
	if (nr_types == -ENOENT)
		return 0;
	if (nr_types < 0)
		return nr_types;
	r.links_fd = link_watch_open();
	for (i = 0, rc = 0; !rc && i < nr_types; i++)
		rc = remover_add_type(&r, types[i]);
	if (rc)
		goto close_links;
	remover_watch(&r, true);
	/* One that is never bound is no reason to keep the others. */
	remover_wait(&r, backend_is_settled, deadline_after(PROBE_MS));
	rc = remover_close(&r);
	if (!rc)
		waited = remover_wait(&r, backend_is_gone, deadline_after(timeout_ms));
	remover_watch(&r, false);
	if (!rc)
		rc = remover_forget(&r, types, nr_types);
	if (!rc && wait_loops)
		remover_wait_loops(&r);

close_links:
	if (r.links_fd >= 0)
		close(r.links_fd);
	free(r.items);
	zstore_free_names(types, nr_types);
	return rc ? rc : waited;
}
