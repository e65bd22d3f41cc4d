/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzstore: a conversation with the daemon that outlives it.  Owns the
 * descriptor, the list of watches to set again, the open transactions and the
 * queue of events; zstore.c puts the operations on top.
 */
#ifndef ZENDO_STORE_SESSION_H
#define ZENDO_STORE_SESSION_H

#include "transport.h"
#include "zstore.h"

struct queued_event {
	struct queued_event *next;
	struct zstore_event event;
};

struct kept_watch {
	struct kept_watch *next;
	char *path;
	char *token;
};

/* Callers see the handle; the daemon's number is valid on one connection only. */
struct kept_tx {
	struct kept_tx *next;
	uint32_t handle;
	uint32_t wire_id;
	bool lost;
};

struct zstore {
	int fd;
	bool is_socket;
	bool reconnects;
	char *path;
	uint32_t next_req_id;
	uint32_t next_tx;
	struct queued_event *events;
	struct queued_event **events_tail;
	struct kept_watch *watches;
	struct kept_tx *txs;
};

/*
 * Sends one request and waits for its answer; *body is malloc()ed.  Returns the
 * length of the body or -E.  body may be NULL.
 */
int session_request(struct zstore *store, enum xsd_sockmsg_type type, uint32_t tx,
		    const struct store_part *parts, size_t count, char **body);
/* Reads one message that must be an event, and queues it. */
int session_receive_event(struct zstore *store);
int session_reconnect(struct zstore *store);
struct kept_tx *session_find_tx(struct zstore *store, uint32_t handle);
void session_drop_tx(struct zstore *store, uint32_t handle);

#endif
