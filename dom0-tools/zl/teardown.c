/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the end of a domain. Each step may have been done before by somebody who was then killed, so
 * each takes "it is not there" for done.
 */
#include "zl/teardown.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device/deadline.h"
#include "device/devices.h"
#include "device/entries.h"
#include "hyp/domain.h"
#include "model/model.h"
#include "store/zstore.h"
#include "zl/domains.h"
#include "zl/spec.h"
#include "zl/state.h"
#include "zl/zl.h"

#define BACKEND_TIMEOUT_MS 10000
#define GONE_TIMEOUT_MS	   10000

/* The last reference to a domain is dropped without an event: look again this often. */
#define GONE_LOOK_MS 20

enum domain_presence {
	PRESENCE_OURS,
	PRESENCE_NONE,
	PRESENCE_OTHER, /* the number belongs to another domain by now */
};

static enum domain_presence domain_presence(struct zl *zl, domid_t domid, const uint8_t uuid[16])
{
	struct xen_domctl_getdomaininfo info;

	if (!domid || hyp_domain_get_info(zl->hyp, domid, &info))
		return PRESENCE_NONE;
	return memcmp(info.handle, uuid, 16) ? PRESENCE_OTHER : PRESENCE_OURS;
}

static int remove_nodes(struct zl *zl, domid_t domid, const uint8_t uuid[16], bool is_number_ours)
{
	struct store_entries list;
	char path[64], text[37];
	int rc;

	entries_init(&list);
	if (is_number_ours) {
		snprintf(path, sizeof(path), "/local/domain/%u", domid);
		entries_remove(&list, path);
		snprintf(path, sizeof(path), "/local/domain/0/device-model/%u", domid);
		entries_remove(&list, path);
		/* Where libxl keeps its own record, for domains that xl made. */
		snprintf(path, sizeof(path), "/libxl/%u", domid);
		entries_remove(&list, path);
	}
	uuid_format(uuid, text);
	snprintf(path, sizeof(path), "/vm/%s", text);
	entries_remove(&list, path);
	rc = entries_write(zl->store, &list);
	entries_fini(&list);
	return rc;
}

static int wait_until_gone(struct zl *zl, domid_t domid, const uint8_t uuid[16])
{
	int64_t deadline = deadline_after(GONE_TIMEOUT_MS);
	struct zstore_event event;

	while (domain_presence(zl, domid, uuid) == PRESENCE_OURS) {
		if (!deadline_left(deadline))
			return -ETIMEDOUT;
		if (!zstore_next_event(zl->store, GONE_LOOK_MS, &event))
			zstore_free_event(&event);
	}
	return 0;
}

int domain_teardown(struct zl *zl, domid_t domid, const uint8_t uuid[16], bool wait_loops)
{
	enum domain_presence presence = domain_presence(zl, domid, uuid);
	bool is_number_ours = domid && presence != PRESENCE_OTHER;
	int rc, late = 0;

	/* It holds the domain's memory, which is not free before it lets go. */
	if (is_number_ours)
		model_kill(domid);
	if (presence == PRESENCE_OURS) {
		rc = hyp_domain_destroy(zl->hyp, domid);
		if (rc && rc != -ESRCH)
			return rc;
	}
	if (is_number_ours) {
		/* A back end that does not answer is no reason to keep the nodes. */
		late = devices_remove(zl->store, domid, BACKEND_TIMEOUT_MS, wait_loops);
		if (late && late != -ETIMEDOUT)
			return late;
	}
	rc = remove_nodes(zl, domid, uuid, is_number_ours);
	if (rc)
		return rc;
	if (is_number_ours)
		zstore_release(zl->store, domid);
	rc = wait_until_gone(zl, domid, uuid);
	return rc ? rc : late;
}

struct sweep {
	struct zl *zl;
	const char *name; /* what the caller asks about, or NULL */
	bool has_found;
};

static int sweep_record(void *arg, const struct state_record *seen, bool is_owned)
{
	struct state_record record;
	struct state_file file;
	struct sweep *sweep = arg;
	struct zl *zl = sweep->zl;
	domid_t domid = seen->domid;
	bool is_there;
	int rc;

	if (is_owned)
		return 0;
	rc = domains_find_uuid(zl, seen->uuid, &domid);
	is_there = !rc;
	if (rc && rc != -ENOENT)
		return rc;
	if (is_there && seen->stage != STATE_BUILDING)
		return 0;
	if (state_adopt(seen->uuid, 0, &file, &record))
		return 0;
	rc = domain_teardown(zl, domid, record.uuid, true);
	if (rc && rc != -ETIMEDOUT) {
		state_release(&file);
		return rc;
	}
	state_remove(&file);
	sweep->has_found |= sweep->name && !strcmp(sweep->name, record.name);
	return 0;
}

int sweep_orphans(struct zl *zl, const char *name)
{
	struct sweep sweep = {.zl = zl, .name = name};
	int rc = state_visit(sweep_record, &sweep);

	return rc ? rc : sweep.has_found;
}
