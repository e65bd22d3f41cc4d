/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Byte streams through the shared page: see ring.h, and xen/io/xs_wire.h for
 * its layout.  Order matters twice: for the domain (data before positions), and
 * for a successor of this process (journal before positions).
 */
#include <errno.h>
#include <string.h>

#include "conn.h"
#include "journal.h"
#include "request.h"
#include "ring.h"

static uint32_t load(const uint32_t *field)
{
	return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static void publish(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
}

static void announce_features(struct xenstore_domain_interface *page)
{
	publish(&page->server_features,
		XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
}

void ring_begin(struct xenstore_domain_interface *page, struct conn *conn)
{
	conn->in_pos = load(&page->req_cons);
	conn->out_pos = load(&page->rsp_prod);
	conn->is_begun = true;
	publish(&page->error, XENSTORE_ERROR_NONE);
	announce_features(page);
}

int ring_adopt(struct xenstore_domain_interface *page, struct conn *conn)
{
	if (conn_output_catch_up(conn, load(&page->rsp_prod)))
		return -EPROTO;
	publish(&page->req_cons, conn->in_pos);
	conn->is_begun = true;
	announce_features(page);
	return 0;
}

/* Copies up to len bytes out of the ring of requests. */
static void copy_in(const struct xenstore_domain_interface *page, uint32_t pos, char *to,
		    uint32_t len)
{
	uint32_t at = MASK_XENSTORE_IDX(pos), part = XENSTORE_RING_SIZE - at;

	if (part > len)
		part = len;
	memcpy(to, page->req + at, part);
	memcpy(to + part, page->req, len - part);
}

static void copy_out(struct xenstore_domain_interface *page, uint32_t pos, const char *from,
		     uint32_t len)
{
	uint32_t at = MASK_XENSTORE_IDX(pos), part = XENSTORE_RING_SIZE - at;

	if (part > len)
		part = len;
	memcpy(page->rsp + at, from, part);
	memcpy(page->rsp, from + part, len - part);
}

/* Moves what is there, as far as it is wanted; returns the bytes moved or -XENSTORE_ERROR_. */
static int gather(struct xenstore_domain_interface *page, struct conn *conn)
{
	uint32_t available = load(&page->req_prod) - conn->in_pos, moved = 0, part;

	if (available > XENSTORE_RING_SIZE)
		return -XENSTORE_ERROR_RINGIDX;
	while (available && (part = conn_input_wanted(conn))) {
		if (part > available)
			part = available;
		copy_in(page, conn->in_pos, conn->in + conn->in_used, part);
		conn->in_used += part;
		conn->in_pos += part;
		available -= part;
		moved += part;
		if (conn_input_is_bad(conn))
			return -XENSTORE_ERROR_PROTO;
	}
	return (int)moved;
}

int ring_pull(struct xenstore_domain_interface *page, struct conn *conn, bool *moved)
{
	struct journal *journal = conn->store->journal;
	int bytes, is_complete;

	*moved = false;
	bytes = gather(page, conn);
	if (bytes < 0)
		return bytes;
	is_complete = !conn_input_wanted(conn);
	if (!is_complete && !bytes)
		return 0;
	if (is_complete) {
		request_process(conn);
	} else {
		journal_input(journal, conn->actor.domid, conn->in_pos,
			      conn->in + conn->in_used - bytes, (size_t)bytes);
		journal_commit(journal);
	}
	/* Only now may the domain, or a restarted daemon, take them for taken. */
	publish(&page->req_cons, conn->in_pos);
	*moved = true;
	return is_complete;
}

int ring_push(struct xenstore_domain_interface *page, struct conn *conn)
{
	int pushed = 0;

	while (conn->out) {
		const struct message *message = conn->out;
		uint32_t unread = conn->out_pos - load(&page->rsp_cons);
		uint32_t part = message->len - message->sent;

		if (unread > XENSTORE_RING_SIZE)
			return -XENSTORE_ERROR_RINGIDX;
		if (part > XENSTORE_RING_SIZE - unread)
			part = XENSTORE_RING_SIZE - unread;
		if (!part)
			break;
		copy_out(page, conn->out_pos, message->data + message->sent, part);
		publish(&page->rsp_prod, conn->out_pos + part);
		conn_output_taken(conn, part);
		/* Room may have let merged events in: written down before they go out. */
		journal_commit(conn->store->journal);
		pushed = 1;
	}
	return pushed;
}

bool ring_has_input(const struct xenstore_domain_interface *page, const struct conn *conn)
{
	return load(&page->req_prod) != conn->in_pos;
}

void ring_fail(struct xenstore_domain_interface *page, uint32_t error)
{
	publish(&page->error, error);
}

bool ring_wants_reconnect(const struct xenstore_domain_interface *page)
{
	return load(&page->connection) == XENSTORE_RECONNECT;
}

void ring_reconnect(struct xenstore_domain_interface *page)
{
	page->req_cons = page->req_prod = 0;
	page->rsp_cons = page->rsp_prod = 0;
	publish(&page->error, XENSTORE_ERROR_NONE);
	announce_features(page);
	publish(&page->connection, XENSTORE_CONNECTED);
}
