/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The main loop.  Clients with work stand in a line; each in turn has one
 * request handled and its output moved, and goes to the end of the line if
 * there is more.  No client is ever waited for.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/log.h"

#include "conn.h"
#include "domain.h"
#include "journal.h"
#include "server.h"

/* How long a held client's turn is put off before it is looked at again. */
#define HELD_POLL_MS 5
#define EVENTS_MAX   64

static uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void client_activate(struct server *server, struct client *client)
{
	if (list_is_empty(&client->active_link))
		list_add_tail(&server->active, &client->active_link);
}

static void kick(struct store *store, struct conn *conn)
{
	if (conn->io)
		client_activate(store->ops_data, conn->io);
}

static void print(struct store *store, const char *message)
{
	(void)store;
	log_info("%s", message);
}

const struct store_ops server_ops = {
	.attach = xen_attach,
	.detach = xen_detach,
	.kick = kick,
	.log = print,
};

int server_init(struct server *server)
{
	int ret;

	*server = (struct server){
		.epoll_fd = -1,
		.listen_fd = -1,
		.virq_port = -1,
	};
	list_init(&server->clients);
	list_init(&server->active);
	ret = store_init(&server->store, &server_ops, server);
	if (ret)
		return ret;
	server->store.now_ms = clock_ms();
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0) {
		ret = -errno;
		store_fini(&server->store);
		return ret;
	}
	return 0;
}

static bool client_serve(struct server *server, struct client *client)
{
	return client->fd >= 0 ? socket_serve(server, client) : xen_serve(server, client);
}

/* One turn for everyone who was in line. */
static void serve_active(struct server *server)
{
	unsigned int turns = 0;
	struct client *client;

	list_for_each_entry(client, &server->active, active_link)
		turns++;
	while (turns-- && !list_is_empty(&server->active)) {
		client = list_entry(server->active.next, struct client, active_link);
		list_del(&client->active_link);
		/* A client that ends is freed, and then has nothing more to do. */
		if (client_serve(server, client))
			client_activate(server, client);
	}
}

/* How long to wait for events: not at all while somebody can be served. */
static int choose_timeout(struct server *server)
{
	struct client *client;

	if (list_is_empty(&server->active))
		return -1;
	list_for_each_entry(client, &server->active, active_link) {
		if (client->conn->held_until_ms <= server->store.now_ms)
			return 0;
	}
	return HELD_POLL_MS;
}

static void handle_event(struct server *server, const struct epoll_event *event)
{
	struct client *client = event->data.ptr;

	if (event->data.ptr == SERVER_EVENT_LISTEN) {
		socket_accept(server);
	} else if (event->data.ptr == SERVER_EVENT_EVTCHN) {
		xen_handle_events(server);
	} else {
		client->is_readable |= !!(event->events & (EPOLLIN | EPOLLHUP | EPOLLERR));
		client->is_writable |= !!(event->events & EPOLLOUT);
		client_activate(server, client);
	}
}

int server_run(struct server *server)
{
	struct epoll_event events[EVENTS_MAX];
	int count;

	while (!daemon_must_stop) {
		count = epoll_wait(server->epoll_fd, events, EVENTS_MAX, choose_timeout(server));
		if (count < 0 && errno != EINTR)
			return -errno;
		if (daemon_must_reopen) {
			daemon_must_reopen = 0;
			log_reopen();
		}
		server->store.now_ms = clock_ms();
		for (int i = 0; i < count; i++)
			handle_event(server, &events[i]);
		serve_active(server);
	}
	return 0;
}

void server_fini(struct server *server)
{
	struct client *client, *tmp;
	struct domain *domain, *next;

	xen_stop(server);
	list_for_each_entry_safe(client, tmp, &server->clients, link)
		socket_close(server, client);
	/* The journal keeps them for the next daemon: only memory is let go. */
	journal_stop(&server->store);
	list_for_each_entry_safe(domain, next, &server->store.domains, link)
		domain_release(domain, false);
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	close(server->epoll_fd);
	store_fini(&server->store);
}
