/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records, read: each function takes one into the store.  What makes no sense
 * is -EINVAL; nothing here trusts a length or a number.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "domain.h"
#include "journal_file.h"
#include "transaction.h"
#include "watch.h"

/* Generations of before a restart are never used again. */
#define GENERATION_GAP (1ull << 32)

static int get_path(struct record_reader *reader, struct path *path, bool allow_special)
{
	char name[XENSTORE_ABS_PATH_MAX + 1];
	size_t len;
	const char *bytes = record_get_bytes(reader, &len);

	if (reader->is_bad || len >= sizeof(name) || memchr(bytes, '\0', len))
		return -EINVAL;
	memcpy(name, bytes, len);
	name[len] = '\0';
	if (name[0] != '/' && !(allow_special && path_is_special(name)))
		return -EINVAL;
	return path_resolve(path, name, 0, allow_special);
}

/* *perms is a copy, for alignment; the caller frees it. */
static int get_perms(const char *bytes, size_t len, struct perm **perms)
{
	if (!len || len % sizeof(**perms))
		return -EINVAL;
	*perms = malloc(len);
	if (!*perms)
		return -ENOMEM;
	memcpy(*perms, bytes, len);
	for (size_t i = 0; i < len / sizeof(**perms); i++) {
		if ((*perms)[i].bits > (PERM_READ | PERM_WRITE)) {
			free(*perms);
			return -EINVAL;
		}
	}
	return 0;
}

static int apply(struct store *store, const struct tree_op *op)
{
	struct node *old_root;
	int ret = store_change(store, NULL, op, 1, &old_root);

	if (!ret)
		node_put(old_root);
	return ret == -ENOENT ? -EINVAL : ret;
}

static int read_tree_op(struct store *store, struct record_reader *reader)
{
	struct perm *perms = NULL;
	struct tree_op op;
	struct path path;
	int ret;

	op.kind = record_get_u8(reader);
	op.actor = record_get_u16(reader);
	ret = get_path(reader, &path, false);
	if (ret)
		return ret;
	op.path = path.name;
	op.path_len = path.len;
	op.data = record_get_bytes(reader, &op.len);
	if (reader->is_bad || op.kind >= TREE_OP_KINDS || op.len > XENSTORE_PAYLOAD_MAX ||
	    (op.kind == TREE_RM && op.path_len == 1))
		return -EINVAL;
	if (op.kind == TREE_SET_PERMS) {
		ret = get_perms(op.data, op.len, &perms);
		if (ret)
			return ret;
		op.data = perms;
	}
	ret = apply(store, &op);
	free(perms);
	return ret;
}

static int read_node(struct store *store, struct record_reader *reader)
{
	struct tree_op write = {.kind = TREE_WRITE}, set = {.kind = TREE_SET_PERMS};
	struct perm *perms;
	const char *bytes;
	struct path path;
	int ret = get_path(reader, &path, false);

	if (ret)
		return ret;
	write.path = set.path = path.name;
	write.path_len = set.path_len = path.len;
	write.data = record_get_bytes(reader, &write.len);
	bytes = record_get_bytes(reader, &set.len);
	if (reader->is_bad)
		return -EINVAL;
	ret = get_perms(bytes, set.len, &perms);
	if (ret)
		return ret;
	set.data = perms;
	ret = apply(store, &write);
	if (!ret)
		ret = apply(store, &set);
	free(perms);
	return ret;
}

static int read_special(struct store *store, struct record_reader *reader)
{
	uint8_t kind = record_get_u8(reader);
	struct perm *perms;
	size_t len;
	const char *bytes = record_get_bytes(reader, &len);
	int ret;

	if (reader->is_bad || kind >= SPECIAL_KINDS)
		return -EINVAL;
	ret = get_perms(bytes, len, &perms);
	if (ret)
		return ret;
	ret = special_set_perms(&store->specials[kind], perms, len / sizeof(*perms));
	free(perms);
	return ret;
}

/* A record for a domain already known tells of its present state on the same ring. */
static int read_domain(struct store *store, struct record_reader *reader, uint16_t domid)
{
	struct domain *domain = domain_find(store, domid);
	bool is_new = !domain;
	struct conn *conn;
	uint32_t out_pos;

	if (is_new)
		domain = domain_create(store, domid, 0, 0);
	if (!domain)
		return -ENOMEM;
	conn = domain->conn;
	domain->gfn = record_get_u64(reader);
	domain->port = record_get_u32(reader);
	domain->is_shut_down = record_get_u8(reader);
	record_get(reader, domain->handle, sizeof(domain->handle));
	conn->actor.has_target = record_get_u8(reader);
	conn->actor.target = record_get_u16(reader);
	conn->in_pos = record_get_u32(reader);
	out_pos = record_get_u32(reader);
	if (is_new)
		conn->out_pos = out_pos;
	return conn_output_catch_up(conn, out_pos);
}

static int read_watch(struct conn *conn, struct record_reader *reader, bool is_added)
{
	uint32_t depth = record_get_u32(reader), base_len = record_get_u32(reader);
	struct watch *watch;
	struct path path;
	const char *bytes;
	char *token;
	size_t len;
	int ret = get_path(reader, &path, true);

	if (ret)
		return ret;
	bytes = record_get_bytes(reader, &len);
	if (reader->is_bad || base_len >= path.len)
		return -EINVAL;
	path.base_len = base_len;
	token = strndup(bytes, len);
	if (!token)
		return -ENOMEM;
	if (is_added)
		ret = watch_add(conn, &path, token, depth, &watch);
	else
		ret = watch_remove(conn, &path, token);
	free(token);
	/* Limits may have been lowered since: what is lost then is the guest's. */
	return ret == -ENOMEM ? ret : 0;
}

static int read_input(struct conn *conn, struct record_reader *reader)
{
	uint32_t in_pos = record_get_u32(reader);
	size_t len;
	const char *bytes = record_get_bytes(reader, &len);

	if (reader->is_bad || len > sizeof(conn->in) - 1 - conn->in_used)
		return -EINVAL;
	memcpy(conn->in + conn->in_used, bytes, len);
	conn->in_used += (uint32_t)len;
	if (conn_input_is_bad(conn) || (int32_t)conn_input_wanted(conn) < 0) {
		conn->in_used -= (uint32_t)len; /* what came before stays usable */
		return -EINVAL;
	}
	conn->in_pos = in_pos;
	return 0;
}

static int read_output(struct conn *conn, struct record_reader *reader)
{
	size_t len;
	const char *bytes = record_get_bytes(reader, &len);

	if (reader->is_bad || !len || len > sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX)
		return -EINVAL;
	return conn_restore_output(conn, bytes, len);
}

static int read_tx(struct store *store, struct conn *conn, struct record_reader *reader,
		   bool is_started)
{
	uint32_t id = record_get_u32(reader);
	struct tx *tx = tx_find(conn, id);

	if (!is_started) {
		if (tx)
			tx_end(tx);
		return 0;
	}
	if (tx || !id)
		return -EINVAL;
	if (store->next_tx <= id)
		store->next_tx = id + 1;
	return tx_restore(conn, id);
}

static int read_done(struct conn *conn, struct record_reader *reader)
{
	conn->in_pos = record_get_u32(reader);
	conn->in_used = 0;
	return 0;
}

static int read_ring(struct store *store, struct record_reader *reader, enum journal_record type,
		     struct domain *domain)
{
	struct conn *conn = domain->conn;

	switch (type) {
	case RECORD_DOMAIN_GONE:
		domain_release(domain, false);
		return 0;
	case RECORD_WATCH:
	case RECORD_UNWATCH:
		return read_watch(conn, reader, type == RECORD_WATCH);
	case RECORD_TX_START:
	case RECORD_TX_END:
		return read_tx(store, conn, reader, type == RECORD_TX_START);
	case RECORD_RESET:
		watch_remove_all(conn);
		tx_end_all(conn);
		return 0;
	case RECORD_INPUT:
		return read_input(conn, reader);
	case RECORD_DONE:
		return read_done(conn, reader);
	case RECORD_OUTPUT:
		return read_output(conn, reader);
	default:
		return -EINVAL;
	}
}

static int read_record(struct store *store, struct record_reader *reader)
{
	enum journal_record type = record_get_u8(reader);
	struct domain *domain;
	uint16_t domid;

	switch (type) {
	case RECORD_TREE_OP:
		return read_tree_op(store, reader);
	case RECORD_NODE:
		return read_node(store, reader);
	case RECORD_SPECIAL:
		return read_special(store, reader);
	case RECORD_COUNTERS:
		store->gen = record_get_u64(reader) + GENERATION_GAP;
		store->next_tx = record_get_u32(reader);
		return 0;
	default:
		break;
	}
	domid = record_get_u16(reader);
	if (type == RECORD_PURGE)
		return store_purge_domain(store, domid);
	if (type == RECORD_DOMAIN)
		return read_domain(store, reader, domid);
	domain = domain_find(store, domid);
	/* A domain that could not be attached was never recorded, but its end was. */
	if (!domain)
		return type == RECORD_DOMAIN_GONE ? 0 : -EINVAL;
	return read_ring(store, reader, type, domain);
}

int journal_replay(struct store *store, struct record_reader *reader)
{
	while (reader->at < reader->end) {
		int ret = read_record(store, reader);

		if (ret)
			return ret;
		if (reader->is_bad)
			return -EINVAL;
	}
	return 0;
}
