/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal: that it gives back the store as it was, whenever the daemon is
 * killed, and that damage to it is noticed.
 * Tools: stored
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static char path[64];

static int setup(void **state)
{
	snprintf(path, sizeof(path), "/tmp/test-journal-%d", (int)getpid());
	fixture_setup(state);
	assert_int_equal(journal_start(&store, path, "boot"), 0);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	return fixture_teardown(state);
}

/* What the journal says, as text; the caller frees it. */
static char *describe_journal(void)
{
	struct domain *domain, *tmp;
	struct store other;
	bool torn;
	char *text;

	assert_int_equal(store_init(&other, NULL, NULL), 0);
	assert_int_equal(journal_load(&other, path, "boot", &torn), 1);
	assert_false(torn);
	text = fixture_describe(&other);
	list_for_each_entry_safe(domain, tmp, &other.domains, link)
		domain_release(domain, false);
	store_fini(&other);
	return text;
}

static void assert_journal_agrees(void)
{
	char *ours = fixture_describe(&store), *theirs = describe_journal();

	assert_string_equal(ours, theirs);
	free(ours);
	free(theirs);
}

static void fill(void)
{
	struct conn *five = fixture_domain(5), *six = fixture_domain(6);
	uint32_t tx;

	ask_write(dom0, 0, "/a/b/c", "value");
	ask_bytes(dom0, XS_WRITE, 0, "/bin\0a\0b", 8);
	ask(dom0, XS_SET_PERMS, 0, "/a", "r0", "b5", "w6", NULL);
	ask(dom0, XS_SET_PERMS, 0, "@releaseDomain", "n0", "r5", NULL);
	ask(dom0, XS_MKDIR, 0, "/gone/too", NULL);
	ask(dom0, XS_RM, 0, "/gone", NULL);
	ask_write(five, 0, "data", "mine");
	ask(five, XS_WATCH, 0, "data", "rel", NULL);
	ask(five, XS_WATCH, 0, "/a", "abs", "2", NULL);
	ask(five, XS_WATCH, 0, "x", "dropped", NULL);
	ask(five, XS_UNWATCH, 0, "x", "dropped", NULL);
	tx = ask_begin(five);
	ask_write(five, tx, "tx", "1");
	ask(five, XS_TRANSACTION_END, tx, "T", NULL);
	ask_begin(five);
	ask(six, XS_WATCH, 0, "x", "t", NULL);
	ask_begin(six);
	ask(six, XS_RESET_WATCHES, 0, "", NULL);
	ask(dom0, XS_SET_TARGET, 0, "6", "5", NULL);
	domain_set_shut_down(domain_find(&store, 6));
	fixture_domain(7);
	domain_release(domain_find(&store, 7), true);
	fixture_domain(8);
	ask(dom0, XS_RELEASE, 0, "8", NULL);
	/* Half a request waits in it. */
	memcpy(five->in, "half", 4);
	five->in_used = 4;
	five->in_pos += 4;
	journal_input(store.journal, 5, five->in_pos, "half", 4);
	journal_commit(store.journal);
}

/*
 * The fixture takes answers out of the queue unseen; the journal still has them.
 * Recorded here as a daemon does it when it has delivered them.
 */
static void settle(void)
{
	struct domain *domain;

	list_for_each_entry(domain, &store.domains, link)
		drop_events(domain->conn);
	journal_stop(&store);
	assert_int_equal(journal_start(&store, path, "boot"), 0);
}

static void a_snapshot_holds_everything(void **state)
{
	(void)state;
	fill();
	settle();
	ask_write(dom0, 0, "/local/domain/5/data", "an event waits");
	assert_journal_agrees();
}

static void records_add_up_to_the_same(void **state)
{
	struct domain *domain;
	char *theirs;

	(void)state;
	fill();
	theirs = describe_journal();
	/* All but the queues, which the fixture has emptied behind its back. */
	assert_non_null(strstr(theirs, "c = value [5]"));
	assert_non_null(strstr(theirs, "watch /a 0 abs 2"));
	assert_non_null(strstr(theirs, "watch /local/domain/5/data 16 rel"));
	assert_null(strstr(theirs, "dropped"));
	assert_null(strstr(theirs, "gone"));
	assert_non_null(strstr(theirs, "domain 6 gfn 4096 port 7 down 1 target 1 5"));
	assert_null(strstr(theirs, "domain 7 "));
	assert_null(strstr(theirs, "domain 8 "));
	assert_non_null(strstr(theirs, "@releaseDomain 5:1"));
	assert_non_null(strstr(theirs, "in 4+4"));
	free(theirs);
	settle();
	theirs = describe_journal();
	list_for_each_entry(domain, &store.domains, link)
		assert_true(domain->domid == 5 || domain->domid == 6);
	free(theirs);
	assert_journal_agrees();
}

/* The state after each of many changes is what the journal says at that moment. */
static void every_moment_is_recoverable(void **state)
{
	char name[64], value[32];
	uint32_t seed = 7;

	(void)state;
	for (int i = 0; i < 400; i++) {
		uint32_t dice = (seed = seed * 1103515245 + 12345) >> 16;

		snprintf(name, sizeof(name), "/t/%u/%u", dice % 5, dice / 5 % 7);
		snprintf(value, sizeof(value), "%d", i);
		if (dice % 11 == 0)
			ask(dom0, XS_RM, 0, name, NULL);
		else if (dice % 13 == 0)
			ask(dom0, XS_SET_PERMS, 0, name, "n3", "r4", NULL);
		else
			ask_write(dom0, 0, name, value);
		assert_journal_agrees();
	}
}

static void it_is_replaced_when_long(void **state)
{
	char value[2001];
	size_t largest = 0;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < 3000; i++) {
		value[0] = (char)('a' + i % 26);
		assert_int_equal(ask_write(dom0, 0, "/same", value), 3);
		if (journal_size(store.journal) > largest)
			largest = journal_size(store.journal);
	}
	/* 6 MB went through it. */
	assert_true(largest < 3 << 20);
	assert_journal_agrees();
}

static void generations_are_not_used_again(void **state)
{
	struct store other;
	bool torn;

	(void)state;
	ask_write(dom0, 0, "/a", "1");
	assert_int_equal(store_init(&other, NULL, NULL), 0);
	assert_int_equal(journal_load(&other, path, "boot", &torn), 1);
	assert_true(other.gen > store.gen + 1000000);
	store_fini(&other);
}

static void another_boot_starts_anew(void **state)
{
	struct store other;
	bool torn;

	(void)state;
	assert_int_equal(store_init(&other, NULL, NULL), 0);
	assert_int_equal(journal_load(&other, path, "reboot", &torn), 0);
	assert_int_equal(journal_load(&other, "/nonexistent", "boot", &torn), 0);
	store_fini(&other);
}

static int load_damaged(const void *data, size_t len, bool *torn)
{
	struct domain *domain, *tmp;
	struct store other;
	int ret, fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, data, len), len);
	close(fd);
	assert_int_equal(store_init(&other, NULL, NULL), 0);
	ret = journal_load(&other, path, "boot", torn);
	list_for_each_entry_safe(domain, tmp, &other.domains, link)
		domain_release(domain, false);
	store_fini(&other);
	return ret;
}

static void damage_is_noticed(void **state)
{
	size_t len, batch = 4096;
	char *data;
	bool torn;
	int fd;

	(void)state;
	fill();
	len = journal_size(store.journal);
	data = malloc(len);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, data, len), len);
	close(fd);
	assert_int_equal(load_damaged(data, len, &torn), 1);
	assert_false(torn);
	/* Any byte of a batch. */
	for (size_t at = batch; at < len; at += 37) {
		data[at] ^= 0x55;
		assert_int_equal(load_damaged(data, len, &torn), 1);
		/* Padding between batches does not matter. */
		if (!torn)
			assert_int_equal(data[at] ^ 0x55, 0);
		data[at] ^= 0x55;
	}
	/* Cut short; no header; a tail that points outside. */
	assert_int_equal(load_damaged(data, len - 8, &torn), -EINVAL);
	assert_int_equal(load_damaged(data, 100, &torn), -EINVAL);
	data[0] ^= 1;
	assert_int_equal(load_damaged(data, len, &torn), -EINVAL);
	data[0] ^= 1;
	memset(data + 8, 0xff, 8);
	assert_int_equal(load_damaged(data, len, &torn), -EINVAL);
	memset(data + 8, 0, 8);
	assert_int_equal(load_damaged(data, len, &torn), -EINVAL);
	free(data);
}

/* A child writes without end and is killed at a random moment; many times. */
static void killed_at_any_moment(void **state)
{
	volatile uint32_t *acknowledged =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char number[16];
	bool torn;

	(void)state;
	for (uint32_t round = 0; round < 25; round++) {
		uint32_t enough = *acknowledged + 4 + round;
		pid_t child = fork();

		if (!child) {
			for (uint32_t i = *acknowledged + 1;; i++) {
				char name[32];

				snprintf(name, sizeof(name), "/count/%u", i % 50);
				snprintf(number, sizeof(number), "%u", i);
				ask_write(dom0, 0, name, number);
				ask_write(dom0, 0, "/last", number);
				*acknowledged = i;
			}
		}
		/* However slow the machine is, it has got so far; the last step is the random one. */
		for (unsigned int n = 0; *acknowledged < enough && n < 100000; n++)
			usleep(100);
		usleep(round * 37 % 200);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		/* The child's journal goes on: the next round starts from it. */
		journal_stop(&store);
		fixture_teardown(NULL);
		assert_int_equal(store_init(&store, NULL, NULL), 0);
		assert_int_equal(journal_load(&store, path, "boot", &torn), 1);
		assert_false(torn);
		dom0 = conn_create(&store, 0, false);
		assert_int_equal(journal_start(&store, path, "boot"), 0);
		if (!*acknowledged)
			continue;
		assert_true(ask(dom0, XS_READ, 0, "/last", NULL) > 0);
		uint32_t last = (uint32_t)strtoul(answer.data, NULL, 10);

		/* All that was acknowledged, and at most the one after it. */
		assert_true(last == *acknowledged || last == *acknowledged + 1);
		for (uint32_t i = last > 49 ? last - 49 : 1; i <= last; i++) {
			char name[32];

			snprintf(name, sizeof(name), "/count/%u", i % 50);
			assert_true(ask(dom0, XS_READ, 0, name, NULL) > 0);
			assert_true(strtoul(answer.data, NULL, 10) >= i);
		}
		ask(dom0, XS_CONTROL, 0, "check", NULL);
		assert_string_equal(answer.data, "OK");
	}
	assert_true(*acknowledged > 100);
	munmap((void *)acknowledged, 4096);
}

/* Where there is no room, requests are refused before anything is done. */
static void no_room_is_refused(void **state)
{
	struct rlimit limit = {.rlim_max = RLIM_INFINITY}, old;
	char value[2001];
	int ret = 3, i;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	getrlimit(RLIMIT_FSIZE, &old);
	limit.rlim_cur = 1 << 20;
	limit.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	for (i = 0; i < 1000 && ret == 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "/n/%d", i);
		ret = ask_write(dom0, 0, name, value);
	}
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(ret, -ENOSPC);
	assert_true(i > 100);
	/* What was refused did not happen, what was acknowledged did. */
	assert_journal_agrees();
	assert_int_equal(ask_write(dom0, 0, "/room", "again"), 3);
	assert_journal_agrees();
}

/* Input that no ring would have given ends the replay; what came before stays usable. */
static void senseless_input_is_left_out(void **state)
{
	static const struct xsd_sockmsg endless = {.len = XENSTORE_PAYLOAD_MAX + 1};
	struct domain *domain, *tmp;
	struct store other;
	bool torn;

	(void)state;
	fill();
	journal_input(store.journal, 5, 99, (const char *)&endless + 4, sizeof(endless) - 4);
	journal_commit(store.journal);
	assert_int_equal(store_init(&other, NULL, NULL), 0);
	assert_int_equal(journal_load(&other, path, "boot", &torn), 1);
	assert_true(torn);
	domain = domain_find(&other, 5);
	assert_non_null(domain);
	assert_int_equal(domain->conn->in_used, 4);
	assert_int_equal(domain->conn->in_pos, 4);
	list_for_each_entry_safe(domain, tmp, &other.domains, link)
		domain_release(domain, false);
	store_fini(&other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_snapshot_holds_everything),
		TEST(records_add_up_to_the_same),
		TEST(every_moment_is_recoverable),
		TEST(it_is_replaced_when_long),
		TEST(generations_are_not_used_again),
		TEST(another_boot_starts_anew),
		TEST(damage_is_noticed),
		TEST(senseless_input_is_left_out),
		TEST(killed_at_any_moment),
		TEST(no_room_is_refused),
	};

	return cmocka_run_group_tests_name("stored/journal", tests, NULL, NULL);
}
