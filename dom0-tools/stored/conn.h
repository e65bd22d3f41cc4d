/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection: the request being gathered, the messages waiting to be taken,
 * and what the client holds (watches, transactions).  How bytes move is the
 * business of socket.c and ring.c.
 */
#ifndef ZSTORED_CONN_H
#define ZSTORED_CONN_H

#include "store.h"

struct message {
	struct message *next;
	uint32_t len;
	uint32_t sent;
	bool is_event;
	char data[];
};

struct conn {
	struct list link; /* in store->conns */
	struct store *store;
	struct actor actor;
	bool is_ring;	/* kept in the journal, under the domain's number */
	bool is_broken; /* to be closed by its owner */

	struct list watches;
	unsigned int nr_watches;
	unsigned int nr_merged; /* watches that owe an event */
	struct list txs;
	unsigned int nr_txs;
	long held_bytes; /* of watches and transactions */

	/* The request so far; one byte more, so that it always ends in NUL. */
	uint32_t in_used;
	char in[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX + 1];

	struct message *out;
	struct message **out_tail;
	unsigned int nr_replies;
	unsigned int nr_events;

	/* Rings: stream positions of the next byte to take and to give. */
	uint32_t in_pos;
	uint32_t out_pos;
	bool is_begun; /* the positions are those of a page in use */

	/* Its requests wait until then, for having broken others' transactions. */
	uint64_t held_until_ms;
	uint64_t last_hold_ms;
	unsigned int hold_ms;

	void *io;
};

struct conn *conn_create(struct store *store, uint16_t domid, bool is_ring);
/* Drops watches, transactions and messages too. */
void conn_destroy(struct conn *conn);
/* All of that without the connection itself: RESET and reconnection. */
void conn_reset(struct conn *conn);
void conn_drop_output(struct conn *conn);

/* How many bytes are still needed for what is being gathered; 0: complete. */
uint32_t conn_input_wanted(const struct conn *conn);
/* Whether the gathered header announces more than the protocol allows. */
bool conn_input_is_bad(const struct conn *conn);
/* Whether the next request may be taken up now. */
bool conn_is_ready(const struct conn *conn);
void conn_hold(struct conn *conn);

void conn_queue(struct conn *conn, uint32_t type, uint32_t req_id, uint32_t tx_id, const void *data,
		size_t len);
/* Two strings, joined with their NULs.  Merged or dropped if it already waits. */
void conn_queue_event(struct conn *conn, struct watch *watch, const char *path);
/* `count` bytes of the queue's head were delivered. */
void conn_output_taken(struct conn *conn, uint32_t count);
/*
 * Takes what lies before stream position out_pos as delivered; -EINVAL if the
 * queue does not reach that far.
 */
int conn_output_catch_up(struct conn *conn, uint32_t out_pos);
/* Every watch owes an event, if events may have been merged before a restart. */
void conn_restore_merged(struct conn *conn);
/* Puts back what a journal says was waiting: raw bytes that may begin mid-message. */
int conn_restore_output(struct conn *conn, const void *data, size_t len);

#endif
