/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests about domains, quotas of nodes, and CONTROL.
 * Tools: stored
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

static void domains_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(ask(dom0, XS_IS_DOMAIN_INTRODUCED, 0, "5", NULL), 2);
	assert_string_equal(answer.data, "F");
	fixture_domain(5);
	ask(dom0, XS_IS_DOMAIN_INTRODUCED, 0, "5", NULL);
	assert_string_equal(answer.data, "T");
	/* Again is no error: the ring may have changed. */
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "5", "4097", "8", NULL), 3);
	assert_int_equal(domain_find(&store, 5)->gfn, 4097);
	assert_int_equal(ask(dom0, XS_RELEASE, 0, "5", NULL), 3);
	assert_int_equal(ask(dom0, XS_RELEASE, 0, "5", NULL), -ENOENT);
	ask(dom0, XS_IS_DOMAIN_INTRODUCED, 0, "5", NULL);
	assert_string_equal(answer.data, "F");
	ask(dom0, XS_IS_DOMAIN_INTRODUCED, 0, "0", NULL);
	assert_string_equal(answer.data, "T");
}

/* Another channel for the same page keeps what the guest holds; another page does not. */
static void a_second_introduction(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	assert_int_equal(ask(five, XS_WATCH, 0, "x", "t", NULL), 3);
	ask_begin(five);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "5", "4096", "9", NULL), 3);
	assert_ptr_equal(domain_find(&store, 5)->conn, five);
	assert_int_equal(domain_find(&store, 5)->port, 9);
	assert_int_equal(five->nr_watches, 1);
	assert_int_equal(five->nr_txs, 1);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "5", "4097", "9", NULL), 3);
	assert_int_equal(five->nr_watches, 0);
	assert_int_equal(five->nr_txs, 0);
	assert_null(five->out);
}

static void introduction_is_checked(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "0", "1", "1", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "32752", "1", "1", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "6", "1", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "6", "x", "1", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "6", "", "1", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "6", "1", "x", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "6", "1", "4294967296", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "-6", "1", "1", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "6x", "1", "1", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "6", "-5", "1", NULL), 3);
	assert_int_equal(ask(dom0, XS_RELEASE, 0, "0", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_RESUME, 0, "9", NULL), -ENOENT);
	assert_int_equal(ask(five, XS_INTRODUCE, 0, "7", "1", "1", NULL), -EACCES);
	assert_int_equal(ask(five, XS_RELEASE, 0, "6", NULL), -EACCES);
	assert_int_equal(ask(five, XS_RESUME, 0, "6", NULL), -EACCES);
	assert_int_equal(ask(five, XS_CONTROL, 0, "help", NULL), -EACCES);
}

static int refuse(struct store *which, struct domain *domain)
{
	(void)which;
	(void)domain;
	return -ENOENT;
}

static void a_domain_out_of_reach_is_not_introduced(void **state)
{
	static const struct store_ops ops = {.attach = refuse};

	(void)state;
	store.ops = &ops;
	assert_int_equal(ask(dom0, XS_INTRODUCE, 0, "5", "1", "1", NULL), -ENOENT);
	store.ops = NULL;
	assert_null(domain_find(&store, 5));
}

static void domain_paths(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	ask(five, XS_GET_DOMAIN_PATH, 0, "7", NULL);
	assert_string_equal(answer.data, "/local/domain/7");
	assert_int_equal(ask(five, XS_GET_DOMAIN_PATH, 0, "x", NULL), -EINVAL);
	assert_int_equal(ask(five, XS_GET_DOMAIN_PATH, 0, "99999", NULL), -EINVAL);
}

/* A number used again must not inherit what the last bearer could do. */
static void the_dead_leave_no_rights(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	ask_write(five, 0, "x", "1");
	ask_write(dom0, 0, "/a", "1");
	ask(dom0, XS_SET_PERMS, 0, "/a", "n0", "r5", "r6", NULL);
	ask(dom0, XS_SET_PERMS, 0, "@releaseDomain", "n0", "r5", NULL);
	domain_release(domain_find(&store, 5), true);
	ask(dom0, XS_GET_PERMS, 0, "/a", NULL);
	assert_memory_equal(answer.data, "n0\0r6\0", 6);
	ask(dom0, XS_GET_PERMS, 0, "/local/domain/5/x", NULL);
	assert_string_equal(answer.data, "n0");
	ask(dom0, XS_GET_PERMS, 0, "@releaseDomain", NULL);
	assert_int_equal(answer.len, 3);
	assert_int_equal(store.accounts[5].nodes, 0);
	assert_int_equal(store.accounts[5].bytes, 0);
}

static void a_domain_owns_so_many_nodes(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	store.quota.limit[QUOTA_NODES] = 4;
	assert_int_equal(ask_write(five, 0, "a/b", ""), 3);
	/* All that a request would create counts. */
	assert_int_equal(ask_write(five, 0, "c/d", ""), -ENOSPC);
	assert_int_equal(ask(five, XS_READ, 0, "c", NULL), -ENOENT);
	assert_int_equal(ask(five, XS_MKDIR, 0, "c", NULL), 3);
	assert_int_equal(ask(five, XS_MKDIR, 0, "d", NULL), -ENOSPC);
	assert_int_equal(ask_write(five, 0, "c", "still writable"), 3);
	assert_int_equal(ask(five, XS_RM, 0, "a", NULL), 3);
	assert_int_equal(store.accounts[5].nodes, 2);
	assert_int_equal(ask(five, XS_MKDIR, 0, "d", NULL), 3);
}

static void nodes_are_so_large(void **state)
{
	struct conn *five = fixture_domain(5);
	char value[4001];

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(ask_write(dom0, 0, "/large", value), 3);
	assert_int_equal(ask_write(five, 0, "large", value), -ENOSPC);
	value[2048 - sizeof(struct perm)] = '\0';
	assert_int_equal(ask_write(five, 0, "large", value), 3);
	value[2048 - sizeof(struct perm)] = 'v';
	value[2048 - sizeof(struct perm) + 1] = '\0';
	assert_int_equal(ask_write(five, 0, "large", value), -ENOSPC);
	assert_int_equal(ask(five, XS_SET_PERMS, 0, "large", "n5", "r1", "r2", "r3", "r4", NULL),
			 3);
	assert_int_equal(
		ask(five, XS_SET_PERMS, 0, "large", "n5", "r1", "r2", "r3", "r4", "r6", NULL),
		-ENOSPC);
}

static void a_domain_uses_so_much_memory(void **state)
{
	struct conn *five = fixture_domain(5);
	char value[1001];
	char path[16];
	int ret = 3, i;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	store.quota.limit[QUOTA_MEMORY] = 20000;
	for (i = 0; i < 100 && ret == 3; i++) {
		snprintf(path, sizeof(path), "n%d", i);
		ret = ask_write(five, 0, path, value);
	}
	assert_int_equal(ret, -ENOSPC);
	assert_true(i > 10 && i < 20);
	assert_true(store.accounts[5].bytes <= 20000);
	/* Growth counts too. */
	store.quota.limit[QUOTA_MEMORY] = store.accounts[5].bytes + 100;
	assert_int_equal(ask_write(five, 0, "n0", "short"), 3);
	store.quota.limit[QUOTA_MEMORY] = store.accounts[5].bytes + 100;
	assert_int_equal(ask_write(five, 0, "n0", value), -ENOSPC);
}

/* Requests wait while the answers of earlier ones are not taken. */
static void answers_are_bounded(void **state)
{
	struct conn *five = fixture_domain(5);
	struct xsd_sockmsg hdr = {.type = XS_READ, .len = 2};
	int i;

	(void)state;
	for (i = 0; conn_is_ready(five) && i < 1000; i++) {
		memcpy(five->in, &hdr, sizeof(hdr));
		memcpy(five->in + sizeof(hdr), "x", 2);
		five->in_used = sizeof(hdr) + 2;
		request_process(five);
	}
	assert_int_equal(i, store.quota.limit[QUOTA_OUTSTANDING]);
	conn_output_taken(five, five->out->len);
	assert_true(conn_is_ready(five));
}

static void control_commands(void **state)
{
	(void)state;
	fixture_domain(5);
	assert_true(ask(dom0, XS_CONTROL, 0, "help", NULL) > 10);
	assert_non_null(strstr(answer.data, "quota"));
	ask(dom0, XS_CONTROL, 0, "check", NULL);
	assert_string_equal(answer.data, "OK");
	store.accounts[5].nodes++;
	ask(dom0, XS_CONTROL, 0, "check", NULL);
	assert_string_not_equal(answer.data, "OK");
	store.accounts[5].nodes--;
	ask(dom0, XS_CONTROL, 0, "quota", NULL);
	assert_non_null(strstr(answer.data, "nodes              1000\n"));
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "quota", "nodes", "7", NULL), 3);
	assert_int_equal(store.quota.limit[QUOTA_NODES], 7);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "quota", "nodes", "0", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "quota", "nodes", "7x", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "quota", "none", "7", NULL), -ENOENT);
	ask(dom0, XS_CONTROL, 0, "quota", "5", NULL);
	assert_non_null(strstr(answer.data, "nodes              1\n"));
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "quota", "x", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "log", "on", NULL), 3);
	assert_true(store.is_traced);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "log", "off", NULL), 3);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "log", "maybe", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "log", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "check", "x", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "print", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "print", "hello", NULL), 3);
	assert_true(ask(dom0, XS_CONTROL, 0, "memreport", NULL) > 10);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "memreport", "x", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_CONTROL, 0, "nonsense", NULL), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(domains_come_and_go),
		TEST(a_second_introduction),
		TEST(introduction_is_checked),
		TEST(a_domain_out_of_reach_is_not_introduced),
		TEST(domain_paths),
		TEST(the_dead_leave_no_rights),
		TEST(a_domain_owns_so_many_nodes),
		TEST(nodes_are_so_large),
		TEST(a_domain_uses_so_much_memory),
		TEST(answers_are_bounded),
		TEST(control_commands),
	};

	return cmocka_run_group_tests_name("stored/domain", tests, NULL, NULL);
}
