/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dispatch: from the header of a request to its handler, from the handler's
 * result to an answer, and from there into the journal.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "request.h"

#define NEEDS_PRIVILEGE 1u
#define IGNORES_TX	2u

static const struct {
	int (*handle)(struct request *req);
	unsigned int flags;
	const char *name;
} handlers[XS_TYPE_COUNT] = {
	[XS_CONTROL] = {request_control, NEEDS_PRIVILEGE | IGNORES_TX, "control"},
	[XS_DIRECTORY] = {request_directory, 0, "directory"},
	[XS_READ] = {request_read, 0, "read"},
	[XS_GET_PERMS] = {request_get_perms, 0, "get-perms"},
	[XS_WATCH] = {request_watch, IGNORES_TX, "watch"},
	[XS_UNWATCH] = {request_unwatch, IGNORES_TX, "unwatch"},
	[XS_TRANSACTION_START] = {request_tx_start, 0, "tx-start"},
	[XS_TRANSACTION_END] = {request_tx_end, 0, "tx-end"},
	[XS_INTRODUCE] = {request_introduce, NEEDS_PRIVILEGE | IGNORES_TX, "introduce"},
	[XS_RELEASE] = {request_release, NEEDS_PRIVILEGE | IGNORES_TX, "release"},
	[XS_GET_DOMAIN_PATH] = {request_get_domain_path, IGNORES_TX, "get-domain-path"},
	[XS_WRITE] = {request_write, 0, "write"},
	[XS_MKDIR] = {request_mkdir, 0, "mkdir"},
	[XS_RM] = {request_rm, 0, "rm"},
	[XS_SET_PERMS] = {request_set_perms, 0, "set-perms"},
	[XS_IS_DOMAIN_INTRODUCED] = {request_is_introduced, IGNORES_TX, "is-introduced"},
	[XS_RESUME] = {request_resume, NEEDS_PRIVILEGE | IGNORES_TX, "resume"},
	[XS_SET_TARGET] = {request_set_target, NEEDS_PRIVILEGE | IGNORES_TX, "set-target"},
	[XS_RESET_WATCHES] = {request_reset_watches, IGNORES_TX, "reset-watches"},
	[XS_DIRECTORY_PART] = {request_directory_part, 0, "directory-part"},
};

int request_split(struct request *req, char **argv, int max)
{
	size_t at = 0;
	int argc = 0;

	if (!req->len || req->body[req->len - 1])
		return -EINVAL;
	while (at < req->len) {
		if (argc == max)
			return -EINVAL;
		argv[argc++] = req->body + at;
		at += strlen(req->body + at) + 1;
	}
	return argc;
}

int request_parse_number(const char *text, uint64_t limit, uint64_t *number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return errno || *end || *number > limit ? -EINVAL : 0;
}

void request_reply(struct request *req, const void *data, size_t len)
{
	conn_queue(req->conn, req->hdr.type, req->hdr.req_id, req->hdr.tx_id, data, len);
}

static void reply_error(struct request *req, int error)
{
	const char *name = "EINVAL";

	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++) {
		if (xsd_errors[i].errnum == -error)
			name = xsd_errors[i].errstring;
	}
	conn_queue(req->conn, XS_ERROR, req->hdr.req_id, req->hdr.tx_id, name, strlen(name) + 1);
}

static int dispatch(struct request *req)
{
	uint32_t type = req->hdr.type;

	if (type >= XS_TYPE_COUNT || !handlers[type].handle)
		return -ENOSYS;
	if ((handlers[type].flags & NEEDS_PRIVILEGE) && !actor_is_privileged(&req->conn->actor))
		return -EACCES;
	if (req->hdr.tx_id && !(handlers[type].flags & IGNORES_TX)) {
		req->tx = tx_find(req->conn, req->hdr.tx_id);
		if (!req->tx)
			return -ENOENT;
	}
	return handlers[type].handle(req);
}

static void trace(const struct request *req, int ret)
{
	struct store *store = req->store;
	const char *name = req->hdr.type < XS_TYPE_COUNT ? handlers[req->hdr.type].name : NULL;
	char line[256];

	if (!store->is_traced || !store->ops || !store->ops->log)
		return;
	snprintf(line, sizeof(line), "d%u %s tx %u %.128s%s: %s", req->conn->actor.domid,
		 name ? name : "?", req->hdr.tx_id, req->body,
		 req->len && req->body[req->len - 1] ? " ..." : "", ret ? strerror(-ret) : "ok");
	store->ops->log(store, line);
}

void request_process(struct conn *conn)
{
	struct request req = {.store = conn->store, .conn = conn};
	int ret;

	memcpy(&req.hdr, conn->in, sizeof(req.hdr));
	req.body = conn->in + sizeof(req.hdr);
	req.len = req.hdr.len;
	req.body[req.len] = '\0';
	ret = journal_reserve(conn->store->journal);
	if (!ret)
		ret = dispatch(&req);
	if (ret)
		reply_error(&req, ret);
	trace(&req, ret);
	tx_trim_snapshots(conn->store);
	conn->in_used = 0;
	if (conn->is_ring)
		journal_request_done(conn->store->journal, conn->actor.domid, conn->in_pos);
	journal_commit(conn->store->journal);
}
