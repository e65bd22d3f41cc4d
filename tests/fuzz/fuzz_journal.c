/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of the reader of zstored's journal: records that no daemon wrote must
 * be refused or taken, and what they make must be a store like any other.
 *
 * Tools: stored
 * Skip: stored/main.c stored/server.c stored/socket.c stored/xen.c
 */
#include <stdlib.h>
#include <string.h>

#include "stored/conn.h"
#include "stored/domain.h"
#include "stored/journal_file.h"
#include "stored/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
	if (!holds)
		abort();
}

/* A restored ring goes on: what waits is delivered, what is gathered may end. */
static void use_domain(struct domain *domain)
{
	struct conn *conn = domain->conn;

	while (conn->out)
		conn_output_taken(conn, conn->out->len - conn->out->sent);
	if (!conn_input_wanted(conn))
		request_process(conn);
	else
		check(conn_input_wanted(conn) + conn->in_used < sizeof(conn->in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_reader reader = {(const char *)data, (const char *)data + size, false};
	struct usage_list usage = {0};
	struct domain *domain, *tmp;
	struct store store;

	check(!store_init(&store, NULL, NULL));
	journal_replay(&store, &reader);
	list_for_each_entry_safe(domain, tmp, &store.domains, link)
		use_domain(domain);
	check(!tree_count_usage(store.root, &usage));
	for (size_t i = 0; i < usage.count; i++) {
		const struct account *account = &store.accounts[usage.entries[i].domid];

		check(account->nodes == usage.entries[i].nodes);
	}
	usage_fini(&usage);
	list_for_each_entry_safe(domain, tmp, &store.domains, link)
		domain_release(domain, false);
	check(!store.nr_watches);
	store_fini(&store);
	return 0;
}
