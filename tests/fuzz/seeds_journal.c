/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeds for the fuzzer of the journal: the records of a small store, as the
 * daemon writes them.  seeds_journal FOLDER
 *
 * Tools: stored
 * Skip: stored/main.c stored/server.c stored/socket.c stored/xen.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stored/conn.h"
#include "stored/domain.h"
#include "stored/journal_file.h"
#include "stored/transaction.h"
#include "stored/watch.h"

int main(int argc, char **argv)
{
	struct tree_op op = {TREE_WRITE, 3, "/a/b", 4, "value", 5};
	struct node *old;
	struct path path = {.name = "/a", .len = 2};
	struct journal journal = {0};
	struct watch *watch;
	struct store store;
	struct tx *tx;
	FILE *file;

	if (argc != 2 || store_init(&store, NULL, NULL))
		return 1;
	journal.store = &store;
	store_populate(&store);
	store_change(&store, NULL, &op, 1, &old);
	node_put(old);
	domain_introduce(&store, 3, 4096, 5);
	watch_add(domain_find(&store, 3)->conn, &path, "token", 7, &watch);
	tx_start(domain_find(&store, 3)->conn, &tx);
	conn_queue_event(watch->conn, watch, "/a/b");
	journal_snapshot(&journal, &store);
	journal_tree_op(&journal, &op);
	op.kind = TREE_RM;
	journal_tree_op(&journal, &op);
	journal_input(&journal, 3, 20, "\2\0\0\0", 4);
	journal_request_done(&journal, 3, 40);
	journal_unwatch(&journal, 3, watch);
	journal_tx_end(&journal, 3, tx->id);
	journal_reset(&journal, 3);
	journal_purge(&journal, 3);
	journal_domain_gone(&journal, 3);
	if (chdir(argv[1]) || !(file = fopen("snapshot", "w")))
		return 1;
	fwrite(journal.batch.data, 1, journal.batch.used, file);
	free(journal.batch.data);
	return fclose(file) ? 1 : 0;
}
