/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon as a process, over its socket, with libzstore on the other side:
 * several clients at once, bad ones among them, and SIGKILL at any moment.
 * Tools: stored stored/server.c stored/socket.c stored/xen.c
 * Tools: lib/daemon lib/evtchn lib/hyp lib/store
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "store/zstore.h"
#include "stored/server.h"

static char dir[64], socket_path[80], journal_path[80];
static pid_t daemon_pid;

static void run_daemon(void)
{
	struct server server;
	bool torn;
	int ret;

	signal(SIGPIPE, SIG_IGN);
	if (server_init(&server))
		_exit(1);
	ret = journal_load(&server.store, journal_path, "boot", &torn);
	if (ret < 0 || torn || journal_start(&server.store, journal_path, "boot") ||
	    socket_listen(&server, socket_path))
		_exit(2);
	ret = server_run(&server);
	server_fini(&server);
	_exit(ret ? 3 : 0);
}

static void start_daemon(void)
{
	daemon_pid = fork();
	if (!daemon_pid)
		run_daemon();
	for (int i = 0; i < 500; i++) {
		struct zstore *probe;

		if (!zstore_open_path(&probe, socket_path, 0)) {
			zstore_close(probe);
			return;
		}
		usleep(10000);
	}
	fail_msg("the daemon does not answer");
}

static void kill_daemon(void)
{
	int status;

	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, &status, 0);
	assert_true(WIFSIGNALED(status));
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test-socket-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	snprintf(journal_path, sizeof(journal_path), "%s/journal", dir);
	start_daemon();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kill_daemon();
	unlink(socket_path);
	unlink(journal_path);
	rmdir(dir);
	return 0;
}

static struct zstore *open_client(unsigned int flags)
{
	struct zstore *client;

	assert_int_equal(zstore_open_path(&client, socket_path, flags), 0);
	return client;
}

static void assert_value(struct zstore *client, const char *path, const char *expected)
{
	char *value;

	assert_int_equal(zstore_read(client, 0, path, &value, NULL), 0);
	assert_string_equal(value, expected);
	free(value);
}

static void the_library_speaks_the_protocol(void **state)
{
	const struct zstore_perm perms[] = {{0, ZSTORE_PERM_READ}, {7, ZSTORE_PERM_BOTH}};
	const char *const help[] = {"help"};
	struct zstore *client = open_client(0);
	struct zstore_perm *got;
	long long number;
	char **names, *text;
	bool introduced;
	uint32_t tx;
	size_t len;

	(void)state;
	assert_int_equal(zstore_write_string(client, 0, "/a/b", "1"), 0);
	assert_int_equal(zstore_printf(client, 0, "/a/c", "%d-%s", 42, "x"), 0);
	assert_value(client, "/a/c", "42-x");
	assert_int_equal(zstore_write(client, 0, "/a/bin", "\0\1\2", 3), 0);
	assert_int_equal(zstore_read(client, 0, "/a/bin", &text, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "\0\1\2", 4);
	free(text);
	assert_int_equal(zstore_read_number(client, 0, "/a/b", &number), 0);
	assert_int_equal(number, 1);
	assert_int_equal(zstore_read_number(client, 0, "/a/c", &number), -EINVAL);
	assert_int_equal(zstore_read(client, 0, "/none", &text, NULL), -ENOENT);
	assert_int_equal(zstore_mkdir(client, 0, "/a/d"), 0);
	assert_int_equal(zstore_list(client, 0, "/a", &names), 4);
	assert_string_equal(names[0], "b");
	zstore_free_names(names, 4);
	assert_int_equal(zstore_list(client, 0, "/a/d", &names), 0);
	zstore_free_names(names, 0);
	assert_int_equal(zstore_set_perms(client, 0, "/a", perms, 2), 0);
	assert_int_equal(zstore_get_perms(client, 0, "/a", &got), 2);
	assert_memory_equal(got, perms, sizeof(perms));
	free(got);
	assert_int_equal(zstore_rm(client, 0, "/a/d"), 0);
	assert_int_equal(zstore_begin(client, &tx), 0);
	assert_int_equal(zstore_write_string(client, tx, "/t", "1"), 0);
	assert_int_equal(zstore_commit(client, tx), 0);
	assert_int_equal(zstore_write_string(client, tx, "/t", "2"), -ENOENT);
	assert_int_equal(zstore_begin(client, &tx), 0);
	assert_int_equal(zstore_write_string(client, tx, "/t", "3"), 0);
	assert_int_equal(zstore_abort(client, tx), 0);
	assert_value(client, "/t", "1");
	assert_int_equal(zstore_get_domain_path(client, 3, &text), 0);
	assert_string_equal(text, "/local/domain/3");
	free(text);
	assert_int_equal(zstore_is_introduced(client, 3, &introduced), 0);
	assert_false(introduced);
	/* Without the hypervisor's devices nobody can be introduced. */
	assert_int_equal(zstore_introduce(client, 3, 1, 1), -ENOSYS);
	assert_int_equal(zstore_release(client, 3), -ENOENT);
	assert_int_equal(zstore_resume(client, 3), -ENOENT);
	assert_int_equal(zstore_set_target(client, 3, 4), -ENOENT);
	assert_int_equal(zstore_control(client, help, 1, &text), 0);
	assert_non_null(strstr(text, "quota"));
	free(text);
	zstore_close(client);
}

static void long_lists_come_whole(void **state)
{
	struct zstore *client = open_client(0);
	char path[64];
	char **names;

	(void)state;
	for (int i = 0; i < 700; i++) {
		snprintf(path, sizeof(path), "/list/a-rather-long-name-%04d", i);
		assert_int_equal(zstore_write_string(client, 0, path, ""), 0);
	}
	assert_int_equal(zstore_list(client, 0, "/list", &names), 700);
	assert_string_equal(names[699], "a-rather-long-name-0699");
	zstore_free_names(names, 700);
	zstore_close(client);
}

static void events_arrive_between_answers(void **state)
{
	struct zstore *watcher = open_client(0), *writer = open_client(0);
	struct zstore_event event;

	(void)state;
	assert_int_equal(zstore_next_event(watcher, 0, &event), -EAGAIN);
	assert_int_equal(zstore_watch(watcher, "/w", "token"), 0);
	assert_int_equal(zstore_watch(watcher, "/w", "token"), -EEXIST);
	assert_int_equal(zstore_write_string(writer, 0, "/w/1", ""), 0);
	/* An event is already waiting when this answer comes. */
	assert_int_equal(zstore_write_string(watcher, 0, "/w/2", ""), 0);
	for (int i = 0; i < 3; i++) {
		static const char *const expected[] = {"/w", "/w/1", "/w/2"};

		assert_int_equal(zstore_next_event(watcher, 2000, &event), 0);
		assert_string_equal(event.path, expected[i]);
		assert_string_equal(event.token, "token");
		zstore_free_event(&event);
	}
	assert_int_equal(zstore_next_event(watcher, 20, &event), -EAGAIN);
	assert_int_equal(zstore_unwatch(watcher, "/w", "token"), 0);
	assert_int_equal(zstore_unwatch(watcher, "/w", "token"), -ENOENT);
	zstore_close(watcher);
	zstore_close(writer);
}

static int open_raw(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, socket_path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void an_overlong_message_ends_its_client(void **state)
{
	struct xsd_sockmsg hdr = {XS_WRITE, 0, 0, XENSTORE_PAYLOAD_MAX + 1};
	struct zstore *client = open_client(0);
	int fd = open_raw();
	char byte;

	(void)state;
	assert_int_equal(write(fd, &hdr, sizeof(hdr)), sizeof(hdr));
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
	assert_int_equal(zstore_write_string(client, 0, "/still", "here"), 0);
	zstore_close(client);
}

/* One sends half a message, one asks without reading: others are served. */
static void slow_clients_stop_nobody(void **state)
{
	struct xsd_sockmsg hdr = {XS_DIRECTORY, 0, 0, 2};
	struct zstore *client = open_client(0);
	char message[sizeof(hdr) + 2];
	int half = open_raw(), deaf = open_raw();
	struct pollfd pfd = {.fd = deaf, .events = POLLOUT};
	size_t sent = 0;

	(void)state;
	memcpy(message, &hdr, sizeof(hdr));
	strcpy(message + sizeof(hdr), "/");
	assert_int_equal(write(half, message, 10), 10);
	while (poll(&pfd, 1, 200) == 1 && sent < 100u << 20) {
		ssize_t n = send(deaf, message, sizeof(message), MSG_DONTWAIT);

		if (n < 0)
			break;
		sent += (size_t)n;
	}
	/* Bounded by what its socket holds, not by what it sends. */
	assert_true(sent < 100u << 20);
	for (int i = 0; i < 100; i++)
		assert_int_equal(zstore_write_string(client, 0, "/served", "yes"), 0);
	assert_int_equal(write(half, message + 10, sizeof(message) - 10), sizeof(message) - 10);
	assert_int_equal(read(half, &hdr, sizeof(hdr)), sizeof(hdr));
	assert_int_equal(hdr.type, XS_DIRECTORY);
	close(half);
	close(deaf);
	zstore_close(client);
}

static void what_a_client_held_goes_with_it(void **state)
{
	struct zstore *one = open_client(0), *two = open_client(0);
	const char *const report[] = {"memreport"};
	uint32_t tx;
	char *text;

	(void)state;
	assert_int_equal(zstore_watch(one, "/x", "t"), 0);
	assert_int_equal(zstore_begin(one, &tx), 0);
	zstore_close(one);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(zstore_control(two, report, 1, &text), 0);
		if (strstr(text, "connections 1\nwatches 0\n"))
			break;
		free(text);
		text = NULL;
		usleep(10000);
	}
	assert_non_null(text);
	free(text);
	zstore_close(two);
}

static void others_may_not_connect(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

/* Thousands of writes, the daemon killed in their midst: nothing acknowledged is lost. */
static void killed_in_the_midst_of_writes(void **state)
{
	struct zstore *client;
	char path[64], value[16];
	int written = 0, ret, before;

	(void)state;
	for (int round = 0; round < 5; round++) {
		pid_t killer = fork(), victim = daemon_pid;

		if (!killer) {
			usleep(30000 + 20000 * (unsigned int)round);
			kill(victim, SIGKILL);
			_exit(0);
		}
		client = open_client(0);
		before = written;
		for (;;) {
			snprintf(path, sizeof(path), "/n/%d/%d", written % 10, written);
			snprintf(value, sizeof(value), "%d", written);
			ret = zstore_write_string(client, 0, path, value);
			if (ret)
				break;
			written++;
		}
		assert_int_equal(ret, -EPIPE);
		assert_true(written > before);
		zstore_close(client);
		waitpid(killer, NULL, 0);
		waitpid(daemon_pid, NULL, 0);
		start_daemon();
		client = open_client(0);
		for (int i = 0; i < written; i++) {
			snprintf(path, sizeof(path), "/n/%d/%d", i % 10, i);
			snprintf(value, sizeof(value), "%d", i);
			assert_value(client, path, value);
		}
		zstore_close(client);
	}
	print_message("# %d writes survived 5 kills\n", written);
}

static void a_client_may_outlive_the_daemon(void **state)
{
	struct zstore *client = open_client(ZSTORE_RECONNECT);
	struct zstore_event event;
	uint32_t tx, handle;

	(void)state;
	assert_int_equal(zstore_write_string(client, 0, "/kept", "1"), 0);
	assert_int_equal(zstore_watch(client, "/kept", "token"), 0);
	assert_int_equal(zstore_next_event(client, 2000, &event), 0);
	zstore_free_event(&event);
	assert_int_equal(zstore_begin(client, &tx), 0);
	assert_int_equal(zstore_begin(client, &handle), 0);
	assert_int_equal(zstore_write_string(client, tx, "/kept", "2"), 0);
	kill_daemon();
	start_daemon();
	assert_value(client, "/kept", "1");
	assert_int_equal(zstore_write_string(client, tx, "/kept", "3"), -EAGAIN);
	assert_int_equal(zstore_commit(client, tx), -EAGAIN);
	assert_int_equal(zstore_abort(client, handle), 0);
	/* The watch was set again, which fires it. */
	assert_int_equal(zstore_next_event(client, 2000, &event), 0);
	assert_string_equal(event.path, "/kept");
	zstore_free_event(&event);
	assert_int_equal(zstore_write_string(client, 0, "/kept", "4"), 0);
	assert_int_equal(zstore_next_event(client, 2000, &event), 0);
	zstore_free_event(&event);
	zstore_close(client);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_library_speaks_the_protocol), TEST(long_lists_come_whole),
		TEST(events_arrive_between_answers),   TEST(an_overlong_message_ends_its_client),
		TEST(slow_clients_stop_nobody),	       TEST(what_a_client_held_goes_with_it),
		TEST(others_may_not_connect),	       TEST(killed_in_the_midst_of_writes),
		TEST(a_client_may_outlive_the_daemon),
	};

	return cmocka_run_group_tests_name("stored/socket", tests, NULL, NULL);
}
