/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared page: requests out of it and answers into it, at every alignment,
 * with a peer that cheats, and over a restart at any point.
 * Tools: stored
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"
#include "stored/ring.h"

static struct xenstore_domain_interface page;
static struct conn *guest;

static int setup(void **state)
{
	fixture_setup(state);
	memset(&page, 0, sizeof(page));
	guest = fixture_domain(5);
	ring_begin(&page, guest);
	return 0;
}

/* The guest's side: puts what fits into the ring; returns how much did. */
static uint32_t guest_send(const void *data, uint32_t len)
{
	uint32_t sent = 0;

	while (sent < len && page.req_prod - page.req_cons < XENSTORE_RING_SIZE) {
		page.req[MASK_XENSTORE_IDX(page.req_prod)] = ((const char *)data)[sent++];
		page.req_prod++;
	}
	return sent;
}

static uint32_t guest_receive(char *data, uint32_t size)
{
	uint32_t got = 0;

	while (got < size && page.rsp_cons != page.rsp_prod) {
		data[got++] = page.rsp[MASK_XENSTORE_IDX(page.rsp_cons)];
		page.rsp_cons++;
	}
	return got;
}

static uint32_t make_request(char *message, uint32_t type, const void *data, uint32_t len)
{
	struct xsd_sockmsg hdr = {type, 77, 0, len};

	memcpy(message, &hdr, sizeof(hdr));
	memcpy(message + sizeof(hdr), data, len);
	return (uint32_t)sizeof(hdr) + len;
}

static void features_are_announced(void **state)
{
	(void)state;
	assert_int_equal(page.server_features,
			 XENSTORE_SERVER_FEATURE_RECONNECTION | XENSTORE_SERVER_FEATURE_ERROR);
	assert_int_equal(page.error, XENSTORE_ERROR_NONE);
}

static void a_request_is_answered(void **state)
{
	char message[64], reply[64];
	uint32_t len = make_request(message, XS_WRITE, "x\0hello", 7);
	struct xsd_sockmsg hdr;
	bool moved;

	(void)state;
	assert_int_equal(guest_send(message, len), len);
	assert_int_equal(ring_pull(&page, guest, &moved), 1);
	assert_true(moved);
	assert_int_equal(page.req_cons, page.req_prod);
	assert_int_equal(ring_push(&page, guest), 1);
	assert_int_equal(guest_receive(reply, sizeof(reply)), sizeof(hdr) + 3);
	memcpy(&hdr, reply, sizeof(hdr));
	assert_int_equal(hdr.type, XS_WRITE);
	assert_int_equal(hdr.req_id, 77);
	assert_reads(dom0, "/local/domain/5/x", "hello");
	assert_int_equal(ring_pull(&page, guest, &moved), 0);
	assert_false(moved);
}

/* Every way to cut a request in two, at every place around the ring's end. */
static void requests_come_in_pieces(void **state)
{
	char message[64], reply[64], value[8];
	bool moved;

	(void)state;
	for (uint32_t start = XENSTORE_RING_SIZE - 40; start < XENSTORE_RING_SIZE + 2; start++) {
		uint32_t len = 16 + 7;

		for (uint32_t cut = 1; cut < len; cut++) {
			page.req_prod = page.req_cons = guest->in_pos = start;
			snprintf(value, sizeof(value), "%c%c%03u", 'x', '\0', cut % 1000);
			make_request(message, XS_WRITE, value, 7);
			message[16 + 5] = message[16 + 6] = '.';
			guest_send(message, cut);
			assert_int_equal(ring_pull(&page, guest, &moved), 0);
			assert_true(moved);
			assert_int_equal(page.req_cons, page.req_prod);
			guest_send(message + cut, len - cut);
			assert_int_equal(ring_pull(&page, guest, &moved), 1);
			ring_push(&page, guest);
			assert_int_equal(guest_receive(reply, sizeof(reply)), 16 + 3);
		}
	}
	assert_reads(dom0, "/local/domain/5/x", "022..");
}

/* Messages longer than the ring, in both directions. */
static void long_messages_pass(void **state)
{
	char message[16 + XENSTORE_PAYLOAD_MAX], reply[16 + XENSTORE_PAYLOAD_MAX];
	char body[2000];
	uint32_t len, sent = 0, got = 0;
	bool moved;

	(void)state;
	memset(body, 'v', sizeof(body));
	body[0] = 'x';
	body[1] = '\0';
	len = make_request(message, XS_WRITE, body, sizeof(body));
	while (sent < len) {
		sent += guest_send(message + sent, len - sent);
		assert_int_equal(ring_pull(&page, guest, &moved), sent == len);
	}
	ring_push(&page, guest);
	assert_int_equal(guest_receive(reply, sizeof(reply)), 19);
	len = make_request(message, XS_READ, "x", 2);
	guest_send(message, len);
	assert_int_equal(ring_pull(&page, guest, &moved), 1);
	while (ring_push(&page, guest) > 0)
		got += guest_receive(reply + got, sizeof(reply) - got);
	assert_int_equal(got, 16 + 1998);
	assert_memory_equal(reply + 16, body + 2, 1998);
	assert_null(guest->out);
}

static void impossible_positions_are_refused(void **state)
{
	char message[64];
	bool moved;

	(void)state;
	page.req_prod = page.req_cons + XENSTORE_RING_SIZE + 1;
	assert_int_equal(ring_pull(&page, guest, &moved), -XENSTORE_ERROR_RINGIDX);
	page.req_prod = page.req_cons - 1;
	assert_int_equal(ring_pull(&page, guest, &moved), -XENSTORE_ERROR_RINGIDX);
	page.req_prod = page.req_cons;
	guest_send(message, make_request(message, XS_READ, "x", 2));
	ring_pull(&page, guest, &moved);
	page.rsp_cons = page.rsp_prod + 1;
	assert_int_equal(ring_push(&page, guest), -XENSTORE_ERROR_RINGIDX);
	page.rsp_cons = page.rsp_prod - XENSTORE_RING_SIZE - 1;
	assert_int_equal(ring_push(&page, guest), -XENSTORE_ERROR_RINGIDX);
}

/* The daemon goes by its own positions, whatever the guest writes in theirs. */
static void positions_of_ours_are_not_read_back(void **state)
{
	char message[64], reply[64];
	bool moved;

	(void)state;
	guest_send(message, make_request(message, XS_WRITE, "x\0first", 7));
	page.req_cons = 0xdead;
	page.rsp_prod = 0xbeef;
	assert_int_equal(ring_pull(&page, guest, &moved), 1);
	assert_int_equal(page.req_cons, page.req_prod);
	ring_push(&page, guest);
	assert_int_equal(page.rsp_prod, 19);
	assert_int_equal(guest_receive(reply, sizeof(reply)), 19);
}

static void overlong_requests_are_refused(void **state)
{
	struct xsd_sockmsg hdr = {XS_WRITE, 1, 0, XENSTORE_PAYLOAD_MAX + 1};
	bool moved;

	(void)state;
	guest_send(&hdr, sizeof(hdr));
	assert_int_equal(ring_pull(&page, guest, &moved), -XENSTORE_ERROR_PROTO);
	ring_fail(&page, XENSTORE_ERROR_PROTO);
	assert_int_equal(page.error, XENSTORE_ERROR_PROTO);
}

static void a_guest_may_reconnect(void **state)
{
	char message[64], reply[64];
	bool moved;

	(void)state;
	assert_int_equal(ask(guest, XS_WATCH, 0, "x", "t", NULL), 3);
	ask_begin(guest);
	guest_send("garbage", 7);
	ring_pull(&page, guest, &moved);
	assert_false(ring_wants_reconnect(&page));
	page.connection = XENSTORE_RECONNECT;
	assert_true(ring_wants_reconnect(&page));
	domain_reconnect(domain_find(&store, 5));
	ring_reconnect(&page);
	assert_int_equal(page.connection, XENSTORE_CONNECTED);
	assert_int_equal(guest->nr_watches, 0);
	assert_int_equal(guest->nr_txs, 0);
	assert_int_equal(guest->in_used, 0);
	assert_null(guest->out);
	guest_send(message, make_request(message, XS_WRITE, "x\0again", 7));
	assert_int_equal(ring_pull(&page, guest, &moved), 1);
	ring_push(&page, guest);
	assert_int_equal(guest_receive(reply, sizeof(reply)), 19);
}

/* --- A restart at any point of the exchange. --- */

static char journal_path[64];

/* Forgets the daemon's memory and makes it anew from the journal and the page. */
static void restart(void)
{
	bool torn;

	journal_stop(&store);
	fixture_teardown(NULL);
	assert_int_equal(store_init(&store, NULL, NULL), 0);
	assert_int_equal(journal_load(&store, journal_path, "boot", &torn), 1);
	assert_false(torn);
	assert_int_equal(journal_start(&store, journal_path, "boot"), 0);
	dom0 = conn_create(&store, 0, false);
	guest = domain_find(&store, 5)->conn;
	assert_int_equal(ring_adopt(&page, guest), 0);
	conn_restore_merged(guest);
}

/* The fixture's answers went past ring and journal: let both begin here. */
static void settle(void)
{
	page.rsp_cons = page.rsp_prod = guest->out_pos;
	page.req_cons = page.req_prod = guest->in_pos;
	journal_stop(&store);
	assert_int_equal(journal_start(&store, journal_path, "boot"), 0);
}

static int setup_with_journal(void **state)
{
	snprintf(journal_path, sizeof(journal_path), "/tmp/test-ring-%d", (int)getpid());
	setup(state);
	assert_int_equal(journal_start(&store, journal_path, "boot"), 0);
	return 0;
}

static int teardown_with_journal(void **state)
{
	unlink(journal_path);
	return fixture_teardown(state);
}

/*
 * A guest counts: each request writes the next number and its answer must come
 * once, whole and in order, with events in between, while the daemon is killed
 * before and after every step, having forgotten or not what it told the page.
 */
static void no_byte_is_lost_over_restarts(void **state)
{
	char message[64], number[16], stream[64];
	uint32_t have = 0, next_answer = 0, next_request = 0, events = 0, seed = 1;
	bool moved;

	(void)state;
	assert_int_equal(ask(guest, XS_WATCH, 0, "n", "token", NULL), 3);
	drop_events(guest);
	settle();
	while (next_answer < 300) {
		struct xenstore_domain_interface before = page;
		uint32_t dice = (seed = seed * 1103515245 + 12345) >> 16;

		if (next_request < 300 && dice % 3 == 0) {
			struct xsd_sockmsg hdr = {XS_WRITE, next_request, 0, 0};
			uint32_t len, room = XENSTORE_RING_SIZE - (page.req_prod - page.req_cons);

			snprintf(number, sizeof(number), "n%c%u", '\0', next_request);
			hdr.len = 2 + (uint32_t)strlen(number + 2);
			len = make_request(message, XS_WRITE, number, hdr.len);
			memcpy(message, &hdr, sizeof(hdr));
			if (room >= len) {
				/* In two pieces, with a kill between them. */
				guest_send(message, 10);
				ring_pull(&page, guest, &moved);
				if (dice % 5 == 0)
					restart();
				guest_send(message + 10, len - 10);
				next_request++;
			}
		}
		before = page;
		ring_pull(&page, guest, &moved);
		/* Killed after the journal was written, before the page was. */
		if (dice % 7 == 0) {
			page.req_cons = before.req_cons;
			restart();
		}
		before = page;
		ring_push(&page, guest);
		if (dice % 11 == 0) {
			page.rsp_prod = before.rsp_prod + (page.rsp_prod - before.rsp_prod) / 2;
			restart();
		}
		/* The guest takes some bytes, and looks at whole messages. */
		have += guest_receive(stream + have, (dice >> 4) % (sizeof(stream) - have) + 1);
		while (have >= sizeof(struct xsd_sockmsg)) {
			struct xsd_sockmsg hdr;

			memcpy(&hdr, stream, sizeof(hdr));
			assert_true(hdr.len < 40);
			if (have < sizeof(hdr) + hdr.len)
				break;
			if (hdr.type == XS_WATCH_EVENT) {
				assert_memory_equal(stream + sizeof(hdr), "n\0token", 8);
				events++;
			} else {
				assert_int_equal(hdr.type, XS_WRITE);
				assert_int_equal(hdr.req_id, next_answer);
				next_answer++;
			}
			have -= (uint32_t)sizeof(hdr) + hdr.len;
			memmove(stream, stream + sizeof(hdr) + hdr.len, have);
		}
	}
	assert_true(events > 0);
	assert_reads(dom0, "/local/domain/5/n", "299");
	ask(dom0, XS_CONTROL, 0, "check", NULL);
	assert_string_equal(answer.data, "OK");
}

/* What was taken of a request longer than the ring is not in the ring any more. */
static void half_a_request_survives(void **state)
{
	char message[16 + 2002], body[2002];
	uint32_t len, sent = 0;
	bool moved;

	(void)state;
	settle();
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)('a' + i % 26);
	memcpy(body, "x", 2);
	len = make_request(message, XS_WRITE, body, sizeof(body));
	while (sent < len) {
		sent += guest_send(message + sent, len - sent);
		assert_int_equal(ring_pull(&page, guest, &moved), sent == len);
		/* The next part overwrites what was taken. */
		sent += guest_send(message + sent, len - sent < 700 ? len - sent : 700);
		restart();
	}
	ring_pull(&page, guest, &moved);
	assert_int_equal(ask(dom0, XS_READ, 0, "/local/domain/5/x", NULL), 2000);
	assert_memory_equal(answer.data, body + 2, 2000);
}

/* A transaction open over a restart goes on, and ends in EAGAIN. */
static void transactions_are_doomed_by_a_restart(void **state)
{
	uint32_t tx, later;

	(void)state;
	tx = ask_begin(guest);
	ask_write(guest, tx, "x", "1");
	settle();
	restart();
	assert_int_equal(ask_write(guest, tx, "y", "1"), 3);
	assert_int_equal(ask(guest, XS_READ, tx, "y", NULL), 1);
	assert_int_equal(ask(guest, XS_TRANSACTION_END, tx, "T", NULL), -EAGAIN);
	assert_int_equal(ask(guest, XS_READ, 0, "y", NULL), -ENOENT);
	later = ask_begin(guest);
	assert_true(later > tx);
	ask_write(guest, later, "x", "2");
	assert_int_equal(ask(guest, XS_TRANSACTION_END, later, "T", NULL), 3);
	tx = ask_begin(guest);
	settle();
	restart();
	assert_int_equal(ask(guest, XS_TRANSACTION_END, tx, "F", NULL), 3);
}

static void a_page_that_cannot_be_is_not_adopted(void **state)
{
	bool torn;

	(void)state;
	journal_stop(&store);
	fixture_teardown(NULL);
	assert_int_equal(store_init(&store, NULL, NULL), 0);
	assert_int_equal(journal_load(&store, journal_path, "boot", &torn), 1);
	guest = domain_find(&store, 5)->conn;
	dom0 = NULL;
	page.rsp_prod = guest->out_pos + 1000;
	assert_int_equal(ring_adopt(&page, guest), -EPROTO);
	page.rsp_prod = guest->out_pos - 1;
	assert_int_equal(ring_adopt(&page, guest), -EPROTO);
}

#define TEST(f)	 cmocka_unit_test_setup_teardown(f, setup, fixture_teardown)
#define KILLS(f) cmocka_unit_test_setup_teardown(f, setup_with_journal, teardown_with_journal)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(features_are_announced),
		TEST(a_request_is_answered),
		TEST(requests_come_in_pieces),
		TEST(long_messages_pass),
		TEST(impossible_positions_are_refused),
		TEST(positions_of_ours_are_not_read_back),
		TEST(overlong_requests_are_refused),
		TEST(a_guest_may_reconnect),
		KILLS(no_byte_is_lost_over_restarts),
		KILLS(half_a_request_survives),
		KILLS(transactions_are_doomed_by_a_restart),
		KILLS(a_page_that_cannot_be_is_not_adopted),
	};

	return cmocka_run_group_tests_name("stored/ring", tests, NULL, NULL);
}
