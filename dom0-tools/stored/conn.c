/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections: see conn.h.  The output queue is bounded: requests wait while
 * too many answers do, and events beyond their limit are merged into one per
 * watch, delivered when there is room again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "journal.h"
#include "transaction.h"
#include "watch.h"

#define PRIVILEGED_EVENTS 65536
#define HOLD_MIN_MS	  5u
#define HOLD_MAX_MS	  320u
#define HOLD_FORGET_MS	  2000u

struct conn *conn_create(struct store *store, uint16_t domid, bool is_ring)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->store = store;
	conn->actor.domid = domid;
	conn->is_ring = is_ring;
	list_init(&conn->watches);
	list_init(&conn->txs);
	conn->out_tail = &conn->out;
	list_add_tail(&store->conns, &conn->link);
	return conn;
}

void conn_drop_output(struct conn *conn)
{
	while (conn->out) {
		struct message *message = conn->out;

		conn->out = message->next;
		free(message);
	}
	conn->out_tail = &conn->out;
	conn->nr_replies = conn->nr_events = 0;
}

void conn_reset(struct conn *conn)
{
	watch_remove_all(conn);
	tx_end_all(conn);
	conn_drop_output(conn);
	conn->in_used = 0;
	conn->is_begun = false;
}

void conn_destroy(struct conn *conn)
{
	conn_reset(conn);
	list_del(&conn->link);
	free(conn);
}

uint32_t conn_input_wanted(const struct conn *conn)
{
	struct xsd_sockmsg hdr;

	if (conn->in_used < sizeof(hdr))
		return (uint32_t)sizeof(hdr) - conn->in_used;
	memcpy(&hdr, conn->in, sizeof(hdr));
	return (uint32_t)sizeof(hdr) + hdr.len - conn->in_used;
}

bool conn_input_is_bad(const struct conn *conn)
{
	struct xsd_sockmsg hdr;

	if (conn->in_used < sizeof(hdr))
		return false;
	memcpy(&hdr, conn->in, sizeof(hdr));
	return hdr.len > XENSTORE_PAYLOAD_MAX;
}

bool conn_is_ready(const struct conn *conn)
{
	if (conn->is_broken || conn->held_until_ms > conn->store->now_ms)
		return false;
	return conn->nr_replies < (unsigned long)conn->store->quota.limit[QUOTA_OUTSTANDING];
}

void conn_hold(struct conn *conn)
{
	uint64_t now = conn->store->now_ms;

	if (now - conn->last_hold_ms > HOLD_FORGET_MS)
		conn->hold_ms = 0;
	conn->hold_ms = conn->hold_ms ? conn->hold_ms * 2 : HOLD_MIN_MS;
	if (conn->hold_ms > HOLD_MAX_MS)
		conn->hold_ms = HOLD_MAX_MS;
	conn->last_hold_ms = now;
	conn->held_until_ms = now + conn->hold_ms;
}

static void append(struct conn *conn, struct message *message)
{
	*conn->out_tail = message;
	conn->out_tail = &message->next;
	if (message->is_event)
		conn->nr_events++;
	else
		conn->nr_replies++;
}

void conn_queue(struct conn *conn, uint32_t type, uint32_t req_id, uint32_t tx_id, const void *data,
		size_t len)
{
	struct xsd_sockmsg hdr = {type, req_id, tx_id, (uint32_t)len};
	struct message *message = malloc(sizeof(*message) + sizeof(hdr) + len);

	if (!message) {
		conn->is_broken = true;
		return;
	}
	message->next = NULL;
	message->sent = 0;
	message->len = (uint32_t)(sizeof(hdr) + len);
	message->is_event = type == XS_WATCH_EVENT;
	memcpy(message->data, &hdr, sizeof(hdr));
	if (len)
		memcpy(message->data + sizeof(hdr), data, len);
	append(conn, message);
	if (conn->is_ring)
		journal_output(conn->store->journal, conn->actor.domid, message->data,
			       message->len);
	if (conn->store->ops && conn->store->ops->kick)
		conn->store->ops->kick(conn->store, conn);
}

static bool is_waiting(const struct conn *conn, const char *payload, size_t len)
{
	for (const struct message *m = conn->out; m; m = m->next) {
		if (m->is_event && !m->sent && m->len == sizeof(struct xsd_sockmsg) + len &&
		    !memcmp(m->data + sizeof(struct xsd_sockmsg), payload, len))
			return true;
	}
	return false;
}

static unsigned int event_limit(const struct conn *conn)
{
	if (actor_is_privileged(&conn->actor))
		return PRIVILEGED_EVENTS;
	return (unsigned int)conn->store->quota.limit[QUOTA_EVENTS];
}

void conn_queue_event(struct conn *conn, struct watch *watch, const char *path)
{
	char payload[XENSTORE_PAYLOAD_MAX];
	size_t path_size = strlen(path) + 1, token_size = strlen(watch->token) + 1;

	/* Cannot be: a watch is only accepted if its longest event fits. */
	if (path_size + token_size > sizeof(payload))
		return;
	memcpy(payload, path, path_size);
	memcpy(payload + path_size, watch->token, token_size);
	if (!actor_is_privileged(&conn->actor) && is_waiting(conn, payload, path_size + token_size))
		return;
	if (conn->nr_events >= event_limit(conn)) {
		conn->nr_merged += !watch->is_merged;
		watch->is_merged = true;
		return;
	}
	conn_queue(conn, XS_WATCH_EVENT, 0, 0, payload, path_size + token_size);
}

/* Watches that lost events get one for their own path, now that there is room. */
static void queue_merged_events(struct conn *conn)
{
	struct watch *watch, *tmp;

	list_for_each_entry_safe(watch, tmp, &conn->watches, conn_link) {
		if (!conn->nr_merged || conn->nr_events >= event_limit(conn))
			return;
		if (!watch->is_merged)
			continue;
		watch->is_merged = false;
		conn->nr_merged--;
		conn_queue_event(conn, watch, watch_event_path(watch, watch->path));
	}
}

void conn_output_taken(struct conn *conn, uint32_t count)
{
	conn->out_pos += count;
	while (count) {
		struct message *message = conn->out;
		uint32_t part = message->len - message->sent;

		if (part > count)
			part = count;
		message->sent += part;
		count -= part;
		if (message->sent < message->len)
			break;
		conn->out = message->next;
		if (!conn->out)
			conn->out_tail = &conn->out;
		if (message->is_event)
			conn->nr_events--;
		else
			conn->nr_replies--;
		free(message);
	}
	if (conn->nr_merged && conn->nr_events < event_limit(conn) / 2)
		queue_merged_events(conn);
}

int conn_output_catch_up(struct conn *conn, uint32_t out_pos)
{
	uint32_t count = out_pos - conn->out_pos;
	uint64_t queued = 0;

	for (const struct message *m = conn->out; m; m = m->next)
		queued += m->len - m->sent;
	if (count > queued)
		return -EINVAL;
	conn_output_taken(conn, count);
	return 0;
}

void conn_restore_merged(struct conn *conn)
{
	struct watch *watch;

	if (conn->nr_events < event_limit(conn))
		return;
	list_for_each_entry(watch, &conn->watches, conn_link)
		watch->is_merged = true;
	conn->nr_merged = conn->nr_watches;
}

int conn_restore_output(struct conn *conn, const void *data, size_t len)
{
	struct message *message = malloc(sizeof(*message) + len);
	struct xsd_sockmsg hdr;

	if (!message)
		return -ENOMEM;
	message->next = NULL;
	message->sent = 0;
	message->len = (uint32_t)len;
	memcpy(message->data, data, len);
	message->is_event = false;
	if (len >= sizeof(hdr)) {
		memcpy(&hdr, data, sizeof(hdr));
		message->is_event = hdr.type == XS_WATCH_EVENT && len == sizeof(hdr) + hdr.len;
	}
	append(conn, message);
	return 0;
}
