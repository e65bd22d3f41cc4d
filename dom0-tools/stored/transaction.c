/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions: see transaction.h.  Fairness: a domain whose writes made
 * another's transaction fail is made to wait a little, longer each time it
 * happens again, so that a busy writer cannot keep the other from ever ending.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "journal.h"
#include "transaction.h"

#define NOTE_BUCKETS 64u

struct tx_note {
	struct tx_note *next;
	unsigned int what;
	size_t len;
	char path[];
};

static struct tx *tx_create(struct conn *conn, uint32_t id)
{
	struct tx *tx = calloc(1, sizeof(*tx));

	if (!tx)
		return NULL;
	tx->notes = calloc(NOTE_BUCKETS, sizeof(*tx->notes));
	if (!tx->notes) {
		free(tx);
		return NULL;
	}
	tx->conn = conn;
	tx->id = id;
	tx->base_gen = conn->store->gen;
	tx->base = node_get(conn->store->root);
	tx->root = node_get(conn->store->root);
	list_add_tail(&conn->txs, &tx->link);
	conn->nr_txs++;
	return tx;
}

struct tx *tx_find(struct conn *conn, uint32_t id)
{
	struct tx *tx;

	list_for_each_entry(tx, &conn->txs, link) {
		if (tx->id == id)
			return tx;
	}
	return NULL;
}

int tx_start(struct conn *conn, struct tx **out)
{
	struct store *store = conn->store;
	struct tx *tx;

	if (!actor_is_privileged(&conn->actor) &&
	    conn->nr_txs >= (unsigned long)store->quota.limit[QUOTA_TRANSACTIONS])
		return -ENOSPC;
	/* After 2^32 of them an old one could still be open: 0 is never a number. */
	while (!store->next_tx || tx_find(conn, store->next_tx))
		store->next_tx++;
	tx = tx_create(conn, store->next_tx);
	if (!tx)
		return -ENOMEM;
	store->next_tx++;
	if (conn->is_ring)
		journal_tx_start(store->journal, conn->actor.domid, tx->id);
	*out = tx;
	return 0;
}

int tx_restore(struct conn *conn, uint32_t id)
{
	struct tx *tx = tx_create(conn, id);

	if (!tx)
		return -ENOMEM;
	tx->is_doomed = true;
	return 0;
}

int tx_note(struct tx *tx, const char *path, size_t len, unsigned int what)
{
	const struct store *store = tx->conn->store;
	struct tx_note *note, **bucket;
	uint32_t hash = 5381;

	for (size_t i = 0; i < len; i++)
		hash = hash * 33 + (unsigned char)path[i];
	bucket = &tx->notes[hash % NOTE_BUCKETS];
	for (note = *bucket; note; note = note->next) {
		if (note->len == len && !memcmp(note->path, path, len)) {
			note->what |= what;
			return 0;
		}
	}
	if (!actor_is_privileged(&tx->conn->actor) &&
	    tx->nr_notes >= (unsigned long)store->quota.limit[QUOTA_TX_NODES])
		return -ENOSPC;
	note = malloc(sizeof(*note) + len + 1);
	if (!note)
		return -ENOMEM;
	memcpy(note->path, path, len);
	note->path[len] = '\0';
	note->len = len;
	note->what = what;
	note->next = *bucket;
	*bucket = note;
	tx->nr_notes++;
	return 0;
}

static int check_memory(const struct tx *tx, const struct tree_op *op)
{
	const struct conn *conn = tx->conn;
	const struct store *store = conn->store;
	long cost = (long)(op->path_len + op->len + sizeof(*op));

	if (actor_is_privileged(&conn->actor))
		return 0;
	if (store->accounts[conn->actor.domid].bytes + conn->held_bytes + cost >
	    store->quota.limit[QUOTA_MEMORY])
		return -ENOSPC;
	return 0;
}

static int keep_op(struct tx *tx, const struct tree_op *op)
{
	struct tree_op *grown = realloc(tx->ops, (tx->nr_ops + 1) * sizeof(*grown)), *kept;
	size_t data_at = (op->path_len + 1 + 7) & ~(size_t)7;
	char *block;

	if (!grown)
		return -ENOMEM;
	tx->ops = grown;
	block = malloc(data_at + op->len + 1);
	if (!block)
		return -ENOMEM;
	memcpy(block, op->path, op->path_len);
	block[op->path_len] = '\0';
	if (op->len)
		memcpy(block + data_at, op->data, op->len);
	kept = &tx->ops[tx->nr_ops++];
	*kept = *op;
	kept->path = block;
	kept->data = block + data_at;
	tx->conn->held_bytes += (long)(op->path_len + op->len + sizeof(*op));
	return 0;
}

int tx_change(struct tx *tx, const struct tree_op *op)
{
	struct store *store = tx->conn->store;
	int ret;

	ret = tx_note(tx, op->path, op->path_len, TX_NOTE_VALUE);
	if (!ret)
		ret = check_memory(tx, op);
	if (!ret)
		ret = access_check_op(store, &tx->conn->actor, tx->root, &tx->usage, op);
	if (!ret)
		ret = keep_op(tx, op);
	if (ret)
		return ret;
	ret = tree_apply(&tx->root, op, ++store->gen, &tx->usage);
	if (ret < 0)
		tx->is_doomed = true;
	return ret < 0 ? ret : 0;
}

/* NULL if what was noted is still so, else the node whose writer is to blame. */
static struct node *note_find_conflict(const struct tx_note *note, struct node *base,
				       struct node *now)
{
	struct node *before = tree_find(base, note->path, note->len), *after;
	unsigned int missing;

	after = tree_find_nearest(now, note->path, note->len, &missing);
	if (missing)
		return before ? after : NULL;
	if (!before)
		return after;
	if ((note->what & TX_NOTE_VALUE) && before->value_gen != after->value_gen)
		return after;
	if ((note->what & TX_NOTE_LIST) && before->list_gen != after->list_gen)
		return after;
	return NULL;
}

static void hold_writer(struct tx *tx, uint16_t writer)
{
	struct conn *conn;

	if (!writer || writer == tx->conn->actor.domid)
		return;
	list_for_each_entry(conn, &tx->conn->store->conns, link) {
		if (conn->is_ring && conn->actor.domid == writer)
			conn_hold(conn);
	}
}

static bool tx_has_conflict(struct tx *tx)
{
	struct node *culprit;

	for (size_t i = 0; i < NOTE_BUCKETS; i++) {
		for (struct tx_note *note = tx->notes[i]; note; note = note->next) {
			culprit = note_find_conflict(note, tx->base, tx->conn->store->root);
			if (!culprit)
				continue;
			hold_writer(tx, culprit->writer);
			return true;
		}
	}
	return false;
}

int tx_commit(struct tx *tx, struct node **old_root)
{
	struct store *store = tx->conn->store;
	int ret;

	*old_root = NULL;
	if (tx->is_doomed)
		return -EAGAIN;
	/* One that only read saw a consistent tree, whatever happened since. */
	if (!tx->nr_ops)
		return 0;
	if (store->root != tx->base && tx_has_conflict(tx))
		return -EAGAIN;
	ret = store_change(store, &tx->conn->actor, tx->ops, tx->nr_ops, old_root);
	if (ret && ret != -ENOSPC && ret != -ENOMEM)
		ret = -EAGAIN;
	return ret;
}

void tx_end(struct tx *tx)
{
	struct conn *conn = tx->conn;

	list_del(&tx->link);
	conn->nr_txs--;
	for (size_t i = 0; i < tx->nr_ops; i++) {
		conn->held_bytes -=
			(long)(tx->ops[i].path_len + tx->ops[i].len + sizeof(tx->ops[i]));
		free((char *)tx->ops[i].path);
	}
	for (size_t i = 0; i < NOTE_BUCKETS; i++) {
		while (tx->notes[i]) {
			struct tx_note *note = tx->notes[i];

			tx->notes[i] = note->next;
			free(note);
		}
	}
	free(tx->notes);
	free(tx->ops);
	usage_fini(&tx->usage);
	node_put(tx->base);
	node_put(tx->root);
	free(tx);
}

void tx_end_all(struct conn *conn)
{
	struct tx *tx, *tmp;

	list_for_each_entry_safe(tx, tmp, &conn->txs, link)
		tx_end(tx);
}

/* A snapshot of now is still held, which costs nothing until the tree changes. */
static void tx_renew_snapshot(struct tx *tx)
{
	struct store *store = tx->conn->store;

	node_put(tx->base);
	node_put(tx->root);
	usage_fini(&tx->usage);
	tx->base = node_get(store->root);
	tx->root = node_get(store->root);
	tx->base_gen = store->gen;
	tx->is_doomed = true;
}

/* NULL if no unprivileged client has one that is not the present tree. */
static struct tx *find_oldest_snapshot(struct store *store)
{
	struct tx *tx, *oldest = NULL;
	struct conn *conn;

	list_for_each_entry(conn, &store->conns, link) {
		if (actor_is_privileged(&conn->actor))
			continue;
		list_for_each_entry(tx, &conn->txs, link) {
			if (tx->base == store->root && tx->root == store->root)
				continue;
			if (!oldest || tx->base_gen < oldest->base_gen)
				oldest = tx;
		}
	}
	return oldest;
}

void tx_trim_snapshots(struct store *store)
{
	struct tx *tx;

	while ((long)node_total_bytes() - store->bytes > store->quota.limit[QUOTA_SNAPSHOTS]) {
		tx = find_oldest_snapshot(store);
		if (!tx)
			return;
		tx_renew_snapshot(tx);
	}
}
