/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal: everything that must survive the daemon, written so that it can
 * be killed between any two instructions.
 *
 * It is a file in a tmpfs (its content is worth nothing after a reboot: the
 * domains are gone too), mapped shared: what the process stored is there for
 * its successor without any fsync().  The effects of one request are one batch;
 * a batch counts once the header's tail has moved beyond it, which is a single
 * store.  Only then are answers sent and requests marked as taken in a ring.
 * So a request that was answered is kept whole, and one that was not is either
 * still in the ring or gone with its socket.
 *
 *   record            what it says
 *   tree op           a change to the tree, in the words of tree.h
 *   node              (snapshot) a node as it is
 *   purge             a domain's rights are void
 *   special           permissions of @introduceDomain, @releaseDomain
 *   domain, gone      an introduced domain, its ring and positions
 *   watch, unwatch    of a ring
 *   tx start, tx end  of a ring
 *   reset             of a ring: watches and transactions dropped
 *   input             bytes taken from a ring that are not yet a request
 *   done              a request of a ring, handled, and the position after it
 *   output            bytes for a ring, in stream order
 *   counters          generation, next transaction number
 *
 * When it has grown, the whole state is written to a new file that replaces
 * the old one by rename().
 */
#ifndef ZSTORED_JOURNAL_H
#define ZSTORED_JOURNAL_H

#include "store.h"

enum journal_record {
	RECORD_TREE_OP = 1,
	RECORD_NODE,
	RECORD_PURGE,
	RECORD_SPECIAL,
	RECORD_DOMAIN,
	RECORD_DOMAIN_GONE,
	RECORD_WATCH,
	RECORD_UNWATCH,
	RECORD_TX_START,
	RECORD_TX_END,
	RECORD_RESET,
	RECORD_INPUT,
	RECORD_DONE,
	RECORD_OUTPUT,
	RECORD_COUNTERS,
};

/* Every function below accepts NULL for the journal: nothing is kept then. */

/* Room for the request that follows: 0, or -ENOSPC before anything was done. */
int journal_reserve(struct journal *journal);
/* Makes what was recorded since the last commit count. */
void journal_commit(struct journal *journal);
size_t journal_size(const struct journal *journal);

void journal_tree_op(struct journal *journal, const struct tree_op *op);
void journal_purge(struct journal *journal, uint16_t domid);
void journal_special(struct journal *journal, const struct special *special);
void journal_domain(struct journal *journal, const struct domain *domain);
void journal_domain_gone(struct journal *journal, uint16_t domid);
void journal_watch(struct journal *journal, uint16_t domid, const struct watch *watch);
void journal_unwatch(struct journal *journal, uint16_t domid, const struct watch *watch);
void journal_tx_start(struct journal *journal, uint16_t domid, uint32_t id);
void journal_tx_end(struct journal *journal, uint16_t domid, uint32_t id);
void journal_reset(struct journal *journal, uint16_t domid);
/* in_pos is the position behind the bytes. */
void journal_input(struct journal *journal, uint16_t domid, uint32_t in_pos, const void *data,
		   size_t len);
void journal_request_done(struct journal *journal, uint16_t domid, uint32_t in_pos);
void journal_output(struct journal *journal, uint16_t domid, const void *data, size_t len);
/* The whole state, as the records that make it from nothing. */
void journal_snapshot(struct journal *journal, struct store *store);

/*
 * Brings the store, fresh from store_init(), to the state that the journal at
 * path describes.  Returns 1, 0 if there is none of this boot (boot_id), or -E;
 * *torn tells whether damage cut it short.
 */
int journal_load(struct store *store, const char *path, const char *boot_id, bool *torn);
/* Starts a journal with the store as it is, in place of the one at path. */
int journal_start(struct store *store, const char *path, const char *boot_id);
void journal_stop(struct store *store);

#endif
