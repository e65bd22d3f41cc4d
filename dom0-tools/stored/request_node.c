/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests about nodes: reading, listing, changing, permissions.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "request.h"

static int resolve(struct request *req, const char *name, struct path *path)
{
	return path_resolve(path, name, req->conn->actor.domid, false);
}

/* The node that a reading request names, noted in its transaction. */
static int find_readable(struct request *req, const char *name, unsigned int what,
			 struct node **node)
{
	struct path path;
	int ret = resolve(req, name, &path);

	if (ret)
		return ret;
	*node = access_find(request_root(req), &req->conn->actor, &path, PERM_READ, &ret);
	if (req->tx && (!ret || ret == -ENOENT)) {
		int noted = tx_note(req->tx, path.name, path.len, what);

		if (noted)
			return noted;
	}
	return ret;
}

int request_read(struct request *req)
{
	struct node *node;
	char *argv[1];
	int ret = request_split(req, argv, 1);

	if (ret < 0)
		return ret;
	ret = find_readable(req, argv[0], TX_NOTE_VALUE, &node);
	if (ret)
		return ret;
	request_reply(req, node->value, node->value_len);
	return 0;
}

/*
 * Copies the list of children, names with their NULs, from offset on into buf;
 * returns its whole length.
 */
static size_t copy_names(const struct node *node, size_t offset, char *buf, size_t size)
{
	size_t at = 0;

	for (uint32_t i = 0; i < node->nr_children; i++) {
		const struct node *child = node->children[i];
		size_t len = child->name_len + 1, skip = offset > at ? offset - at : 0;

		if (skip < len && at + skip - offset < size) {
			size_t part = len - skip, room = size - (at + skip - offset);

			memcpy(buf + at + skip - offset, child->name + skip,
			       part < room ? part : room);
		}
		at += len;
	}
	return at;
}

int request_directory(struct request *req)
{
	char names[XENSTORE_PAYLOAD_MAX];
	struct node *node;
	char *argv[1];
	size_t len;
	int ret = request_split(req, argv, 1);

	if (ret < 0)
		return ret;
	ret = find_readable(req, argv[0], TX_NOTE_LIST, &node);
	if (ret)
		return ret;
	len = copy_names(node, 0, names, sizeof(names));
	if (len > sizeof(names))
		return -E2BIG;
	request_reply(req, names, len);
	return 0;
}

/* "<generation>|<names...>"; an empty name follows the last one. */
int request_directory_part(struct request *req)
{
	char reply[XENSTORE_PAYLOAD_MAX];
	size_t head, len, room;
	struct node *node;
	uint64_t offset;
	char *argv[2];
	int ret = request_split(req, argv, 2);

	if (ret != 2)
		return -EINVAL;
	ret = request_parse_number(argv[1], UINT32_MAX, &offset);
	if (ret)
		return ret;
	ret = find_readable(req, argv[0], TX_NOTE_LIST, &node);
	if (ret)
		return ret;
	head = (size_t)snprintf(reply, sizeof(reply), "%llu", (unsigned long long)node->list_gen) +
	       1;
	room = sizeof(reply) - head;
	len = copy_names(node, offset, reply + head, room);
	len = len > offset ? len - offset : 0;
	if (len < room)
		reply[head + len++] = '\0';
	request_reply(req, reply, head + (len < room ? len : room));
	return 0;
}

/* Makes the change in the transaction, or at once. */
static int change(struct request *req, const struct tree_op *op)
{
	struct node *old_root;
	int ret;

	if (req->tx) {
		ret = tx_change(req->tx, op);
		if (!ret)
			request_reply_ok(req);
		return ret;
	}
	ret = store_change(req->store, &req->conn->actor, op, 1, &old_root);
	if (ret)
		return ret;
	request_reply_ok(req);
	store_fire(req->store, op, 1, old_root);
	return 0;
}

static int change_path(struct request *req, enum tree_op_kind kind, const char *name,
		       const void *data, size_t len)
{
	struct tree_op op = {
		.kind = kind,
		.actor = req->conn->actor.domid,
		.data = data,
		.len = len,
	};
	struct path path;
	int ret = resolve(req, name, &path);

	if (ret)
		return ret;
	op.path = path.name;
	op.path_len = path.len;
	return change(req, &op);
}

int request_write(struct request *req)
{
	const char *end = memchr(req->body, '\0', req->len);

	if (!end)
		return -EINVAL;
	end++;
	return change_path(req, TREE_WRITE, req->body, end, req->len - (size_t)(end - req->body));
}

int request_mkdir(struct request *req)
{
	char *argv[1];
	int ret = request_split(req, argv, 1);

	return ret < 0 ? ret : change_path(req, TREE_MKDIR, argv[0], NULL, 0);
}

int request_rm(struct request *req)
{
	char *argv[1];
	int ret = request_split(req, argv, 1);

	return ret < 0 ? ret : change_path(req, TREE_RM, argv[0], NULL, 0);
}

static int reply_perms(struct request *req, const struct perm *perms, size_t count)
{
	char text[XENSTORE_PAYLOAD_MAX];
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (used + PERM_TEXT_MAX > sizeof(text))
			return -E2BIG;
		used += perm_format(&perms[i], text + used);
	}
	request_reply(req, text, used);
	return 0;
}

int request_get_perms(struct request *req)
{
	struct special *special;
	struct node *node;
	char *argv[1];
	int ret = request_split(req, argv, 1);

	if (ret < 0)
		return ret;
	special = store_find_special(req->store, argv[0]);
	if (special && !actor_is_privileged(&req->conn->actor))
		return -EACCES;
	if (special)
		return reply_perms(req, special->perms, special->nr_perms);
	ret = find_readable(req, argv[0], TX_NOTE_VALUE, &node);
	if (ret)
		return ret;
	return reply_perms(req, node->perms, node->nr_perms);
}

static int set_special_perms(struct request *req, struct special *special, const struct perm *perms,
			     size_t count)
{
	int ret;

	if (!actor_is_privileged(&req->conn->actor))
		return -EACCES;
	ret = special_set_perms(special, perms, count);
	if (ret)
		return ret;
	journal_special(req->store->journal, special);
	request_reply_ok(req);
	return 0;
}

/* Enough for the shortest entries that fill a whole message. */
#define PERMS_PER_MESSAGE (XENSTORE_PAYLOAD_MAX / 3)

int request_set_perms(struct request *req)
{
	struct perm perms[PERMS_PER_MESSAGE];
	char *argv[PERMS_PER_MESSAGE + 1];
	int count = request_split(req, argv, PERMS_PER_MESSAGE + 1);
	struct special *special;

	if (count < 0)
		return count;
	/* A client may end the list with an empty string. */
	if (count > 2 && !argv[count - 1][0])
		count--;
	if (count < 2)
		return -EINVAL;
	for (int i = 1; i < count; i++) {
		int ret = perm_parse(argv[i], &perms[i - 1]);

		if (ret)
			return ret;
	}
	special = store_find_special(req->store, argv[0]);
	if (special)
		return set_special_perms(req, special, perms, (size_t)count - 1);
	return change_path(req, TREE_SET_PERMS, argv[0], perms,
			   ((size_t)count - 1) * sizeof(perms[0]));
}
