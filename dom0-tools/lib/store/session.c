/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request, one answer, with events in between; and what happens when the
 * daemon goes away: connect again, set the watches again, doom the
 * transactions, repeat the request.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "session.h"

#define RECONNECT_STEP_MS 20
#define RECONNECT_STEPS	  500

static int error_from_name(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++) {
		if (!strcmp(xsd_errors[i].errstring, name))
			return -xsd_errors[i].errnum;
	}
	return -EPROTO;
}

/* Takes the body over. */
static int queue_event(struct zstore *store, char *body, size_t len)
{
	const char *token = memchr(body, '\0', len);
	struct queued_event *queued;

	if (!token || (size_t)(token + 1 - body) >= len || body[len - 1]) {
		free(body);
		return -EPROTO;
	}
	queued = calloc(1, sizeof(*queued));
	if (!queued) {
		free(body);
		return -ENOMEM;
	}
	queued->event.path = body;
	queued->event.token = strdup(token + 1);
	if (!queued->event.token) {
		free(body);
		free(queued);
		return -ENOMEM;
	}
	*store->events_tail = queued;
	store->events_tail = &queued->next;
	return 0;
}

/* One exchange on the connection as it is; -EPIPE if it broke. */
static int exchange(struct zstore *store, enum xsd_sockmsg_type type, uint32_t wire_tx,
		    const struct store_part *parts, size_t count, char **body)
{
	struct xsd_sockmsg hdr = {
		.type = type,
		.req_id = store->next_req_id++,
		.tx_id = wire_tx,
	};
	uint32_t req_id = hdr.req_id;
	size_t total = 0;
	char *answer;
	int ret;

	for (size_t i = 0; i < count; i++)
		total += parts[i].len;
	if (total > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	hdr.len = (uint32_t)total;
	ret = transport_send(store->fd, store->is_socket, &hdr, parts, count);
	if (ret)
		return ret;
	for (;;) {
		ret = transport_receive(store->fd, &hdr, &answer);
		if (ret)
			return ret;
		if (hdr.type != XS_WATCH_EVENT)
			break;
		ret = queue_event(store, answer, hdr.len);
		if (ret)
			return ret;
	}
	if (hdr.type == XS_ERROR)
		ret = error_from_name(answer);
	else if (hdr.type != (uint32_t)type)
		ret = -EPROTO;
	/* The kernel's device answers some requests itself, with no number of ours. */
	else if (store->is_socket && hdr.req_id != req_id)
		ret = -EPROTO;
	else
		ret = (int)hdr.len;
	if (ret < 0 || !body)
		free(answer);
	else
		*body = answer;
	return ret;
}

static int restore_watches(struct zstore *store)
{
	for (struct kept_watch *w = store->watches; w; w = w->next) {
		struct store_part parts[] = {
			{w->path, strlen(w->path) + 1},
			{w->token, strlen(w->token) + 1},
		};
		int ret = exchange(store, XS_WATCH, 0, parts, 2, NULL);

		if (ret < 0 && ret != -EEXIST)
			return ret;
	}
	return 0;
}

int session_reconnect(struct zstore *store)
{
	const struct timespec step = {.tv_nsec = RECONNECT_STEP_MS * 1000000l};
	int fd, ret;

	if (!store->reconnects || !store->is_socket)
		return -EPIPE;
	for (struct kept_tx *tx = store->txs; tx; tx = tx->next)
		tx->lost = true;
	for (int i = 0; i < RECONNECT_STEPS; i++) {
		fd = transport_open(store->path, &store->is_socket);
		if (fd >= 0) {
			if (store->fd >= 0)
				close(store->fd);
			store->fd = fd;
			ret = restore_watches(store);
			if (ret != -EPIPE)
				return ret;
		}
		nanosleep(&step, NULL);
	}
	return -EPIPE;
}

struct kept_tx *session_find_tx(struct zstore *store, uint32_t handle)
{
	for (struct kept_tx *tx = store->txs; tx; tx = tx->next) {
		if (tx->handle == handle)
			return tx;
	}
	return NULL;
}

void session_drop_tx(struct zstore *store, uint32_t handle)
{
	for (struct kept_tx **link = &store->txs; *link; link = &(*link)->next) {
		if ((*link)->handle == handle) {
			struct kept_tx *tx = *link;

			*link = tx->next;
			free(tx);
			return;
		}
	}
}

int session_request(struct zstore *store, enum xsd_sockmsg_type type, uint32_t tx,
		    const struct store_part *parts, size_t count, char **body)
{
	struct kept_tx *kept;
	int ret;

	for (;;) {
		uint32_t wire_tx = 0;

		if (tx != ZSTORE_NO_TX) {
			kept = session_find_tx(store, tx);
			if (!kept)
				return -ENOENT;
			if (kept->lost)
				return -EAGAIN;
			wire_tx = kept->wire_id;
		}
		ret = exchange(store, type, wire_tx, parts, count, body);
		if (ret != -EPIPE)
			return ret;
		ret = session_reconnect(store);
		if (ret)
			return ret;
	}
}

int session_receive_event(struct zstore *store)
{
	struct xsd_sockmsg hdr;
	char *body;
	int ret;

	ret = transport_receive(store->fd, &hdr, &body);
	if (ret)
		return ret;
	if (hdr.type != XS_WATCH_EVENT) {
		free(body);
		return -EPROTO;
	}
	return queue_event(store, body, hdr.len);
}
