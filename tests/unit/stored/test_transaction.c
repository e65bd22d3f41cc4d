/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions: isolation, what conflicts and what does not, fairness, limits.
 * Tools: stored
 */
#include <errno.h>
#include <stdio.h>

#include "fixture.h"

static int commit(struct conn *conn, uint32_t tx)
{
	return ask(conn, XS_TRANSACTION_END, tx, "T", NULL);
}

static void a_snapshot_hides_others(void **state)
{
	struct conn *other = conn_create(&store, 0, false);
	uint32_t tx;

	(void)state;
	ask_write(dom0, 0, "/a", "old");
	tx = ask_begin(dom0);
	assert_int_equal(ask_write(dom0, tx, "/b", "mine"), 3);
	ask_write(other, 0, "/a", "new");
	assert_int_equal(ask(dom0, XS_READ, tx, "/a", NULL), 3);
	assert_string_equal(answer.data, "old");
	assert_int_equal(ask(dom0, XS_READ, tx, "/b", NULL), 4);
	assert_int_equal(ask(other, XS_READ, 0, "/b", NULL), -ENOENT);
	assert_int_equal(ask(other, XS_READ, tx, "/b", NULL), -ENOENT);
	assert_int_equal(commit(dom0, tx), -EAGAIN);
	assert_int_equal(ask(dom0, XS_READ, 0, "/b", NULL), -ENOENT);
	assert_int_equal(commit(dom0, tx), -ENOENT);
}

static void unrelated_changes_do_not_conflict(void **state)
{
	struct conn *other = conn_create(&store, 0, false);
	uint32_t tx;

	(void)state;
	ask_write(dom0, 0, "/a/x", "1");
	ask_write(dom0, 0, "/b/x", "1");
	tx = ask_begin(dom0);
	ask(dom0, XS_READ, tx, "/a/x", NULL);
	ask_write(dom0, tx, "/a/y", "2");
	ask_write(other, 0, "/b/x", "2");
	ask_write(other, 0, "/a/z", "2");
	ask(other, XS_RM, 0, "/b", NULL);
	assert_int_equal(commit(dom0, tx), 3);
	assert_reads(dom0, "/a/y", "2");
	assert_reads(dom0, "/a/z", "2");
	assert_int_equal(ask(dom0, XS_READ, 0, "/b/x", NULL), -ENOENT);
}

/* Runs `what` in a transaction, lets another client interfere, and commits. */
static int interfere(uint32_t type, const char *path, uint32_t other_type, const char *other_path)
{
	struct conn *other = conn_create(&store, 0, false);
	uint32_t tx = ask_begin(dom0);

	ask(dom0, type, tx, path, NULL);
	ask_write(dom0, tx, "/result", "x");
	if (other_type == XS_WRITE)
		ask_write(other, 0, other_path, "changed");
	else if (other_type == XS_SET_PERMS)
		ask(other, XS_SET_PERMS, 0, other_path, "r0", NULL);
	else
		ask(other, other_type, 0, other_path, NULL);
	conn_destroy(other);
	return commit(dom0, tx);
}

static void what_was_looked_at_conflicts(void **state)
{
	(void)state;
	ask_write(dom0, 0, "/a/x", "1");
	assert_int_equal(interfere(XS_READ, "/a/x", XS_WRITE, "/a/x"), -EAGAIN);
	assert_int_equal(interfere(XS_READ, "/a/x", XS_SET_PERMS, "/a/x"), -EAGAIN);
	assert_int_equal(interfere(XS_READ, "/a/x", XS_RM, "/a/x"), -EAGAIN);
	/* Absence is an observation too. */
	assert_int_equal(interfere(XS_READ, "/a/n", XS_WRITE, "/a/n"), -EAGAIN);
	assert_int_equal(interfere(XS_DIRECTORY, "/a", XS_WRITE, "/a/m"), -EAGAIN);
	assert_int_equal(interfere(XS_DIRECTORY, "/a", XS_RM, "/a/m"), -EAGAIN);
	assert_int_equal(interfere(XS_GET_PERMS, "/a", XS_SET_PERMS, "/a"), -EAGAIN);
	assert_int_equal(interfere(XS_MKDIR, "/a", XS_RM, "/a"), -EAGAIN);
	/* The list of children does not tell a value, nor the other way round. */
	assert_int_equal(interfere(XS_DIRECTORY, "/b", XS_WRITE, "/c"), 3);
	ask_write(dom0, 0, "/a/x", "1");
	assert_int_equal(interfere(XS_DIRECTORY, "/a", XS_WRITE, "/a"), 3);
	assert_int_equal(interfere(XS_READ, "/a", XS_WRITE, "/a/k"), 3);
}

static void a_write_conflicts_with_a_write(void **state)
{
	struct conn *other = conn_create(&store, 0, false);
	uint32_t tx;

	(void)state;
	tx = ask_begin(dom0);
	ask_write(dom0, tx, "/a", "mine");
	ask_write(other, 0, "/a", "yours");
	assert_int_equal(commit(dom0, tx), -EAGAIN);
	assert_reads(dom0, "/a", "yours");
	/* Two making the same directory on the way do not. */
	tx = ask_begin(dom0);
	ask_write(dom0, tx, "/dir/mine", "1");
	ask_write(other, 0, "/dir/yours", "1");
	assert_int_equal(commit(dom0, tx), 3);
	assert_reads(dom0, "/dir/yours", "1");
}

static void reading_alone_never_fails(void **state)
{
	struct conn *other = conn_create(&store, 0, false);
	uint32_t tx;

	(void)state;
	ask_write(dom0, 0, "/a", "1");
	tx = ask_begin(dom0);
	ask(dom0, XS_READ, tx, "/a", NULL);
	ask_write(other, 0, "/a", "2");
	assert_int_equal(commit(dom0, tx), 3);
}

static void aborted_leaves_nothing(void **state)
{
	uint32_t tx;

	(void)state;
	tx = ask_begin(dom0);
	ask_write(dom0, tx, "/a/b", "1");
	ask(dom0, XS_RM, tx, "/tool", NULL);
	assert_int_equal(ask(dom0, XS_TRANSACTION_END, tx, "F", NULL), 3);
	assert_int_equal(ask(dom0, XS_READ, 0, "/a", NULL), -ENOENT);
	assert_reads(dom0, "/tool", "");
}

static void malformed_ends_are_refused(void **state)
{
	uint32_t tx;

	(void)state;
	tx = ask_begin(dom0);
	assert_int_equal(ask(dom0, XS_TRANSACTION_END, tx, "X", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_TRANSACTION_END, tx, "", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_TRANSACTION_END, 0, "T", NULL), -ENOENT);
	assert_int_equal(ask(dom0, XS_TRANSACTION_START, tx, "", NULL), -EBUSY);
	assert_int_equal(ask_bytes(dom0, XS_TRANSACTION_END, tx, "T", 1), -EINVAL);
	assert_int_equal(commit(dom0, tx), 3);
}

/* All or nothing, also when a step became forbidden meanwhile. */
static void a_commit_is_checked_again(void **state)
{
	struct conn *five = fixture_domain(5);
	uint32_t tx;

	(void)state;
	ask(dom0, XS_MKDIR, 0, "/shared", NULL);
	ask(dom0, XS_SET_PERMS, 0, "/shared", "b0", NULL);
	tx = ask_begin(five);
	assert_int_equal(ask_write(five, tx, "first", "1"), 3);
	assert_int_equal(ask_write(five, tx, "/shared/second", "1"), 3);
	ask(dom0, XS_SET_PERMS, 0, "/shared", "n0", NULL);
	assert_int_equal(commit(five, tx), -EAGAIN);
	assert_int_equal(ask(five, XS_READ, 0, "first", NULL), -ENOENT);
}

static void a_domain_has_so_many_transactions(void **state)
{
	struct conn *five = fixture_domain(5);
	uint32_t tx = 0;

	(void)state;
	for (int i = 0; i < store.quota.limit[QUOTA_TRANSACTIONS]; i++)
		tx = ask_begin(five);
	assert_int_equal(ask(five, XS_TRANSACTION_START, 0, "", NULL), -ENOSPC);
	assert_int_equal(commit(five, tx), 3);
	assert_int_equal(ask(five, XS_TRANSACTION_START, 0, "", NULL), strlen(answer.data) + 1);
	assert_int_equal(ask(five, XS_RESET_WATCHES, 0, "", NULL), 3);
	assert_int_equal(five->nr_txs, 0);
}

static void a_transaction_touches_so_many_nodes(void **state)
{
	struct conn *five = fixture_domain(5);
	char path[32];
	uint32_t tx;

	(void)state;
	store.quota.limit[QUOTA_TX_NODES] = 10;
	tx = ask_begin(five);
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "n%d", i);
		assert_int_equal(ask_write(five, tx, path, "1"), 3);
	}
	assert_int_equal(ask_write(five, tx, "more", "1"), -ENOSPC);
	assert_int_equal(ask(five, XS_READ, tx, "more", NULL), -ENOSPC);
	/* The same again is no more. */
	assert_int_equal(ask_write(five, tx, "n0", "2"), 3);
	assert_int_equal(commit(five, tx), 3);
}

/* Changes in a transaction count against what a domain may hold at once. */
static void pending_changes_take_memory(void **state)
{
	struct conn *five = fixture_domain(5);
	char value[1025];
	int ret = 3, i;
	uint32_t tx;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	store.quota.limit[QUOTA_MEMORY] = 20000;
	tx = ask_begin(five);
	for (i = 0; i < 100 && ret == 3; i++)
		ret = ask_write(five, tx, "same", value);
	assert_int_equal(ret, -ENOSPC);
	assert_true(i > 10 && i < 20);
	ask(five, XS_TRANSACTION_END, tx, "F", NULL);
	assert_int_equal(five->held_bytes, 0);
	assert_int_equal(ask_write(five, 0, "same", value), 3);
}

static void quota_holds_in_transactions(void **state)
{
	struct conn *five = fixture_domain(5);
	uint32_t tx;

	(void)state;
	store.quota.limit[QUOTA_NODES] = 3;
	tx = ask_begin(five);
	assert_int_equal(ask_write(five, tx, "a", ""), 3);
	assert_int_equal(ask_write(five, tx, "b", ""), 3);
	assert_int_equal(ask_write(five, tx, "c", ""), -ENOSPC);
	/* Used up by then: the commit is refused whole. */
	assert_int_equal(ask_write(five, 0, "d", ""), 3);
	assert_int_equal(commit(five, tx), -ENOSPC);
	assert_int_equal(ask(five, XS_READ, 0, "a", NULL), -ENOENT);
	assert_int_equal(store.accounts[5].nodes, 2);
}

/* Who breaks others' transactions waits, dom0 never does. */
static void a_busy_writer_is_held(void **state)
{
	struct conn *five = fixture_domain(5);
	uint32_t tx;

	(void)state;
	store.now_ms = 100000;
	ask_write(five, 0, "x", "0");
	tx = ask_begin(dom0);
	ask(dom0, XS_READ, tx, "/local/domain/5/x", NULL);
	ask_write(dom0, tx, "/a", "1");
	ask_write(five, 0, "x", "1");
	assert_true(conn_is_ready(five));
	assert_int_equal(commit(dom0, tx), -EAGAIN);
	assert_false(conn_is_ready(five));
	store.now_ms += 1000;
	assert_true(conn_is_ready(five));
	/* dom0's own writes hold nobody. */
	tx = ask_begin(five);
	ask(five, XS_READ, tx, "x", NULL);
	ask_write(five, tx, "y", "1");
	ask_write(dom0, 0, "/local/domain/5/x", "2");
	assert_int_equal(commit(five, tx), -EAGAIN);
	assert_true(conn_is_ready(dom0));
	assert_true(conn_is_ready(five));
}

static void a_snapshot_costs_one_reference(void **state)
{
	struct node *root = store.root;
	uint32_t refs = root->refs;
	uint32_t tx = ask_begin(dom0);

	(void)state;
	assert_ptr_equal(tx_find(dom0, tx)->root, root);
	assert_int_equal(root->refs, refs + 2);
	ask(dom0, XS_TRANSACTION_END, tx, "F", NULL);
	assert_int_equal(store.root->refs, refs);
}

/* Writes every one of a domain's nodes anew: a snapshot of before holds all of the old ones. */
static void rewrite_all(struct conn *conn, int round)
{
	char path[32], value[1025];

	memset(value, 'a' + round, sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "n%d", i);
		assert_int_equal(ask_write(conn, 0, path, value), 3);
	}
}

static void old_snapshots_hold_so_much(void **state)
{
	struct conn *five = fixture_domain(5), *six = fixture_domain(6);
	uint32_t first, last, other, privileged;

	(void)state;
	store.quota.limit[QUOTA_SNAPSHOTS] = 400000;
	rewrite_all(five, 0);
	privileged = ask_begin(dom0);
	ask(dom0, XS_READ, privileged, "/local/domain/5/n0", NULL);
	first = ask_begin(five);
	assert_int_equal(ask_write(five, first, "early", "1"), 3);
	for (int i = 1; i < 9; i++) {
		rewrite_all(five, i);
		last = ask_begin(five);
		assert_true((long)node_total_bytes() - store.bytes < 400000);
	}
	assert_int_equal(ask_write(five, last, "late", "1"), 3);
	other = ask_begin(six);
	assert_int_equal(ask_write(six, other, "x", "1"), 3);
	/* The oldest went, and still answer; not the newest, nor other domains', nor dom0's. */
	assert_int_equal(ask(five, XS_READ, first, "n0", NULL), 1024);
	assert_int_not_equal(answer.data[0], 'a');
	assert_int_equal(ask_write(five, first, "more", "1"), 3);
	assert_int_equal(commit(five, first), -EAGAIN);
	assert_int_equal(commit(five, last), 3);
	assert_int_equal(commit(six, other), 3);
	ask(dom0, XS_READ, privileged, "/local/domain/5/n0", NULL);
	assert_int_equal(answer.data[0], 'a');
	assert_int_equal(commit(dom0, privileged), 3);
}

/* Every byte is let go again, whatever was done with it. */
static void node_bytes_are_counted_both_ways(void **state)
{
	struct conn *five = fixture_domain(5);
	size_t before = node_total_bytes();
	uint32_t tx;

	(void)state;
	rewrite_all(five, 0);
	tx = ask_begin(five);
	rewrite_all(five, 1);
	assert_int_equal(ask_write(five, tx, "n0/below", "1"), 3);
	assert_int_equal(ask(five, XS_RM, tx, "n1", NULL), 3);
	assert_true(node_total_bytes() > before + 200 * 1024);
	ask(five, XS_TRANSACTION_END, tx, "F", NULL);
	for (int i = 0; i < 100; i++) {
		char path[32];

		snprintf(path, sizeof(path), "n%d", i);
		assert_int_equal(ask(five, XS_RM, 0, path, NULL), 3);
	}
	assert_int_equal(node_total_bytes(), before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_snapshot_hides_others),
		TEST(unrelated_changes_do_not_conflict),
		TEST(what_was_looked_at_conflicts),
		TEST(a_write_conflicts_with_a_write),
		TEST(reading_alone_never_fails),
		TEST(aborted_leaves_nothing),
		TEST(malformed_ends_are_refused),
		TEST(a_commit_is_checked_again),
		TEST(a_domain_has_so_many_transactions),
		TEST(a_transaction_touches_so_many_nodes),
		TEST(pending_changes_take_memory),
		TEST(quota_holds_in_transactions),
		TEST(a_busy_writer_is_held),
		TEST(a_snapshot_costs_one_reference),
		TEST(old_snapshots_hold_so_much),
		TEST(node_bytes_are_counted_both_ways),
	};

	return cmocka_run_group_tests_name("stored/transaction", tests, NULL, NULL);
}
