/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches: who wants to hear of changes at or below a path.
 */
#ifndef ZSTORED_WATCH_H
#define ZSTORED_WATCH_H

#include "store.h"

#define WATCH_ANY_DEPTH UINT32_MAX

struct watch {
	struct list conn_link;	 /* in conn->watches */
	struct watch *hash_next; /* in its bucket of store->watch_buckets */
	struct conn *conn;
	uint32_t depth; /* levels below path that count */
	bool is_merged; /* an event was held back for want of room */
	uint32_t path_len;
	uint32_t base_len; /* of the part that the client does not write */
	char *path;
	char *token;
};

/* -EEXIST, -EINVAL, -ENOSPC (quota) or -ENOMEM.  Does not fire it. */
int watch_add(struct conn *conn, const struct path *path, const char *token, uint32_t depth,
	      struct watch **added);
/* -ENOENT. */
int watch_remove(struct conn *conn, const struct path *path, const char *token);
void watch_remove_all(struct conn *conn);

/* The tail of an absolute path as the watch's owner writes it. */
const char *watch_event_path(const struct watch *watch, const char *path);

/* The change was made: store->root is the tree after it, old_root the one before. */
void watch_fire_op(struct store *store, struct node *old_root, const struct tree_op *op);
void watch_fire_special(struct store *store, enum special_kind kind);

#endif
