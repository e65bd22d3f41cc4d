/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See fixture.h.  Answers are taken from the connection's queue at once; events
 * stay in it until a test asks for them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

struct store store;
struct conn *dom0;
struct answer answer;

static uint32_t next_req_id = 100;

int fixture_setup(void **state)
{
	(void)state;
	assert_int_equal(store_init(&store, NULL, NULL), 0);
	assert_int_equal(store_populate(&store), 0);
	dom0 = conn_create(&store, 0, false);
	assert_non_null(dom0);
	return 0;
}

int fixture_teardown(void **state)
{
	struct domain *domain, *tmp;
	struct conn *conn, *next;

	(void)state;
	journal_stop(&store);
	list_for_each_entry_safe(domain, tmp, &store.domains, link)
		domain_release(domain, false);
	list_for_each_entry_safe(conn, next, &store.conns, link)
		conn_destroy(conn);
	store_fini(&store);
	return 0;
}

struct conn *fixture_domain(uint16_t domid)
{
	char path[64], perm[16], number[16];

	snprintf(path, sizeof(path), "/local/domain/%u", domid);
	snprintf(perm, sizeof(perm), "n%u", domid);
	snprintf(number, sizeof(number), "%u", domid);
	assert_true(ask(dom0, XS_MKDIR, 0, path, NULL) >= 0);
	assert_true(ask(dom0, XS_SET_PERMS, 0, path, perm, NULL) >= 0);
	assert_true(ask(dom0, XS_INTRODUCE, 0, number, "4096", "7", NULL) >= 0);
	return domain_find(&store, domid)->conn;
}

/* Takes the first message that is no event out of the queue. */
static void take_answer(struct conn *conn)
{
	struct message **link = &conn->out, *message;
	struct xsd_sockmsg hdr;

	while (*link && (*link)->is_event)
		link = &(*link)->next;
	message = *link;
	assert_non_null(message);
	*link = message->next;
	if (!message->next)
		conn->out_tail = link;
	conn->nr_replies--;
	memcpy(&hdr, message->data, sizeof(hdr));
	answer.type = hdr.type;
	answer.req_id = hdr.req_id;
	answer.tx_id = hdr.tx_id;
	answer.len = hdr.len;
	assert_int_equal(message->len, sizeof(hdr) + hdr.len);
	assert_true(hdr.len <= XENSTORE_PAYLOAD_MAX);
	memcpy(answer.data, message->data + sizeof(hdr), hdr.len);
	answer.data[hdr.len] = '\0';
	free(message);
}

static int error_of(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++) {
		if (!strcmp(xsd_errors[i].errstring, name))
			return -xsd_errors[i].errnum;
	}
	fail_msg("unknown error %s", name);
	return 0;
}

int ask_bytes(struct conn *conn, uint32_t type, uint32_t tx, const void *data, size_t len)
{
	struct xsd_sockmsg hdr = {type, next_req_id++, tx, (uint32_t)len};

	assert_true(len <= XENSTORE_PAYLOAD_MAX);
	memcpy(conn->in, &hdr, sizeof(hdr));
	if (len)
		memcpy(conn->in + sizeof(hdr), data, len);
	conn->in_used = (uint32_t)(sizeof(hdr) + len);
	request_process(conn);
	assert_int_equal(conn->in_used, 0);
	take_answer(conn);
	assert_int_equal(answer.req_id, hdr.req_id);
	assert_int_equal(answer.tx_id, tx);
	if (answer.type == XS_ERROR)
		return error_of(answer.data);
	assert_int_equal(answer.type, type);
	return (int)answer.len;
}

int ask(struct conn *conn, uint32_t type, uint32_t tx, ...)
{
	char data[XENSTORE_PAYLOAD_MAX];
	const char *string;
	size_t used = 0;
	va_list args;

	va_start(args, tx);
	while ((string = va_arg(args, const char *))) {
		assert_true(used + strlen(string) + 1 <= sizeof(data));
		strcpy(data + used, string);
		used += strlen(string) + 1;
	}
	va_end(args);
	return ask_bytes(conn, type, tx, data, used);
}

int ask_write(struct conn *conn, uint32_t tx, const char *path, const char *value)
{
	char data[XENSTORE_PAYLOAD_MAX + 1];
	size_t len = strlen(path) + 1;

	strcpy(data, path);
	strcpy(data + len, value);
	return ask_bytes(conn, XS_WRITE, tx, data, len + strlen(value));
}

uint32_t ask_begin(struct conn *conn)
{
	assert_true(ask(conn, XS_TRANSACTION_START, 0, "", NULL) > 1);
	return (uint32_t)strtoul(answer.data, NULL, 10);
}

const char *next_event(struct conn *conn)
{
	static char text[XENSTORE_PAYLOAD_MAX + 2];
	struct message *message = conn->out;
	const char *path;

	if (!message)
		return NULL;
	assert_true(message->is_event);
	path = message->data + sizeof(struct xsd_sockmsg);
	snprintf(text, sizeof(text), "%s %s", path, path + strlen(path) + 1);
	conn_output_taken(conn, message->len);
	return text;
}

void drop_events(struct conn *conn)
{
	while (next_event(conn))
		;
}

void assert_reads(struct conn *conn, const char *path, const char *value)
{
	assert_int_equal(ask(conn, XS_READ, 0, path, NULL), strlen(value));
	assert_string_equal(answer.data, value);
}

static void describe_node(FILE *out, const struct node *node, int depth)
{
	fprintf(out, "%*s%s = %.*s [%u]", depth, "", node->name, (int)node->value_len,
		node->value ? node->value : "", node->value_len);
	for (size_t i = 0; i < node->nr_perms; i++)
		fprintf(out, " %u:%u", node->perms[i].domid, node->perms[i].bits);
	fputc('\n', out);
	for (uint32_t i = 0; i < node->nr_children; i++)
		describe_node(out, node->children[i], depth + 1);
}

static void describe_domain(FILE *out, const struct domain *domain)
{
	const struct conn *conn = domain->conn;
	struct watch *watch;
	uint64_t waiting = 0;
	struct tx *tx;

	fprintf(out, "domain %u gfn %llu port %u down %d target %d %u in %u+%u\n", domain->domid,
		(unsigned long long)domain->gfn, domain->port, domain->is_shut_down,
		conn->actor.has_target, conn->actor.target, conn->in_pos, conn->in_used);
	for (const struct message *m = conn->out; m; m = m->next) {
		waiting += m->len - m->sent;
		for (uint32_t i = m->sent; i < m->len; i++)
			fprintf(out, "%02x", (unsigned char)m->data[i]);
	}
	fprintf(out, "\nout from %u: %llu\n", conn->out_pos, (unsigned long long)waiting);
	list_for_each_entry(watch, &conn->watches, conn_link)
		fprintf(out, "watch %s %u %s %u\n", watch->path, watch->base_len, watch->token,
			watch->depth);
	list_for_each_entry(tx, &conn->txs, link)
		fprintf(out, "tx %u\n", tx->id);
}

char *fixture_describe(struct store *which)
{
	struct domain *domain;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	describe_node(out, which->root, 0);
	for (int i = 0; i < SPECIAL_KINDS; i++) {
		for (size_t p = 0; p < which->specials[i].nr_perms; p++)
			fprintf(out, "%s %u:%u\n", which->specials[i].path,
				which->specials[i].perms[p].domid,
				which->specials[i].perms[p].bits);
	}
	for (unsigned int i = 0; i < DOMIDS; i++) {
		if (which->accounts[i].nodes || which->accounts[i].bytes)
			fprintf(out, "account %u: %ld %ld\n", i, which->accounts[i].nodes,
				which->accounts[i].bytes);
	}
	list_for_each_entry(domain, &which->domains, link)
		describe_domain(out, domain);
	fclose(out);
	return text;
}
