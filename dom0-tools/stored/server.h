/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon around the store: clients, whose bytes come from sockets or rings,
 * served in turn, one request each.
 */
#ifndef ZSTORED_SERVER_H
#define ZSTORED_SERVER_H

#include "store.h"

struct zevtchn;
struct zgntdev;
struct hyp;

/* One client; either a socket, or the ring of a domain. */
struct client {
	struct list link;	 /* in server->clients */
	struct list active_link; /* in server->active, when there is work */
	struct conn *conn;
	/* sockets */
	int fd;
	bool is_readable;
	bool is_writable;
	/* rings */
	struct domain *domain;
	struct xenstore_domain_interface *page;
	int port; /* this end of the channel */
	bool is_granted;
	bool is_failed; /* until the domain reconnects */
};

struct server {
	struct store store;
	struct list clients;
	struct list active;
	unsigned int nr_sockets;
	int epoll_fd;
	int listen_fd;
	const char *socket_path;
	/* absent without domains */
	struct hyp *hyp;
	struct zevtchn *evtchn;
	struct zgntdev *gntdev;
	int virq_port;
	/* while the rings of a former daemon are taken over */
	bool is_restoring;
	unsigned int bind_retries; /* left for all of them together */
};

/* What epoll reports a descriptor as. */
#define SERVER_EVENT_LISTEN ((void *)0)
#define SERVER_EVENT_EVTCHN ((void *)1)

extern const struct store_ops server_ops;

int server_init(struct server *server);
/* Until a signal ends it. */
int server_run(struct server *server);
void server_fini(struct server *server);
void client_activate(struct server *server, struct client *client);

/* socket.c */
int socket_listen(struct server *server, const char *path);
void socket_accept(struct server *server);
/* Returns whether there is more to do now; frees the client when it is gone. */
bool socket_serve(struct server *server, struct client *client);
void socket_close(struct server *server, struct client *client);

/* xen.c */
/* Opens the devices, takes over dom0's own ring and those the journal knows. */
int xen_start(struct server *server);
void xen_stop(struct server *server);
void xen_handle_events(struct server *server);
bool xen_serve(struct server *server, struct client *client);
int xen_attach(struct store *store, struct domain *domain);
void xen_detach(struct store *store, struct domain *domain);

#endif
