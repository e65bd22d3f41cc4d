/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests about nodes: reading, listing, changing, permissions, and every way
 * in which one is refused.
 * Tools: stored
 */
#include <errno.h>
#include <stdio.h>

#include "fixture.h"

static void write_creates_parents(void **state)
{
	(void)state;
	assert_int_equal(ask_write(dom0, 0, "/a/b/c", "value"), 3);
	assert_string_equal(answer.data, "OK");
	assert_reads(dom0, "/a/b/c", "value");
	assert_reads(dom0, "/a/b", "");
	assert_int_equal(ask_write(dom0, 0, "/a/b/c", ""), 3);
	assert_reads(dom0, "/a/b/c", "");
	assert_int_equal(ask(dom0, XS_READ, 0, "/a/x", NULL), -ENOENT);
	assert_int_equal(ask(dom0, XS_READ, 0, "/a/b/c/d", NULL), -ENOENT);
}

static void values_may_hold_any_byte(void **state)
{
	const char message[] = "/bin\0a\0b\xff";

	(void)state;
	assert_int_equal(ask_bytes(dom0, XS_WRITE, 0, message, 9), 3);
	assert_int_equal(ask(dom0, XS_READ, 0, "/bin", NULL), 4);
	assert_memory_equal(answer.data, "a\0b\xff", 4);
}

static void mkdir_keeps_what_is_there(void **state)
{
	(void)state;
	ask_write(dom0, 0, "/a", "1");
	assert_int_equal(ask(dom0, XS_MKDIR, 0, "/a", NULL), 3);
	assert_int_equal(ask(dom0, XS_MKDIR, 0, "/a/b", NULL), 3);
	assert_reads(dom0, "/a", "1");
	assert_reads(dom0, "/a/b", "");
}

static void rm_takes_the_subtree(void **state)
{
	(void)state;
	ask_write(dom0, 0, "/a/b/c", "1");
	ask_write(dom0, 0, "/a/bb", "2");
	assert_int_equal(ask(dom0, XS_RM, 0, "/a/b", NULL), 3);
	assert_int_equal(ask(dom0, XS_READ, 0, "/a/b/c", NULL), -ENOENT);
	assert_reads(dom0, "/a/bb", "2");
	/* Not there: fine; without a parent: not. */
	assert_int_equal(ask(dom0, XS_RM, 0, "/a/b", NULL), 3);
	assert_int_equal(ask(dom0, XS_RM, 0, "/a/b/c", NULL), -ENOENT);
	assert_int_equal(ask(dom0, XS_RM, 0, "/", NULL), -EINVAL);
}

static void directory_lists_children(void **state)
{
	(void)state;
	ask_write(dom0, 0, "/a/two", "");
	ask_write(dom0, 0, "/a/one", "");
	ask_write(dom0, 0, "/a/one/deeper", "");
	assert_int_equal(ask(dom0, XS_DIRECTORY, 0, "/a", NULL), 8);
	assert_memory_equal(answer.data, "one\0two\0", 8);
	assert_int_equal(ask(dom0, XS_DIRECTORY, 0, "/a/two", NULL), 0);
	assert_int_equal(ask(dom0, XS_DIRECTORY, 0, "/none", NULL), -ENOENT);
}

/* Puts a list longer than a message together from its parts. */
static void directory_part_gives_long_lists(void **state)
{
	char path[64], offset[16], generation[32] = "", whole[32768];
	size_t have = 0, skip;
	int len;

	(void)state;
	for (int i = 0; i < 900; i++) {
		snprintf(path, sizeof(path), "/big/child-%04d", i);
		ask_write(dom0, 0, path, "");
	}
	assert_int_equal(ask(dom0, XS_DIRECTORY, 0, "/big", NULL), -E2BIG);
	for (;;) {
		snprintf(offset, sizeof(offset), "%zu", have);
		len = ask(dom0, XS_DIRECTORY_PART, 0, "/big", offset, NULL);
		assert_true(len > 0);
		skip = strlen(answer.data) + 1;
		if (have)
			assert_string_equal(generation, answer.data);
		strcpy(generation, answer.data);
		memcpy(whole + have, answer.data + skip, (size_t)len - skip);
		have += (size_t)len - skip;
		if (have > 1 && !whole[have - 1] && !whole[have - 2])
			break;
	}
	assert_int_equal(have, 900 * 11 + 1);
	assert_string_equal(whole + 899 * 11, "child-0899");
	ask_write(dom0, 0, "/big/more", "");
	ask(dom0, XS_DIRECTORY_PART, 0, "/big", "0", NULL);
	assert_string_not_equal(generation, answer.data);
	/* Beyond the end there is only the end. */
	len = ask(dom0, XS_DIRECTORY_PART, 0, "/big", "999999", NULL);
	assert_int_equal(len, strlen(answer.data) + 2);
	assert_int_equal(ask(dom0, XS_DIRECTORY_PART, 0, "/big", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_DIRECTORY_PART, 0, "/big", "x", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_DIRECTORY_PART, 0, "/big", "-1", NULL), -EINVAL);
}

static void malformed_paths_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "//", "/a//b", "/a/", "/a b", "/a.b", "/a\n", "/a:b", "/\xc3\xa4", "a//b", "a/",
	};
	char path[XENSTORE_ABS_PATH_MAX + 8];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ask(dom0, XS_READ, 0, bad[i], NULL), -EINVAL);
		assert_int_equal(ask_write(dom0, 0, bad[i], "x"), -EINVAL);
		assert_int_equal(ask(dom0, XS_MKDIR, 0, bad[i], NULL), -EINVAL);
		assert_int_equal(ask(dom0, XS_RM, 0, bad[i], NULL), -EINVAL);
	}
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[XENSTORE_ABS_PATH_MAX] = '\0';
	assert_int_equal(ask(dom0, XS_MKDIR, 0, path, NULL), 3);
	path[XENSTORE_ABS_PATH_MAX] = 'a';
	path[XENSTORE_ABS_PATH_MAX + 1] = '\0';
	assert_int_equal(ask(dom0, XS_MKDIR, 0, path, NULL), -EINVAL);
	memset(path, 'a', sizeof(path));
	path[XENSTORE_REL_PATH_MAX] = '\0';
	assert_int_equal(ask(dom0, XS_MKDIR, 0, path, NULL), 3);
	path[XENSTORE_REL_PATH_MAX] = 'a';
	path[XENSTORE_REL_PATH_MAX + 1] = '\0';
	assert_int_equal(ask(dom0, XS_MKDIR, 0, path, NULL), -EINVAL);
	/* What begins with '@' is no node. */
	assert_int_equal(ask_write(dom0, 0, "@releaseDomain", "x"), -EINVAL);
}

static void malformed_messages_are_refused(void **state)
{
	(void)state;
	assert_int_equal(ask_bytes(dom0, XS_READ, 0, NULL, 0), -EINVAL);
	assert_int_equal(ask_bytes(dom0, XS_READ, 0, "/a", 2), -EINVAL);
	assert_int_equal(ask_bytes(dom0, XS_READ, 0, "/a\0b\0", 5), -EINVAL);
	assert_int_equal(ask_bytes(dom0, XS_WRITE, 0, "/a", 2), -EINVAL);
	assert_int_equal(ask_bytes(dom0, XS_WRITE, 0, NULL, 0), -EINVAL);
	assert_int_equal(ask_bytes(dom0, XS_DIRECTORY, 0, "/a", 2), -EINVAL);
	assert_int_equal(ask_bytes(dom0, XS_SET_PERMS, 0, "/tool", 6), -EINVAL);
	assert_int_equal(ask(dom0, XS_TYPE_COUNT, 0, "/", NULL), -ENOSYS);
	assert_int_equal(ask(dom0, 20, 0, "/", NULL), -ENOSYS);
	assert_int_equal(ask(dom0, XS_WATCH_EVENT, 0, "/", NULL), -ENOSYS);
	assert_int_equal(ask(dom0, XS_ERROR, 0, "/", NULL), -ENOSYS);
	assert_int_equal(ask(dom0, XS_INVALID, 0, "/", NULL), -ENOSYS);
	assert_int_equal(ask(dom0, XS_READ, 12345, "/", NULL), -ENOENT);
}

static void relative_paths_begin_at_home(void **state)
{
	struct conn *dom = fixture_domain(5);

	(void)state;
	assert_int_equal(ask_write(dom, 0, "data/x", "1"), 3);
	assert_reads(dom0, "/local/domain/5/data/x", "1");
	assert_int_equal(ask_write(dom0, 0, "name", "dom0"), 3);
	assert_reads(dom0, "/local/domain/0/name", "dom0");
}

static void created_nodes_belong_to_the_creator(void **state)
{
	struct conn *dom = fixture_domain(5);

	(void)state;
	assert_int_equal(ask(dom0, XS_MKDIR, 0, "/shared", NULL), 3);
	assert_int_equal(ask(dom0, XS_SET_PERMS, 0, "/shared", "b0", "r6", NULL), 3);
	assert_int_equal(ask_write(dom, 0, "/shared/mine", "1"), 3);
	ask(dom0, XS_GET_PERMS, 0, "/shared/mine", NULL);
	assert_memory_equal(answer.data, "b5\0r6\0", 6);
	/* What dom0 makes in a domain's home is the domain's. */
	ask_write(dom0, 0, "/local/domain/5/device", "");
	ask(dom0, XS_GET_PERMS, 0, "/local/domain/5/device", NULL);
	assert_string_equal(answer.data, "n5");
}

static void permissions_are_enforced(void **state)
{
	struct conn *five = fixture_domain(5), *six = fixture_domain(6);

	(void)state;
	ask_write(five, 0, "secret", "1");
	/* Missing or not: to a stranger it looks the same. */
	assert_int_equal(ask(six, XS_READ, 0, "/local/domain/5/secret", NULL), -EACCES);
	assert_int_equal(ask(six, XS_READ, 0, "/local/domain/5/nothing", NULL), -EACCES);
	assert_int_equal(ask(six, XS_DIRECTORY, 0, "/local/domain/5", NULL), -EACCES);
	assert_int_equal(ask(six, XS_GET_PERMS, 0, "/local/domain/5/secret", NULL), -EACCES);
	assert_int_equal(ask_write(six, 0, "/local/domain/5/secret", "2"), -EACCES);
	assert_int_equal(ask_write(six, 0, "/local/domain/5/new", "2"), -EACCES);
	assert_int_equal(ask(six, XS_MKDIR, 0, "/local/domain/5/new", NULL), -EACCES);
	assert_int_equal(ask(six, XS_MKDIR, 0, "/local/domain/5/secret", NULL), -EACCES);
	assert_int_equal(ask(six, XS_RM, 0, "/local/domain/5/secret", NULL), -EACCES);
	assert_int_equal(ask(six, XS_RM, 0, "/local/domain/5/a/b", NULL), -EACCES);
	assert_int_equal(ask(six, XS_SET_PERMS, 0, "/local/domain/5/secret", "b6", NULL), -EACCES);
	/* Reading may be given without writing, and the other way round. */
	assert_int_equal(ask(five, XS_SET_PERMS, 0, "secret", "n5", "r6", NULL), 3);
	assert_reads(six, "/local/domain/5/secret", "1");
	assert_int_equal(ask_write(six, 0, "/local/domain/5/secret", "2"), -EACCES);
	assert_int_equal(ask(five, XS_SET_PERMS, 0, "secret", "n5", "w6", NULL), 3);
	assert_int_equal(ask_write(six, 0, "/local/domain/5/secret", "2"), 3);
	assert_int_equal(ask(six, XS_READ, 0, "/local/domain/5/secret", NULL), -EACCES);
	/* To write is not to own. */
	assert_int_equal(ask(six, XS_SET_PERMS, 0, "/local/domain/5/secret", "b5", NULL), -EACCES);
	/* Those not listed get the owner entry's bits; the listed, only theirs. */
	assert_int_equal(ask(five, XS_SET_PERMS, 0, "secret", "r5", "n6", NULL), 3);
	assert_int_equal(ask(six, XS_READ, 0, "/local/domain/5/secret", NULL), -EACCES);
	assert_reads(fixture_domain(7), "/local/domain/5/secret", "2");
}

static void only_dom0_gives_nodes_away(void **state)
{
	struct conn *five = fixture_domain(5);

	(void)state;
	ask_write(five, 0, "x", "1");
	assert_int_equal(ask(five, XS_SET_PERMS, 0, "x", "n6", NULL), -EPERM);
	assert_int_equal(ask(five, XS_SET_PERMS, 0, "x", "n0", NULL), -EPERM);
	assert_int_equal(ask(dom0, XS_SET_PERMS, 0, "/local/domain/5/x", "n6", NULL), 3);
	assert_int_equal(ask(five, XS_READ, 0, "x", NULL), -EACCES);
}

static void malformed_permissions_are_refused(void **state)
{
	static const char *const bad[] = {"x5", "r", "r-1", "r 5", "r5x", "r65536", "5", "rr5"};

	(void)state;
	ask_write(dom0, 0, "/a", "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ask(dom0, XS_SET_PERMS, 0, "/a", bad[i], NULL), -EINVAL);
		assert_int_equal(ask(dom0, XS_SET_PERMS, 0, "/a", "n0", bad[i], NULL), -EINVAL);
	}
	assert_int_equal(ask(dom0, XS_SET_PERMS, 0, "/a", "", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_SET_PERMS, 0, "/none", "n0", NULL), -ENOENT);
	assert_int_equal(ask(dom0, XS_SET_PERMS, 0, "/a", "n0", "r5", "", NULL), 3);
	ask(dom0, XS_GET_PERMS, 0, "/a", NULL);
	assert_memory_equal(answer.data, "n0\0r5\0", 6);
}

static void a_target_lends_its_rights(void **state)
{
	struct conn *five = fixture_domain(5), *six = fixture_domain(6);

	(void)state;
	ask_write(five, 0, "x", "1");
	assert_int_equal(ask(six, XS_SET_TARGET, 0, "6", "5", NULL), -EACCES);
	assert_int_equal(ask(dom0, XS_SET_TARGET, 0, "6", "5", NULL), 3);
	assert_reads(six, "/local/domain/5/x", "1");
	assert_int_equal(ask_write(six, 0, "/local/domain/5/y", "2"), 3);
	assert_int_equal(ask(five, XS_READ, 0, "/local/domain/6", NULL), -EACCES);
	/* Nobody becomes dom0, nor itself, nor what is not there. */
	assert_int_equal(ask(dom0, XS_SET_TARGET, 0, "6", "0", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_SET_TARGET, 0, "0", "6", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_SET_TARGET, 0, "6", "6", NULL), -EINVAL);
	assert_int_equal(ask(dom0, XS_SET_TARGET, 0, "6", "9", NULL), -ENOENT);
	assert_int_equal(ask(dom0, XS_SET_TARGET, 0, "9", "6", NULL), -ENOENT);
	assert_int_equal(ask(dom0, XS_SET_TARGET, 0, "6", NULL), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(write_creates_parents),
		TEST(values_may_hold_any_byte),
		TEST(mkdir_keeps_what_is_there),
		TEST(rm_takes_the_subtree),
		TEST(directory_lists_children),
		TEST(directory_part_gives_long_lists),
		TEST(malformed_paths_are_refused),
		TEST(malformed_messages_are_refused),
		TEST(relative_paths_begin_at_home),
		TEST(created_nodes_belong_to_the_creator),
		TEST(permissions_are_enforced),
		TEST(only_dom0_gives_nodes_away),
		TEST(malformed_permissions_are_refused),
		TEST(a_target_lends_its_rights),
	};

	return cmocka_run_group_tests_name("stored/node", tests, NULL, NULL);
}
