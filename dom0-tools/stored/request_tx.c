/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests about what a client holds: watches and transactions.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "request.h"
#include "watch.h"

/* "<path>|<token>|" and perhaps "<depth>|". */
int request_watch(struct request *req)
{
	uint64_t depth = WATCH_ANY_DEPTH;
	struct watch *watch;
	struct path path;
	char *argv[3];
	int ret, argc = request_split(req, argv, 3);

	if (argc < 2)
		return -EINVAL;
	if (argc == 3 && argv[2][0]) {
		ret = request_parse_number(argv[2], WATCH_ANY_DEPTH, &depth);
		if (ret)
			return ret;
	}
	ret = path_resolve(&path, argv[0], req->conn->actor.domid, true);
	if (ret)
		return ret;
	ret = watch_add(req->conn, &path, argv[1], (uint32_t)depth, &watch);
	if (ret)
		return ret;
	request_reply_ok(req);
	/* Always once at first: it tells nothing that the client did not say. */
	conn_queue_event(req->conn, watch, watch_event_path(watch, watch->path));
	return 0;
}

int request_unwatch(struct request *req)
{
	struct path path;
	char *argv[3];
	int ret, argc = request_split(req, argv, 3);

	if (argc < 2)
		return -EINVAL;
	ret = path_resolve(&path, argv[0], req->conn->actor.domid, true);
	if (ret)
		return ret;
	ret = watch_remove(req->conn, &path, argv[1]);
	if (ret)
		return ret;
	request_reply_ok(req);
	return 0;
}

int request_reset_watches(struct request *req)
{
	watch_remove_all(req->conn);
	tx_end_all(req->conn);
	if (req->conn->is_ring)
		journal_reset(req->store->journal, req->conn->actor.domid);
	request_reply_ok(req);
	return 0;
}

int request_tx_start(struct request *req)
{
	struct tx *tx;
	char id[16];
	int ret;

	if (req->tx)
		return -EBUSY;
	ret = tx_start(req->conn, &tx);
	if (ret)
		return ret;
	request_reply(req, id, (size_t)snprintf(id, sizeof(id), "%u", tx->id) + 1);
	return 0;
}

int request_tx_end(struct request *req)
{
	struct node *old_root = NULL;
	struct tx *tx = req->tx;
	char *argv[1];
	int ret = request_split(req, argv, 1);

	if (ret < 0)
		return ret;
	if (!tx)
		return -ENOENT;
	if (strcmp(argv[0], "T") && strcmp(argv[0], "F"))
		return -EINVAL;
	ret = argv[0][0] == 'T' ? tx_commit(tx, &old_root) : 0;
	if (!ret)
		request_reply_ok(req);
	if (old_root)
		store_fire(req->store, tx->ops, tx->nr_ops, old_root);
	if (req->conn->is_ring)
		journal_tx_end(req->store->journal, req->conn->actor.domid, tx->id);
	tx_end(tx);
	return ret;
}
