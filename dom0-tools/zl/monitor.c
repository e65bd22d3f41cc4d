/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the monitor. The store tells with @releaseDomain that some domain has ended, the hypervisor
 * which one and why. It outlives a restart of the store daemon.
 */
#include "zl/monitor.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hyp/domain.h"
#include "store/zstore.h"
#include "zl/create.h"
#include "zl/domains.h"
#include "zl/reason.h"
#include "zl/teardown.h"
#include "zl/zl.h"

enum monitor_event {
	DOMAIN_GONE, /* destroyed, or being destroyed, by somebody else */
	DOMAIN_ENDED,
};

/* Does this process go on watching? */
enum monitor_next {
	MONITOR_STOP,
	MONITOR_GO_ON,
};

struct monitor {
	struct creation *creation;
	struct domain_spec spec; /* a shallow copy: name and UUID change at a restart */
	unsigned int code;	 /* of DOMAIN_ENDED */
	char model_reason[96];	 /* of a device model that ended */
};

__attribute__((format(printf, 1, 2))) static void monitor_log(const char *format, ...)
{
	time_t now = time(NULL);
	char when[32] = "";
	struct tm tm;
	va_list args;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(stderr, "%s ", when);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static int monitor_open_store(struct zl *zl)
{
	int rc = zl->store ? 0 : zstore_open(&zl->store, ZSTORE_RECONNECT);

	if (!rc)
		rc = zstore_watch(zl->store, "@releaseDomain", "monitor");
	return rc == -EEXIST ? 0 : rc;
}

/* The store daemon went away for longer than the library waits: try until it is back. */
static void monitor_reopen_store(struct zl *zl)
{
	monitor_log("lost the store; waiting for it to come back");
	do {
		if (zl->store)
			zstore_close(zl->store);
		zl->store = NULL;
		sleep(1);
	} while (monitor_open_store(zl));
	monitor_log("the store is back");
}

static bool monitor_look(struct monitor *m, enum monitor_event *event)
{
	struct xen_domctl_getdomaininfo info;
	struct creation *c = m->creation;

	if (hyp_domain_get_info(c->zl->hyp, c->record.domid, &info) ||
	    memcmp(info.handle, c->record.uuid, 16) || domain_is_dying(&info)) {
		*event = DOMAIN_GONE;
		return true;
	}
	m->code = domain_shutdown_code(&info);
	*event = DOMAIN_ENDED;
	return domain_is_shutdown(&info) &&
	       lifecycle_decide(&m->spec.actions, m->code) != ACTION_IGNORE;
}

/* 1: the store had something to tell; 0; or -E when it is gone. */
static int monitor_drain_store(struct zl *zl)
{
	struct zstore_event change;
	int rc, any = 0;

	while (!(rc = zstore_next_event(zl->store, 0, &change))) {
		zstore_free_event(&change);
		any = 1;
	}
	return rc == -EAGAIN || rc == -EINTR ? any : rc;
}

/* A guest without its device model is a machine without its board: it ends here. */
static void monitor_end_domain(struct monitor *m)
{
	struct creation *c = m->creation;
	int rc = reason_set(c->zl, c->record.domid, m->model_reason);

	monitor_log("domain %u: %s", c->record.domid, m->model_reason);
	if (!rc)
		rc = hyp_domain_shutdown(c->zl->hyp, c->record.domid, SHUTDOWN_crash);
	if (rc)
		monitor_log("domain %u: ending it: %s", c->record.domid, strerror(-rc));
}

static void monitor_sleep(struct monitor *m)
{
	struct zl *zl = m->creation->zl;
	struct pollfd fds[1 + MODEL_FDS] = {{.fd = zstore_fd(zl->store), .events = POLLIN}};
	int rc, model_fds[MODEL_FDS];

	model_get_fds(&m->creation->model, model_fds);
	for (int i = 0; i < MODEL_FDS; i++)
		fds[1 + i] = (struct pollfd){.fd = model_fds[i], .events = POLLIN};
	/* What came while answers were waited for no longer shows in the descriptor. */
	rc = monitor_drain_store(zl);
	if (!rc && poll(fds, 1 + MODEL_FDS, -1) > 0) {
		if (fds[0].revents)
			rc = monitor_drain_store(zl);
		if ((fds[1].revents || fds[2].revents || fds[3].revents) &&
		    model_serve(&m->creation->model, m->model_reason, sizeof(m->model_reason)))
			monitor_end_domain(m);
	}
	if (rc < 0)
		monitor_reopen_store(zl);
}

static enum monitor_event monitor_wait(struct monitor *m)
{
	enum monitor_event event;

	while (!monitor_look(m, &event))
		monitor_sleep(m);
	return event;
}

static void monitor_record_end(struct monitor *m, const char *reason, char *text,
			       const char *action)
{
	struct ended_domain ended = {
		.name = m->spec.name,
		.domid = m->creation->record.domid,
		.reason = reason,
		.text = text,
		.action = action,
		.time = (int64_t)time(NULL),
	};

	memcpy(ended.uuid, m->creation->record.uuid, sizeof(ended.uuid));
	monitor_log("domain %u ended: %s%s%s%s: %s", ended.domid, reason, text ? " (" : "",
		    text ? text : "", text ? ")" : "", action);
	if (ended_add(ENDED_FILE, &ended))
		monitor_log("%s: cannot be written", ENDED_FILE);
	free(text);
}

/* The domain may have been renamed since: restart it under its present name. */
static void monitor_update_name(struct monitor *m)
{
	char *name = domain_read_name(m->creation->zl, m->creation->record.domid);

	if (name && spec_is_name(name) && strcmp(name, m->spec.name)) {
		free(m->spec.name);
		m->spec.name = name;
		snprintf(m->creation->record.name, sizeof(m->creation->record.name), "%s", name);
		return;
	}
	free(name);
}

static void monitor_teardown(struct monitor *m, bool keep_disks)
{
	struct creation *c = m->creation;
	int rc;

	model_stop(&c->model);
	if (!keep_disks)
		devices_close(&c->devices);
	rc = domain_teardown(c->zl, c->record.domid, c->record.uuid, !keep_disks);
	if (rc)
		monitor_log("domain %u: taking it away: %s", c->record.domid, strerror(-rc));
}

static enum monitor_next monitor_build(struct monitor *m)
{
	struct creation *c = m->creation;
	int rc = creation_build(c);

	if (rc) {
		monitor_log("restart failed: %s", c->error);
		creation_drop_name(c);
		return MONITOR_STOP;
	}
	rc = state_is_stop_requested(c->record.uuid) ? -ECANCELED : creation_finish(c);
	if (!rc)
		rc = hyp_domain_unpause(c->zl->hyp, c->record.domid);
	if (rc) {
		monitor_log("restart failed: %s", strerror(-rc));
		monitor_teardown(m, false);
		creation_drop_name(c);
		return MONITOR_STOP;
	}
	monitor_log("restarted as domain %u", c->record.domid);
	return MONITOR_GO_ON;
}

static enum monitor_next monitor_restart(struct monitor *m)
{
	struct creation *c = m->creation;

	/* The name stays taken while no domain has it. */
	c->record.stage = STATE_BUILDING;
	if (state_write(&c->state, &c->record))
		monitor_log("%s: cannot be written", c->state.path);
	monitor_teardown(m, true);
	c->record.domid = 0;
	return monitor_build(m);
}

/* The first of NAME-1, NAME-2, ... that is free. */
static int monitor_rename_old(struct monitor *m)
{
	struct creation *c = m->creation;
	char name[SPEC_NAME_MAX + 1], path[64], uuid[37];
	int i, rc = -EEXIST;

	for (i = 1; (rc == -EEXIST || rc == -EBUSY) && i < 1000; i++) {
		snprintf(name, sizeof(name), "%.*s-%d", SPEC_NAME_MAX - 4, m->spec.name, i);
		rc = name_check_free(c->zl, name);
	}
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "/local/domain/%u/name", c->record.domid);
	rc = zstore_write_string(c->zl->store, ZSTORE_NO_TX, path, name);
	if (rc)
		return rc;
	uuid_format(c->record.uuid, uuid);
	snprintf(path, sizeof(path), "/vm/%s/name", uuid);
	snprintf(c->record.name, sizeof(c->record.name), "%s", name);
	monitor_log("domain %u is kept as %s", c->record.domid, name);
	return zstore_write_string(c->zl->store, ZSTORE_NO_TX, path, name);
}

static enum monitor_next monitor_preserve(struct monitor *m)
{
	struct creation *c = m->creation;

	/* Nobody would answer for it any more; its disks are wanted by others. */
	model_stop(&c->model);
	c->record.stage = STATE_PRESERVED;
	if (state_write(&c->state, &c->record))
		monitor_log("%s: cannot be written", c->state.path);
	state_release(&c->state);
	return MONITOR_STOP;
}

/* The old domain keeps its memory and UUID, the new one gets the disks and the name. */
static enum monitor_next monitor_rename_restart(struct monitor *m)
{
	struct creation *c = m->creation;
	int rc = monitor_rename_old(m);

	if (rc) {
		monitor_log("cannot rename the old domain: %s; it is kept", strerror(-rc));
		return monitor_preserve(m);
	}
	devices_remove(c->zl->store, c->record.domid, 10000, false);
	monitor_preserve(m);
	rc = uuid_choose(m->spec.uuid);
	if (!rc)
		rc = creation_take_name(c);
	if (rc) {
		monitor_log("restart failed: %s", c->error);
		return MONITOR_STOP;
	}
	return monitor_build(m);
}

static enum monitor_next monitor_act(struct monitor *m)
{
	struct creation *c = m->creation;
	enum lifecycle_action action = lifecycle_decide(&m->spec.actions, m->code);

	/* Somebody is just destroying it: no new life. */
	if (state_is_stop_requested(c->record.uuid))
		action = ACTION_DESTROY;
	monitor_record_end(m, shutdown_code_name(m->code), reason_get(c->zl, c->record.domid),
			   lifecycle_action_name(action));
	monitor_update_name(m);
	switch (action) {
	case ACTION_RESTART:
		return monitor_restart(m);
	case ACTION_RENAME_RESTART:
		return monitor_rename_restart(m);
	case ACTION_PRESERVE:
		return monitor_preserve(m);
	case ACTION_DESTROY:
	case ACTION_IGNORE:
		break;
	}
	monitor_teardown(m, false);
	creation_drop_name(c);
	return MONITOR_STOP;
}

static enum monitor_next monitor_clean_up(struct monitor *m)
{
	struct creation *c = m->creation;

	monitor_record_end(m, "destroyed", reason_get(c->zl, c->record.domid), "destroy");
	monitor_teardown(m, false);
	creation_drop_name(c);
	return MONITOR_STOP;
}

void monitor_run(struct creation *creation)
{
	struct monitor m = {.creation = creation, .spec = *creation->spec};
	const struct domain_spec *original = creation->spec;
	enum monitor_next next = MONITOR_GO_ON;

	m.spec.name = strdup(creation->spec->name);
	if (!m.spec.name)
		return;
	creation->spec = &m.spec;
	monitor_log("watching domain %u, %s", creation->record.domid, m.spec.name);
	if (monitor_open_store(creation->zl))
		monitor_reopen_store(creation->zl);
	while (next == MONITOR_GO_ON)
		next = monitor_wait(&m) == DOMAIN_ENDED ? monitor_act(&m) : monitor_clean_up(&m);
	creation->spec = original;
	free(m.spec.name);
}
