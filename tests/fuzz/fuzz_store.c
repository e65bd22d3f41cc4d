/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of the store's wire format: the input is a conversation of three
 * clients with the daemon's core, dom0 and two guests, one of whom speaks
 * through a ring whose positions it may also write.  Whatever is said, each
 * request has one answer that is no longer than allowed, guests stay below
 * their quotas, and in the end the accounts agree with the tree.
 *
 * Tools: stored
 * Skip: stored/main.c stored/server.c stored/socket.c stored/xen.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stored/conn.h"
#include "stored/domain.h"
#include "stored/request.h"
#include "stored/ring.h"
#include "stored/watch.h"

#define GUESTS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at, *end;
};

static struct store store;
static struct conn *conns[1 + GUESTS];
static struct xenstore_domain_interface page;
static uint32_t last_tx;

static void check(int holds)
{
	if (!holds)
		abort();
}

static uint8_t next(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

/* Takes one message from the queue; returns whether it was an answer. */
static int take(struct conn *conn)
{
	struct message *message = conn->out;
	struct xsd_sockmsg hdr;

	memcpy(&hdr, message->data, sizeof(hdr));
	check(hdr.len <= XENSTORE_PAYLOAD_MAX && message->len == sizeof(hdr) + hdr.len);
	if (hdr.type == XS_TRANSACTION_START)
		last_tx = (uint32_t)strtoul(message->data + sizeof(hdr), NULL, 10);
	if (hdr.type == XS_WATCH_EVENT) {
		const char *body = message->data + sizeof(hdr);
		size_t path = strnlen(body, hdr.len) + 1;

		check(path < hdr.len && strnlen(body + path, hdr.len - path) + 1 == hdr.len - path);
	}
	conn_output_taken(conn, message->len);
	return hdr.type != XS_WATCH_EVENT;
}

/* One request from the input: who, what, in which transaction, with what in it. */
static void say(struct input *in)
{
	static const char *const words[] = {"/local/domain/1/",
					    "/local/domain/2",
					    "/a",
					    "data/x",
					    "@releaseDomain",
					    "b1",
					    "n2",
					    "T",
					    "quota"};
	uint8_t who = next(in);
	struct conn *conn = conns[who % (1 + GUESTS)];
	struct xsd_sockmsg hdr = {.type = next(in) % (XS_TYPE_COUNT + 2)};
	char *body = conn->in + sizeof(hdr);
	int answers = 0;
	size_t len;

	hdr.tx_id = who & 0x80 ? last_tx : 0;
	len = next(in) * (who & 0x40 ? 16u : 1u);
	if (len > XENSTORE_PAYLOAD_MAX)
		len = XENSTORE_PAYLOAD_MAX;
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = next(in);

		body[i] = (char)byte;
		/* Some bytes stand for words, so that paths are met at all. */
		if (byte >= 0xf0 && byte - 0xf0u < sizeof(words) / sizeof(words[0])) {
			const char *word = words[byte - 0xf0];
			size_t part = strlen(word) < len - i ? strlen(word) : len - i;

			memcpy(body + i, word, part);
			i += part - 1;
		}
	}
	hdr.len = (uint32_t)len;
	memcpy(conn->in, &hdr, sizeof(hdr));
	conn->in_used = (uint32_t)(sizeof(hdr) + len);
	request_process(conn);
	check(!conn->in_used);
	while (conn->out)
		answers += take(conn);
	check(answers == 1);
}

/* The guest with a ring writes raw bytes, and sometimes positions. */
static void write_ring(struct input *in)
{
	uint8_t how = next(in), len = next(in);
	struct conn *conn = conns[1];
	bool moved;
	int ret;

	for (uint8_t i = 0; i < len; i++)
		page.req[MASK_XENSTORE_IDX(page.req_prod++)] = (char)next(in);
	if (how & 1)
		page.req_prod += next(in) * 8u;
	if (how & 2)
		page.rsp_cons += next(in) * 8u;
	else if (how & 4)
		page.rsp_cons = page.rsp_prod;
	ret = ring_pull(&page, conn, &moved);
	if (ret >= 0)
		ret = ring_push(&page, conn);
	if (ret < 0) {
		/* As the daemon does after a failure and the guest's request. */
		domain_reconnect(domain_find(&store, 1));
		ring_reconnect(&page);
	}
}

static void begin(void)
{
	check(!store_init(&store, NULL, NULL) && !store_populate(&store));
	store.quota.limit[QUOTA_NODES] = 20;
	store.quota.limit[QUOTA_WATCHES] = 5;
	store.quota.limit[QUOTA_MEMORY] = 20000;
	store.quota.limit[QUOTA_EVENTS] = 8;
	conns[0] = conn_create(&store, 0, false);
	for (uint16_t i = 1; i <= GUESTS; i++) {
		const struct perm perms[] = {{i, PERM_NONE}, {(uint16_t)(3 - i), PERM_READ}};
		char path[32];
		struct tree_op ops[2] = {
			{TREE_MKDIR, 0, path, 0, NULL, 0},
			{TREE_SET_PERMS, 0, path, 0, perms, sizeof(perms)},
		};
		struct node *old;

		ops[0].path_len = ops[1].path_len =
			(size_t)snprintf(path, sizeof(path), "/local/domain/%u", i);
		check(!store_change(&store, NULL, ops, 2, &old));
		node_put(old);
		check(!domain_introduce(&store, i, 1, 1));
		conns[i] = domain_find(&store, i)->conn;
	}
	memset(&page, 0, sizeof(page));
	ring_begin(&page, conns[1]);
	last_tx = 0;
}

/* dom0 may have released a guest: it is brought back, as its next self. */
static void revive(void)
{
	for (uint16_t i = 1; i <= GUESTS; i++) {
		if (domain_find(&store, i))
			continue;
		check(!domain_introduce(&store, i, 1, 1));
		conns[i] = domain_find(&store, i)->conn;
		if (i == 1)
			ring_begin(&page, conns[1]);
	}
}

static void end(void)
{
	struct domain *domain, *tmp;
	struct usage_list usage = {0};
	struct conn *conn, *next_conn;

	check(!tree_count_usage(store.root, &usage));
	for (size_t i = 0; i < usage.count; i++) {
		const struct account *account = &store.accounts[usage.entries[i].domid];

		check(account->nodes == usage.entries[i].nodes &&
		      account->bytes == usage.entries[i].bytes);
	}
	usage_fini(&usage);
	list_for_each_entry_safe(domain, tmp, &store.domains, link)
		domain_release(domain, false);
	list_for_each_entry_safe(conn, next_conn, &store.conns, link)
		conn_destroy(conn);
	check(!store.nr_watches);
	store_fini(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};

	begin();
	while (in.at < in.end) {
		if (next(&in) & 1)
			write_ring(&in);
		else
			say(&in);
		revive();
		for (int i = 1; i <= GUESTS; i++)
			check(conns[i]->nr_watches <= 128 && conns[i]->nr_events <= 512);
	}
	end();
	return 0;
}
