/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon around the consoles: which domains there are, the store, the
 * hypervisor's own log, and whose turn it is.
 */
#ifndef ZCONSOLED_SERVER_H
#define ZCONSOLED_SERVER_H

#include "console.h"

struct hyp;
struct zevtchn;
struct zgntdev;
struct zstore;

struct hyplog {
	struct logfile file;
	int index_fd; /* where the position outlives the daemon */
	uint32_t index;
};

struct server {
	struct console_limits limits;
	const char *log_dir;   /* NULL: no logs */
	const char *state_dir; /* links to terminals */
	struct console *consoles;
	struct hyp *hyp;
	struct zevtchn *evtchn;
	struct zgntdev *gntdev;
	struct zstore *store; /* NULL while its daemon is away */
	int virq_port;
	struct hyplog hyplog;
	uint64_t now_ms;
	uint64_t next_store_ms;	  /* when to try the store again */
	uint64_t next_connect_ms; /* when to try consoles again, UINT64_MAX: never */
	uint64_t next_hyplog_ms;  /* when to look without having been told */
};

int server_init(struct server *server);
int server_run(struct server *server);
void server_fini(struct server *server);

/* domains.c: the consoles there should be */
int domains_open_store(struct server *server);
void domains_handle_events(struct server *server);
/* Compares with the hypervisor's list. */
void domains_scan(struct server *server);
/* Tries again what could not be connected. */
void domains_connect(struct server *server);
void domains_remove(struct server *server, struct console *console);

/* xen.c: one console's page and channel */
int xen_connect(struct server *server, struct console *console, uint64_t gfn, uint32_t port);
void xen_disconnect(struct server *server, struct console *console);
void xen_notify(struct server *server, struct console *console);
/* Lets the guest's next event through. */
void xen_unmask(struct server *server, struct console *console);

/* hyplog.c: the hypervisor's console */
void hyplog_open(struct hyplog *log, const char *log_dir, const char *state_dir, uint64_t limit);
void hyplog_close(struct hyplog *log);
/* Appends what is new. */
void hyplog_read(struct hyplog *log, struct hyp *hyp);

#endif
