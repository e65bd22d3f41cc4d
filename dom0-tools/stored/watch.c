/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of watches, hashed by path: an event looks up the path and each of
 * its ancestors.  Only the removal of a subtree walks the whole table.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "journal.h"
#include "watch.h"

static struct watch **bucket_of(struct store *store, const char *path, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)path[i]) * 16777619u;
	return &store->watch_buckets[hash % WATCH_BUCKETS];
}

static size_t watch_cost(const struct watch *watch)
{
	return sizeof(*watch) + watch->path_len + strlen(watch->token) + 2;
}

static bool is_same(const struct watch *watch, const struct path *path, const char *token)
{
	return watch->path_len == path->len && watch->base_len == path->base_len &&
	       !memcmp(watch->path, path->name, path->len) && !strcmp(watch->token, token);
}

static struct watch *watch_find(struct conn *conn, const struct path *path, const char *token)
{
	struct watch *watch = *bucket_of(conn->store, path->name, path->len);

	for (; watch; watch = watch->hash_next) {
		if (watch->conn == conn && is_same(watch, path, token))
			return watch;
	}
	return NULL;
}

static int check_quota(const struct conn *conn, size_t cost)
{
	const struct store *store = conn->store;
	const long *limit = store->quota.limit;

	if (actor_is_privileged(&conn->actor))
		return 0;
	if (conn->nr_watches >= (unsigned long)limit[QUOTA_WATCHES])
		return -ENOSPC;
	if (store->accounts[conn->actor.domid].bytes + conn->held_bytes + (long)cost >
	    limit[QUOTA_MEMORY])
		return -ENOSPC;
	return 0;
}

int watch_add(struct conn *conn, const struct path *path, const char *token, uint32_t depth,
	      struct watch **added)
{
	struct store *store = conn->store;
	size_t token_len = strlen(token);
	struct watch *watch, **bucket;
	int ret;

	/* The longest path an event can carry, and both NULs, must fit with it. */
	if (token_len + XENSTORE_ABS_PATH_MAX + 2 > XENSTORE_PAYLOAD_MAX)
		return -EINVAL;
	if (watch_find(conn, path, token))
		return -EEXIST;
	ret = check_quota(conn, sizeof(*watch) + path->len + token_len + 2);
	if (ret)
		return ret;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	watch->path = strdup(path->name);
	watch->token = strdup(token);
	if (!watch->path || !watch->token) {
		ret = -ENOMEM;
		goto free_watch;
	}
	watch->conn = conn;
	watch->depth = depth;
	watch->path_len = (uint32_t)path->len;
	watch->base_len = (uint32_t)path->base_len;
	bucket = bucket_of(store, path->name, path->len);
	watch->hash_next = *bucket;
	*bucket = watch;
	list_add_tail(&conn->watches, &watch->conn_link);
	conn->nr_watches++;
	conn->held_bytes += (long)watch_cost(watch);
	store->nr_watches++;
	if (conn->is_ring)
		journal_watch(store->journal, conn->actor.domid, watch);
	*added = watch;
	return 0;

free_watch:
	free(watch->path);
	free(watch->token);
	free(watch);
	return ret;
}

static void watch_destroy(struct watch *watch)
{
	struct conn *conn = watch->conn;
	struct watch **link = bucket_of(conn->store, watch->path, watch->path_len);

	while (*link != watch)
		link = &(*link)->hash_next;
	*link = watch->hash_next;
	list_del(&watch->conn_link);
	conn->nr_watches--;
	conn->nr_merged -= watch->is_merged;
	conn->held_bytes -= (long)watch_cost(watch);
	conn->store->nr_watches--;
	free(watch->path);
	free(watch->token);
	free(watch);
}

int watch_remove(struct conn *conn, const struct path *path, const char *token)
{
	struct watch *watch = watch_find(conn, path, token);

	if (!watch)
		return -ENOENT;
	if (conn->is_ring)
		journal_unwatch(conn->store->journal, conn->actor.domid, watch);
	watch_destroy(watch);
	return 0;
}

void watch_remove_all(struct conn *conn)
{
	struct watch *watch, *tmp;

	list_for_each_entry_safe(watch, tmp, &conn->watches, conn_link)
		watch_destroy(watch);
}

const char *watch_event_path(const struct watch *watch, const char *path)
{
	return path + watch->base_len;
}

static uint32_t levels_between(const char *path, size_t from, size_t to)
{
	uint32_t levels = 0;

	for (size_t i = from; i < to; i++)
		levels += path[i] == '/';
	return levels;
}

/* Tells the watches set on the first prefix_len bytes of path. */
static void fire_prefix(struct store *store, struct node *old_root, const char *path, size_t len,
			size_t prefix_len)
{
	struct watch *watch = *bucket_of(store, path, prefix_len);
	size_t below = prefix_len == 1 ? 0 : prefix_len;

	for (; watch; watch = watch->hash_next) {
		if (watch->path_len != prefix_len || memcmp(watch->path, path, prefix_len))
			continue;
		if (watch->depth != WATCH_ANY_DEPTH && prefix_len != len &&
		    levels_between(path, below, len) > watch->depth)
			continue;
		if (access_may_see(old_root, store->root, &watch->conn->actor, path, len))
			conn_queue_event(watch->conn, watch, watch_event_path(watch, path));
	}
}

/* What lay below a removed node: those who watched just that hear of it. */
static void fire_below(struct store *store, struct node *old_root, const char *path, size_t len)
{
	struct watch *watch;
	struct conn *conn;

	list_for_each_entry(conn, &store->conns, link) {
		list_for_each_entry(watch, &conn->watches, conn_link) {
			if (watch->path_len <= len ||
			    !path_is_below(watch->path, watch->path_len, path, len) ||
			    !tree_find(old_root, watch->path, watch->path_len))
				continue;
			if (access_may_see(old_root, store->root, &conn->actor, watch->path,
					   watch->path_len))
				conn_queue_event(conn, watch, watch_event_path(watch, watch->path));
		}
	}
}

void watch_fire_op(struct store *store, struct node *old_root, const struct tree_op *op)
{
	bool existed = tree_find(old_root, op->path, op->path_len);
	size_t prefix_len = op->path_len;

	/* Nothing happens to a directory that is there, or a node that is not. */
	if ((op->kind == TREE_MKDIR && existed) || (op->kind == TREE_RM && !existed))
		return;
	for (; prefix_len; prefix_len = path_parent_len(op->path, prefix_len))
		fire_prefix(store, old_root, op->path, op->path_len, prefix_len);
	if (op->kind == TREE_RM)
		fire_below(store, old_root, op->path, op->path_len);
}

void watch_fire_special(struct store *store, enum special_kind kind)
{
	const struct special *special = &store->specials[kind];
	size_t len = strlen(special->path);
	struct watch *watch = *bucket_of(store, special->path, len);

	for (; watch; watch = watch->hash_next) {
		if (watch->path_len == len && !memcmp(watch->path, special->path, len) &&
		    perms_allow(special->perms, special->nr_perms, &watch->conn->actor, PERM_READ))
			conn_queue_event(watch->conn, watch, special->path);
	}
}
