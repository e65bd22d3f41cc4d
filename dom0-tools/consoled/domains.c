/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which consoles there should be: the hypervisor's list of domains, and what
 * the store says of each one's console.  Looked at again whenever the store
 * reports a change, and after a restart of the store's daemon or of this one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "hyp/domain.h"
#include "hyp/hyp.h"
#include "store/zstore.h"

#include "server.h"

#define STORE_RETRY_MS	250
#define CONNECT_TRIES	20
#define CONNECT_STEP_MS 100
#define LIST_CHUNK	64
#define NAME_MAX_LEN	64
/* How long a client may take to read the last words of a domain. */
#define LINGER_MS 1500
#define SETTLE_MS 200

static void store_lost(struct server *server)
{
	if (!server->store)
		return;
	log_info("the store's daemon went away");
	zstore_close(server->store);
	server->store = NULL;
	server->next_store_ms = server->now_ms + STORE_RETRY_MS;
}

/* Passes a result on; a broken connection is noted. */
static int checked(struct server *server, int ret)
{
	if (ret == -EPIPE || ret == -EPROTO)
		store_lost(server);
	return ret;
}

int domains_open_store(struct server *server)
{
	int ret = zstore_open(&server->store, 0);

	server->next_store_ms = server->now_ms + STORE_RETRY_MS;
	if (ret) {
		server->store = NULL;
		return ret;
	}
	ret = checked(server, zstore_watch(server->store, "@introduceDomain", "domains"));
	if (!ret)
		ret = checked(server, zstore_watch(server->store, "@releaseDomain", "domains"));
	if (ret && server->store) {
		zstore_close(server->store);
		server->store = NULL;
	}
	for (struct console *c = server->consoles; !ret && c; c = c->next) {
		char path[64], token[16];

		snprintf(path, sizeof(path), "/local/domain/%u/console", c->domid);
		snprintf(token, sizeof(token), "%u", c->domid);
		ret = checked(server, zstore_watch(server->store, path, token));
	}
	return ret;
}

static int read_number(struct server *server, uint16_t domid, const char *key, long long *number)
{
	char path[96];

	if (!server->store)
		return -EPIPE;
	snprintf(path, sizeof(path), "/local/domain/%u/console/%s", domid, key);
	return checked(server, zstore_read_number(server->store, ZSTORE_NO_TX, path, number));
}

/* Whether the toolstack meant the console for this daemon, and with a pty. */
static bool is_ours(struct server *server, uint16_t domid)
{
	static const struct {
		const char *key, *wanted;
	} checks[] = {
		{"type", "xenconsoled"},
		{"output", "pty"},
	};
	char path[96], *value;
	bool is_wanted;

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]) && server->store; i++) {
		snprintf(path, sizeof(path), "/local/domain/%u/console/%s", domid, checks[i].key);
		if (checked(server, zstore_read(server->store, ZSTORE_NO_TX, path, &value, NULL)))
			continue;
		is_wanted = !strcmp(value, checks[i].wanted);
		free(value);
		if (!is_wanted)
			return false;
	}
	return server->store;
}

/* Writes the terminal's name, unless the domain's entry was removed meanwhile. */
static int write_tty(struct server *server, struct console *console)
{
	char path[64], *port;
	uint32_t tx;
	int ret;

	ret = zstore_begin(server->store, &tx);
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "/local/domain/%u/console/port", console->domid);
	ret = zstore_read(server->store, tx, path, &port, NULL);
	if (!ret) {
		free(port);
		snprintf(path, sizeof(path), "/local/domain/%u/console/tty", console->domid);
		ret = zstore_write_string(server->store, tx, path, console->tty.name);
	}
	if (!ret)
		return zstore_commit(server->store, tx);
	if (ret != -EPIPE)
		zstore_abort(server->store, tx);
	return ret;
}

/* The terminal's name where clients look for it. */
static void publish_tty(struct server *server, struct console *console)
{
	int ret;

	do {
		ret = server->store ? checked(server, write_tty(server, console)) : -EPIPE;
	} while (ret == -EAGAIN);
	if (ret && ret != -EPIPE && ret != -ENOENT)
		log_error("domain %u: console/tty: %s", console->domid, strerror(-ret));
}

/* Connects a console as soon as the store says where its page and channel are. */
static void connect_console(struct server *server, struct console *console)
{
	long long gfn, port;
	int ret;

	if (console->is_ending || !server->store)
		return;
	if (read_number(server, console->domid, "port", &port) || port <= 0 || port > UINT32_MAX ||
	    !is_ours(server, console->domid))
		return;
	/* Where the page is granted, its frame need not be known. */
	if (read_number(server, console->domid, "ring-ref", &gfn))
		gfn = 0;
	if (console->page) {
		if (console->remote_port == (uint32_t)port)
			return;
		xen_disconnect(server, console);
	}
	ret = xen_connect(server, console, (uint64_t)gfn, (uint32_t)port);
	if (ret && ++console->failures < CONNECT_TRIES) {
		/* A killed predecessor may hold the channel a moment longer. */
		server->next_connect_ms = server->now_ms + CONNECT_STEP_MS;
		return;
	}
	if (ret) {
		log_error("domain %u: console: %s", console->domid, strerror(-ret));
		return;
	}
	console->failures = 0;
	log_info("domain %u: console on %s", console->domid, console->tty.name);
	publish_tty(server, console);
}

void domains_connect(struct server *server)
{
	server->next_connect_ms = UINT64_MAX;
	for (struct console *c = server->consoles; c; c = c->next) {
		if (!c->page)
			connect_console(server, c);
	}
}

/* A name fit to be a file's, whatever the store holds. */
static void read_name(struct server *server, uint16_t domid, char *name, size_t size)
{
	char path[64], *value;

	snprintf(name, size, "domain-%u", domid);
	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	if (!server->store ||
	    checked(server, zstore_read(server->store, ZSTORE_NO_TX, path, &value, NULL)))
		return;
	if (value[0] && value[0] != '.' && strlen(value) < size) {
		snprintf(name, size, "%s", value);
		for (char *c = name; *c; c++) {
			if ((unsigned char)*c <= ' ' || *c == '/' || *c == 127)
				*c = '_';
		}
	}
	free(value);
}

static void add_console(struct server *server, const struct xen_domctl_getdomaininfo *info)
{
	char name[NAME_MAX_LEN], log[4096], link[4096], path[64], token[16];
	struct console *console = malloc(sizeof(*console));
	uint16_t domid = info->domain;
	int ret;

	if (!console)
		return;
	read_name(server, domid, name, sizeof(name));
	if (server->log_dir)
		snprintf(log, sizeof(log), "%s/console/%s.log", server->log_dir, name);
	snprintf(link, sizeof(link), "%s/domain-%u", server->state_dir, domid);
	ret = console_init(console, domid, &server->limits, server->log_dir ? log : NULL, link);
	if (ret) {
		log_error("domain %u: no terminal: %s", domid, strerror(-ret));
		free(console);
		return;
	}
	memcpy(console->handle, info->handle, sizeof(console->handle));
	console->next = server->consoles;
	server->consoles = console;
	snprintf(path, sizeof(path), "/local/domain/%u/console", domid);
	snprintf(token, sizeof(token), "%u", domid);
	if (server->store)
		checked(server, zstore_watch(server->store, path, token));
	connect_console(server, console);
}

void domains_remove(struct server *server, struct console *console)
{
	struct console **link = &server->consoles;

	while (*link != console)
		link = &(*link)->next;
	*link = console->next;
	xen_disconnect(server, console);
	console_fini(console);
	free(console);
}

/* The domain is gone: its last words are saved, its page let go at once. */
static void end_console(struct server *server, struct console *console)
{
	char path[64], token[16];

	if (console->is_ending)
		return;
	log_info("domain %u: console ends", console->domid);
	if (console->page)
		console_drain(console);
	xen_disconnect(server, console);
	console->is_ending = true;
	console->read_ms = server->now_ms + SETTLE_MS;
	console->end_ms = server->now_ms + LINGER_MS;
	snprintf(path, sizeof(path), "/local/domain/%u/console", console->domid);
	snprintf(token, sizeof(token), "%u", console->domid);
	if (server->store)
		checked(server, zstore_unwatch(server->store, path, token));
}

static struct console *find_console(struct server *server, unsigned int domid)
{
	for (struct console *c = server->consoles; c; c = c->next) {
		if (c->domid == domid && !c->is_ending)
			return c;
	}
	return NULL;
}

static void end_missing(struct server *server)
{
	struct xen_domctl_getdomaininfo info;
	int ret;

	for (struct console *c = server->consoles; c; c = c->next) {
		ret = hyp_domain_get_info(server->hyp, c->domid, &info);
		if (ret == -ESRCH || (!ret && (info.flags & XEN_DOMINF_dying)) ||
		    (!ret && memcmp(info.handle, c->handle, sizeof(c->handle))))
			end_console(server, c);
	}
}

void domains_scan(struct server *server)
{
	struct xen_domctl_getdomaininfo list[LIST_CHUNK];
	domid_t first = 1;
	int count;

	end_missing(server);
	do {
		count = hyp_domain_list(server->hyp, first, list, LIST_CHUNK);
		for (int i = 0; i < count; i++) {
			if (!(list[i].flags & XEN_DOMINF_dying) &&
			    !find_console(server, list[i].domain))
				add_console(server, &list[i]);
		}
		if (count > 0)
			first = (domid_t)(list[count - 1].domain + 1);
	} while (count == LIST_CHUNK);
}

void domains_handle_events(struct server *server)
{
	struct zstore_event event;
	struct console *console;
	bool scan = false;
	int ret;

	while (server->store) {
		ret = zstore_next_event(server->store, 0, &event);
		if (ret == -EAGAIN)
			break;
		if (ret) {
			store_lost(server);
			break;
		}
		if (!strcmp(event.token, "domains")) {
			scan = true;
		} else {
			console = find_console(server, (unsigned int)atoi(event.token));
			if (console)
				connect_console(server, console);
		}
		zstore_free_event(&event);
	}
	if (scan)
		domains_scan(server);
}
