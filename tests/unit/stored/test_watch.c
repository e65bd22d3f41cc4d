/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches: what they tell, to whom, in which order, and how many may wait.
 * Tools: stored
 */
#include <errno.h>
#include <stdio.h>

#include "fixture.h"

static void set_watch(struct conn *conn, const char *path, const char *token)
{
	assert_int_equal(ask(conn, XS_WATCH, 0, path, token, NULL), 3);
	assert_non_null(next_event(conn));
	assert_null(conn->out);
}

static void expect_event(struct conn *conn, const char *text)
{
	const char *event = next_event(conn);

	assert_non_null(event);
	assert_string_equal(event, text);
}

static void a_watch_fires_at_once(void **state)
{
	(void)state;
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/not/there", "token", NULL), 3);
	expect_event(dom0, "/not/there token");
	assert_null(next_event(dom0));
}

static void changes_fire(void **state)
{
	struct conn *other = conn_create(&store, 0, false);

	(void)state;
	set_watch(dom0, "/a", "t");
	ask_write(other, 0, "/a/b", "1");
	expect_event(dom0, "/a/b t");
	ask(other, XS_MKDIR, 0, "/a/c/d", NULL);
	expect_event(dom0, "/a/c/d t");
	ask(other, XS_MKDIR, 0, "/a/c", NULL);
	assert_null(next_event(dom0));
	ask(other, XS_SET_PERMS, 0, "/a/c", "r0", NULL);
	expect_event(dom0, "/a/c t");
	ask(other, XS_RM, 0, "/a/b", NULL);
	expect_event(dom0, "/a/b t");
	ask(other, XS_RM, 0, "/a/b", NULL);
	assert_null(next_event(dom0));
	/* Neither a neighbour, nor a name that only begins alike, nor a parent. */
	ask_write(other, 0, "/b", "1");
	ask_write(other, 0, "/ab", "1");
	ask_write(other, 0, "/", "1");
	assert_null(next_event(dom0));
}

static void removal_of_a_parent_fires_below(void **state)
{
	(void)state;
	ask_write(dom0, 0, "/a/b/c", "1");
	set_watch(dom0, "/a/b/c", "c");
	set_watch(dom0, "/a/b/none", "n");
	set_watch(dom0, "/a", "a");
	ask(dom0, XS_RM, 0, "/a/b", NULL);
	expect_event(dom0, "/a/b a");
	expect_event(dom0, "/a/b/c c");
	assert_null(next_event(dom0));
}

static void the_answer_comes_first(void **state)
{
	struct xsd_sockmsg hdr = {.type = XS_MKDIR, .len = 3};

	(void)state;
	set_watch(dom0, "/a", "t");
	memcpy(dom0->in, &hdr, sizeof(hdr));
	memcpy(dom0->in + sizeof(hdr), "/a", 3);
	dom0->in_used = sizeof(hdr) + 3;
	request_process(dom0);
	assert_false(dom0->out->is_event);
	assert_true(dom0->out->next->is_event);
	conn_output_taken(dom0, dom0->out->len);
	expect_event(dom0, "/a t");
}

static void transactions_fire_when_committed(void **state)
{
	struct conn *other = conn_create(&store, 0, false);
	uint32_t tx;

	(void)state;
	set_watch(dom0, "/a", "t");
	tx = ask_begin(other);
	ask_write(other, tx, "/a/1", "x");
	ask_write(other, tx, "/a/2", "x");
	assert_null(next_event(dom0));
	ask(other, XS_TRANSACTION_END, tx, "T", NULL);
	expect_event(dom0, "/a/1 t");
	expect_event(dom0, "/a/2 t");
	tx = ask_begin(other);
	ask_write(other, tx, "/a/1", "y");
	ask(other, XS_TRANSACTION_END, tx, "F", NULL);
	assert_null(next_event(dom0));
}

static void the_root_hears_everything(void **state)
{
	(void)state;
	set_watch(dom0, "/", "t");
	ask_write(dom0, 0, "/x/y", "1");
	expect_event(dom0, "/x/y t");
}

static void relative_watches_get_relative_events(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	assert_int_equal(ask(five, XS_WATCH, 0, "control", "t", NULL), 3);
	expect_event(five, "control t");
	ask_write(dom0, 0, "/local/domain/5/control/shutdown", "poweroff");
	expect_event(five, "control/shutdown t");
	set_watch(five, "/local/domain/5/control", "abs");
	ask_write(dom0, 0, "/local/domain/5/control/x", "1");
	expect_event(five, "/local/domain/5/control/x abs");
	expect_event(five, "control/x t");
	/* The two are two watches. */
	assert_int_equal(ask(five, XS_UNWATCH, 0, "/local/domain/5/control", "t", NULL), -ENOENT);
	assert_int_equal(ask(five, XS_UNWATCH, 0, "control", "t", NULL), 3);
}

static void unreadable_paths_are_not_told(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	set_watch(five, "/secret", "t");
	ask_write(dom0, 0, "/secret/x", "1");
	assert_null(next_event(five));
	ask(dom0, XS_SET_PERMS, 0, "/secret/x", "n0", "r5", NULL);
	expect_event(five, "/secret/x t");
	/* Its end is told to who could read it. */
	ask(dom0, XS_RM, 0, "/secret", NULL);
	assert_null(next_event(five));
	set_watch(five, "/secret/x", "x");
	ask_write(dom0, 0, "/secret/x", "1");
	ask(dom0, XS_SET_PERMS, 0, "/secret/x", "r0", NULL);
	drop_events(five);
	ask(dom0, XS_RM, 0, "/secret", NULL);
	expect_event(five, "/secret/x x");
}

static void depth_limits_what_is_told(void **state)
{
	(void)state;
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/d", "t", "1", NULL), 3);
	drop_events(dom0);
	ask_write(dom0, 0, "/d", "1");
	expect_event(dom0, "/d t");
	ask_write(dom0, 0, "/d/x", "1");
	expect_event(dom0, "/d/x t");
	ask_write(dom0, 0, "/d/x/y", "1");
	assert_null(next_event(dom0));
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/", "root", "1", NULL), 3);
	drop_events(dom0);
	ask_write(dom0, 0, "/top", "1");
	expect_event(dom0, "/top root");
	ask_write(dom0, 0, "/top/x", "1");
	assert_null(next_event(dom0));
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/e", "t", "x", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/e", "t", "", NULL), 3);
}

static void watches_are_checked(void **state)
{
	char token[XENSTORE_PAYLOAD_MAX - XENSTORE_ABS_PATH_MAX];

	(void)state;
	set_watch(dom0, "/a", "t");
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/a", "t", NULL), -EEXIST);
	set_watch(dom0, "/a", "u");
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/a/", "t", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/a", NULL), -EINVAL);
	assert_int_equal(ask_bytes(dom0, XS_WATCH, 0, "/a\0t", 4), -EINVAL);
	assert_int_equal(ask(dom0, XS_UNWATCH, 0, "/a", "x", NULL), -ENOENT);
	assert_int_equal(ask(dom0, XS_UNWATCH, 0, "/a", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_UNWATCH, 0, "/a", "t", NULL), 3);
	assert_int_equal(ask(dom0, XS_UNWATCH, 0, "/a", "t", NULL), -ENOENT);
	/* A token that would not fit beside the longest path. */
	memset(token, 't', sizeof(token));
	token[sizeof(token) - 1] = '\0';
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/a", token, NULL), -EINVAL);
	token[sizeof(token) - 2] = '\0';
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/a", token, NULL), 3);
}

static void reset_drops_them(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	set_watch(five, "a", "t");
	set_watch(five, "b", "t");
	assert_int_equal(ask(five, XS_RESET_WATCHES, 0, "", NULL), 3);
	assert_int_equal(five->nr_watches, 0);
	assert_int_equal(five->held_bytes, 0);
	assert_int_equal(store.nr_watches, 0);
	ask_write(dom0, 0, "/local/domain/5/a", "1");
	assert_null(next_event(five));
}

static void a_domain_has_so_many(void **state)
{
	struct conn *five = fixture_domain(5);
	char token[16];

	(void)state;
	for (int i = 0; i < store.quota.limit[QUOTA_WATCHES]; i++) {
		snprintf(token, sizeof(token), "%d", i);
		set_watch(five, "a", token);
		set_watch(dom0, "/a", token);
	}
	assert_int_equal(ask(five, XS_WATCH, 0, "a", "more", NULL), -ENOSPC);
	assert_int_equal(ask(dom0, XS_WATCH, 0, "/a", "more", NULL), 3);
	ask(five, XS_UNWATCH, 0, "a", "0", NULL);
	assert_int_equal(ask(five, XS_WATCH, 0, "a", "more", NULL), 3);
	drop_events(five);
	store.quota.limit[QUOTA_WATCHES] = 100000;
	store.quota.limit[QUOTA_MEMORY] = five->held_bytes + store.accounts[5].bytes + 50;
	assert_int_equal(ask(five, XS_WATCH, 0, "a", "and more", NULL), -ENOSPC);
}

static void special_watches(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	set_watch(dom0, "@introduceDomain", "i");
	set_watch(dom0, "@releaseDomain", "r");
	set_watch(five, "@releaseDomain", "r");
	fixture_domain(6);
	expect_event(dom0, "@introduceDomain i");
	assert_null(next_event(dom0));
	ask(dom0, XS_RELEASE, 0, "6", NULL);
	expect_event(dom0, "@releaseDomain r");
	/* A domain hears of others' ends only if dom0 allows it. */
	assert_null(next_event(five));
	assert_int_equal(ask(five, XS_SET_PERMS, 0, "@releaseDomain", "n0", "r5", NULL), -EACCES);
	assert_int_equal(ask(five, XS_GET_PERMS, 0, "@releaseDomain", NULL), -EACCES);
	assert_int_equal(ask(dom0, XS_SET_PERMS, 0, "@releaseDomain", "n0", "r5", NULL), 3);
	ask(dom0, XS_GET_PERMS, 0, "@releaseDomain", NULL);
	assert_memory_equal(answer.data, "n0\0r5\0", 6);
	fixture_domain(7);
	assert_null(next_event(five));
	ask(dom0, XS_RELEASE, 0, "7", NULL);
	expect_event(five, "@releaseDomain r");
}

static void shutdown_is_told_once(void **state)
{
	struct domain *domain;

	(void)state;
	fixture_domain(5);
	domain = domain_find(&store, 5);
	set_watch(dom0, "@releaseDomain", "r");
	domain_set_shut_down(domain);
	expect_event(dom0, "@releaseDomain r");
	domain_set_shut_down(domain);
	assert_null(next_event(dom0));
	assert_int_equal(ask(dom0, XS_RESUME, 0, "5", NULL), 3);
	domain_set_shut_down(domain);
	expect_event(dom0, "@releaseDomain r");
}

/* A guest that does not read: the same event waits once, others are merged. */
static void waiting_events_are_bounded(void **state)
{
	struct conn *five = fixture_domain(5);
	unsigned int events = 0;
	bool found = false;
	const char *event;
	char path[64];

	(void)state;
	store.quota.limit[QUOTA_EVENTS] = 20;
	set_watch(five, "a", "t");
	for (int i = 0; i < 100; i++)
		ask_write(dom0, 0, "/local/domain/5/a/same", "1");
	assert_int_equal(five->nr_events, 1);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/local/domain/5/a/%d", i);
		ask_write(dom0, 0, path, "1");
	}
	assert_int_equal(five->nr_events, 20);
	assert_int_equal(five->nr_merged, 1);
	while ((event = next_event(five))) {
		events++;
		found |= !strcmp(event, "a t");
	}
	/* Those that found room, and one for all the rest. */
	assert_int_equal(events, 21);
	assert_true(found);
	assert_int_equal(five->nr_merged, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_watch_fires_at_once),
		TEST(changes_fire),
		TEST(removal_of_a_parent_fires_below),
		TEST(the_answer_comes_first),
		TEST(transactions_fire_when_committed),
		TEST(the_root_hears_everything),
		TEST(relative_watches_get_relative_events),
		TEST(unreadable_paths_are_not_told),
		TEST(depth_limits_what_is_told),
		TEST(watches_are_checked),
		TEST(reset_drops_them),
		TEST(a_domain_has_so_many),
		TEST(special_watches),
		TEST(shutdown_is_told_once),
		TEST(waiting_events_are_bounded),
	};

	return cmocka_run_group_tests_name("stored/watch", tests, NULL, NULL);
}
