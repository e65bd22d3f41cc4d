/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients on the Unix socket.  They act for domain 0, so only root may connect.
 * Descriptors are edge-triggered: a client remembers that it was readable or
 * writable until the kernel says otherwise.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/log.h"

#include "conn.h"
#include "request.h"
#include "server.h"

#define SOCKETS_MAX 4096u

int socket_listen(struct server *server, const char *path)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = SERVER_EVENT_LISTEN};
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Left by a daemon that was killed; the lock says that none is running. */
	unlink(path);
	mask = umask(077);
	ret = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (ret < 0 || listen(fd, 128) < 0 ||
	    epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	server->listen_fd = fd;
	server->socket_path = path;
	return 0;
}

static bool peer_is_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static int socket_open(struct server *server, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
	struct client *client;
	int ret = -ENOMEM;

	if (server->nr_sockets >= SOCKETS_MAX || !peer_is_allowed(fd))
		return -EPERM;
	client = calloc(1, sizeof(*client));
	if (!client)
		return ret;
	client->conn = conn_create(&server->store, 0, false);
	if (!client->conn)
		goto free_client;
	event.data.ptr = client;
	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		ret = -errno;
		goto destroy_conn;
	}
	client->fd = fd;
	client->conn->io = client;
	list_init(&client->active_link);
	list_add_tail(&server->clients, &client->link);
	server->nr_sockets++;
	return 0;

destroy_conn:
	conn_destroy(client->conn);
free_client:
	free(client);
	return ret;
}

void socket_accept(struct server *server)
{
	int fd, ret;

	for (;;) {
		fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		ret = socket_open(server, fd);
		if (ret) {
			log_error("client refused: %s", strerror(-ret));
			close(fd);
		}
	}
}

void socket_close(struct server *server, struct client *client)
{
	list_del(&client->link);
	list_del(&client->active_link);
	close(client->fd);
	client->conn->io = NULL;
	conn_destroy(client->conn);
	server->nr_sockets--;
	free(client);
}

/* Returns -EPIPE when the client is gone. */
static int flush_output(struct client *client)
{
	struct conn *conn = client->conn;

	while (conn->out && client->is_writable) {
		const struct message *message = conn->out;
		ssize_t n = send(client->fd, message->data + message->sent,
				 message->len - message->sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -EPIPE;
		if (n < 0)
			client->is_writable = false;
		else
			conn_output_taken(conn, (uint32_t)n);
	}
	return 0;
}

/* Gathers one request; 1 when it is complete. */
static int gather_input(struct client *client)
{
	struct conn *conn = client->conn;
	uint32_t wanted;

	while ((wanted = conn_input_wanted(conn))) {
		ssize_t n = recv(client->fd, conn->in + conn->in_used, wanted, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			client->is_readable = false;
			return 0;
		}
		if (n <= 0)
			return -EPIPE;
		conn->in_used += (uint32_t)n;
		if (conn_input_is_bad(conn))
			return -EPROTO;
	}
	return 1;
}

bool socket_serve(struct server *server, struct client *client)
{
	struct conn *conn = client->conn;
	int ret = flush_output(client);

	if (!ret && client->is_readable && conn_is_ready(conn)) {
		ret = gather_input(client);
		if (ret > 0) {
			request_process(conn);
			ret = flush_output(client);
		}
	}
	if (ret == -EPROTO)
		log_error("client dropped: a request longer than the protocol allows");
	if (ret < 0 || conn->is_broken) {
		socket_close(server, client);
		return false;
	}
	return (client->is_readable && conn_is_ready(conn)) || (conn->out && client->is_writable);
}
