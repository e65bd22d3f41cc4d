/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests: what a client asked, being answered.  request_process() is the
 * whole protocol as seen from a connection; the handlers stand in
 * request_node.c, request_tx.c and request_domain.c.
 */
#ifndef ZSTORED_REQUEST_H
#define ZSTORED_REQUEST_H

#include "conn.h"
#include "transaction.h"

struct request {
	struct store *store;
	struct conn *conn;
	struct tx *tx; /* NULL: none */
	struct xsd_sockmsg hdr;
	char *body;
	size_t len;
};

/* A handler answers by itself and returns 0, or returns the -E to answer with. */
int request_directory(struct request *req);
int request_directory_part(struct request *req);
int request_read(struct request *req);
int request_write(struct request *req);
int request_mkdir(struct request *req);
int request_rm(struct request *req);
int request_get_perms(struct request *req);
int request_set_perms(struct request *req);
int request_watch(struct request *req);
int request_unwatch(struct request *req);
int request_reset_watches(struct request *req);
int request_tx_start(struct request *req);
int request_tx_end(struct request *req);
int request_introduce(struct request *req);
int request_release(struct request *req);
int request_resume(struct request *req);
int request_set_target(struct request *req);
int request_is_introduced(struct request *req);
int request_get_domain_path(struct request *req);
int request_control(struct request *req);

void request_reply(struct request *req, const void *data, size_t len);
static inline void request_reply_ok(struct request *req)
{
	request_reply(req, "OK", 3);
}
/*
 * The body as NUL-terminated strings, max of them at most; returns how many, or
 * -EINVAL if there are more, none, or if the last has no end.
 */
int request_split(struct request *req, char **argv, int max);
/* A decimal number and nothing else, up to limit; -EINVAL. */
int request_parse_number(const char *text, uint64_t limit, uint64_t *number);
/* The tree that the request reads. */
static inline struct node *request_root(const struct request *req)
{
	return req->tx ? req->tx->root : req->store->root;
}

/* Handles the complete request in conn->in, and empties it. */
void request_process(struct conn *conn);

#endif
