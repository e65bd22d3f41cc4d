/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions.  Each works on a snapshot, keeps the list of its changes and
 * notes what it looked at.  Its end compares the notes with the tree as it is
 * by then; if nothing of that changed, the changes are made there, else the
 * client hears EAGAIN.
 */
#ifndef ZSTORED_TRANSACTION_H
#define ZSTORED_TRANSACTION_H

#include "store.h"

#define TX_NOTE_VALUE 1u /* value, permissions, existence */
#define TX_NOTE_LIST  2u /* the list of children */

struct tx_note;

struct tx {
	struct list link; /* in conn->txs */
	struct conn *conn;
	uint32_t id;
	/* Goes on, but can only end in EAGAIN: it lost its snapshot, or the daemon was restarted. */
	bool is_doomed;
	uint64_t base_gen; /* when the snapshot was taken */
	struct node *base; /* the tree as it was */
	struct node *root; /* the tree as this transaction sees it */
	struct usage_list usage;
	struct tree_op *ops; /* path and data are the transaction's own */
	size_t nr_ops;
	struct tx_note **notes;
	unsigned int nr_notes;
};

/* -ENOSPC beyond the quota, -ENOMEM. */
int tx_start(struct conn *conn, struct tx **tx);
/* As tx_start(), for one known from the journal. */
int tx_restore(struct conn *conn, uint32_t id);
struct tx *tx_find(struct conn *conn, uint32_t id);
/* -ENOSPC if it looked at too much. */
int tx_note(struct tx *tx, const char *path, size_t len, unsigned int what);
int tx_change(struct tx *tx, const struct tree_op *op);
/* 0, -EAGAIN, -ENOSPC or -ENOMEM.  On success the caller fires tx->ops from *old_root. */
int tx_commit(struct tx *tx, struct node **old_root);
void tx_end(struct tx *tx);
void tx_end_all(struct conn *conn);
/*
 * Keeps what old snapshots hold below its limit: the oldest of unprivileged clients are dropped,
 * their transactions doomed.
 */
void tx_trim_snapshots(struct store *store);

#endif
