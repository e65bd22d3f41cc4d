/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records, written: one function for each, and the snapshot made of them.
 * Their counterparts stand in journal_read.c, in the same order.
 */
#include <string.h>

#include "conn.h"
#include "domain.h"
#include "journal_file.h"
#include "transaction.h"
#include "watch.h"

static struct record_writer *begin(struct journal *journal, enum journal_record type)
{
	record_put_u8(&journal->batch, (uint8_t)type);
	return &journal->batch;
}

static struct record_writer *begin_domain(struct journal *journal, enum journal_record type,
					  uint16_t domid)
{
	struct record_writer *writer = begin(journal, type);

	record_put_u16(writer, domid);
	return writer;
}

void journal_tree_op(struct journal *journal, const struct tree_op *op)
{
	struct record_writer *writer;

	if (!journal)
		return;
	writer = begin(journal, RECORD_TREE_OP);
	record_put_u8(writer, (uint8_t)op->kind);
	record_put_u16(writer, op->actor);
	record_put_bytes(writer, op->path, op->path_len);
	record_put_bytes(writer, op->data, op->len);
}

static void put_perms(struct record_writer *writer, const struct perm *perms, size_t count)
{
	record_put_bytes(writer, perms, count * sizeof(*perms));
}

static void write_node(struct journal *journal, const struct node *node, const char *path,
		       size_t path_len)
{
	struct record_writer *writer = begin(journal, RECORD_NODE);

	record_put_bytes(writer, path, path_len);
	record_put_bytes(writer, node->value, node->value_len);
	put_perms(writer, node->perms, node->nr_perms);
}

void journal_purge(struct journal *journal, uint16_t domid)
{
	if (journal)
		begin_domain(journal, RECORD_PURGE, domid);
}

void journal_special(struct journal *journal, const struct special *special)
{
	struct record_writer *writer;

	if (!journal)
		return;
	writer = begin(journal, RECORD_SPECIAL);
	record_put_u8(writer, (uint8_t)(special - journal->store->specials));
	put_perms(writer, special->perms, special->nr_perms);
}

void journal_domain(struct journal *journal, const struct domain *domain)
{
	struct record_writer *writer;
	const struct actor *actor = &domain->conn->actor;

	if (!journal)
		return;
	writer = begin_domain(journal, RECORD_DOMAIN, domain->domid);
	record_put_u64(writer, domain->gfn);
	record_put_u32(writer, domain->port);
	record_put_u8(writer, domain->is_shut_down);
	record_put(writer, domain->handle, sizeof(domain->handle));
	record_put_u8(writer, actor->has_target);
	record_put_u16(writer, actor->target);
	record_put_u32(writer, domain->conn->in_pos);
	record_put_u32(writer, domain->conn->out_pos);
}

void journal_domain_gone(struct journal *journal, uint16_t domid)
{
	if (journal)
		begin_domain(journal, RECORD_DOMAIN_GONE, domid);
}

static void put_watch(struct record_writer *writer, const struct watch *watch)
{
	record_put_u32(writer, watch->depth);
	record_put_u32(writer, watch->base_len);
	record_put_bytes(writer, watch->path, watch->path_len);
	record_put_bytes(writer, watch->token, strlen(watch->token));
}

void journal_watch(struct journal *journal, uint16_t domid, const struct watch *watch)
{
	if (journal)
		put_watch(begin_domain(journal, RECORD_WATCH, domid), watch);
}

void journal_unwatch(struct journal *journal, uint16_t domid, const struct watch *watch)
{
	if (journal)
		put_watch(begin_domain(journal, RECORD_UNWATCH, domid), watch);
}

void journal_tx_start(struct journal *journal, uint16_t domid, uint32_t id)
{
	if (journal)
		record_put_u32(begin_domain(journal, RECORD_TX_START, domid), id);
}

void journal_tx_end(struct journal *journal, uint16_t domid, uint32_t id)
{
	if (journal)
		record_put_u32(begin_domain(journal, RECORD_TX_END, domid), id);
}

void journal_reset(struct journal *journal, uint16_t domid)
{
	if (journal)
		begin_domain(journal, RECORD_RESET, domid);
}

void journal_input(struct journal *journal, uint16_t domid, uint32_t in_pos, const void *data,
		   size_t len)
{
	struct record_writer *writer;

	if (!journal)
		return;
	writer = begin_domain(journal, RECORD_INPUT, domid);
	record_put_u32(writer, in_pos);
	record_put_bytes(writer, data, len);
}

void journal_request_done(struct journal *journal, uint16_t domid, uint32_t in_pos)
{
	if (journal)
		record_put_u32(begin_domain(journal, RECORD_DONE, domid), in_pos);
}

void journal_output(struct journal *journal, uint16_t domid, const void *data, size_t len)
{
	if (journal)
		record_put_bytes(begin_domain(journal, RECORD_OUTPUT, domid), data, len);
}

static void snapshot_tree(struct journal *journal, const struct node *node, struct path *path)
{
	size_t len = path->len;

	write_node(journal, node, path->name, path->len);
	for (uint32_t i = 0; i < node->nr_children; i++) {
		const struct node *child = node->children[i];

		path->len = len;
		if (len > 1)
			path->name[path->len++] = '/';
		memcpy(path->name + path->len, child->name, child->name_len);
		path->len += child->name_len;
		snapshot_tree(journal, child, path);
	}
	path->len = len;
}

static void snapshot_domain(struct journal *journal, const struct domain *domain)
{
	const struct conn *conn = domain->conn;
	struct watch *watch;
	struct tx *tx;

	journal_domain(journal, domain);
	list_for_each_entry(watch, &conn->watches, conn_link)
		journal_watch(journal, domain->domid, watch);
	list_for_each_entry(tx, &conn->txs, link)
		journal_tx_start(journal, domain->domid, tx->id);
	if (conn->in_used)
		journal_input(journal, domain->domid, conn->in_pos, conn->in, conn->in_used);
	for (const struct message *m = conn->out; m; m = m->next)
		journal_output(journal, domain->domid, m->data + m->sent, m->len - m->sent);
}

void journal_snapshot(struct journal *journal, struct store *store)
{
	struct path path = {.name = "/", .len = 1};
	struct record_writer *writer = begin(journal, RECORD_COUNTERS);
	struct domain *domain;

	record_put_u64(writer, store->gen);
	record_put_u32(writer, store->next_tx);
	snapshot_tree(journal, store->root, &path);
	for (int i = 0; i < SPECIAL_KINDS; i++)
		journal_special(journal, &store->specials[i]);
	list_for_each_entry(domain, &store->domains, link)
		snapshot_domain(journal, domain);
}
