/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine protocol against an end that the guest may own: answers among events, refusals,
 * nonsense, lines without end, silence, and a descriptor that travels along.
 *
 * Tools: model/qmp.c device/deadline.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/qmp.h"

static struct qmp qmp;
static int peer;

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	peer = pair[1];
	return qmp_init(&qmp, pair[0]);
}

static int tear_down(void **state)
{
	(void)state;
	qmp_fini(&qmp);
	if (peer >= 0)
		close(peer);
	return 0;
}

static void say(const char *text)
{
	assert_int_equal(write(peer, text, strlen(text)), strlen(text));
}

static int ask(struct json_object **answer)
{
	return qmp_command(&qmp, "query-x", NULL, -1, 200, -1, answer);
}

static void test_answer(void **state)
{
	struct json_object *answer;
	char sent[200] = "";

	(void)state;
	say("{\"QMP\": {}}\n{\"event\": \"A\"}\n{\"return\": [5]}\n{\"event\": \"B\"}\n");
	assert_int_equal(ask(&answer), 0);
	assert_int_equal(json_object_get_int(json_object_array_get_idx(answer, 0)), 5);
	json_object_put(answer);
	assert_true(read(peer, sent, sizeof(sent) - 1) > 0);
	assert_string_equal(sent, "{\"execute\":\"query-x\"}\n");
	assert_int_equal(qmp_drain(&qmp), 0);
	assert_int_equal(qmp.size, 0);
	assert_int_equal(qmp_drain(&qmp), 0);
}

static void test_refusal(void **state)
{
	(void)state;
	say("{\"error\": {\"class\": \"GenericError\"}}\n{\"return\": {}}\n");
	assert_int_equal(ask(NULL), -EREMOTEIO);
	assert_int_equal(ask(NULL), 0);
}

static void test_nonsense(void **state)
{
	(void)state;
	say("hello\n");
	assert_int_equal(ask(NULL), -EPROTO);
	say("[1, 2]\n");
	assert_int_equal(qmp_drain(&qmp), -EPROTO);
	say("\n");
	assert_int_equal(qmp_drain(&qmp), -EPROTO);
}

static void test_endless_line(void **state)
{
	char part[4096];

	(void)state;
	memset(part, 'x', sizeof(part));
	for (size_t i = 0; i < QMP_LINE_MAX / sizeof(part); i++)
		assert_int_equal(write(peer, part, sizeof(part)), sizeof(part));
	assert_int_equal(qmp_drain(&qmp), -EPROTO);
}

static void test_deep(void **state)
{
	char deep[2001];

	(void)state;
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\n';
	assert_int_equal(write(peer, deep, sizeof(deep)), sizeof(deep));
	assert_int_equal(qmp_drain(&qmp), -EPROTO);
}

static void test_silence(void **state)
{
	int cancel[2];

	(void)state;
	assert_int_equal(ask(NULL), -ETIMEDOUT);
	assert_int_equal(pipe(cancel), 0);
	assert_int_equal(write(cancel[1], "x", 1), 1);
	assert_int_equal(qmp_command(&qmp, "a", NULL, -1, 10000, cancel[0], NULL), -ECANCELED);
	close(cancel[0]);
	close(cancel[1]);
}

/* Events without end: they do not keep a command, or a look, for ever. */
static void test_flood(void **state)
{
	struct json_object *answer;
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		close(qmp.fd);
		while (write(peer, "{\"event\": \"A\"}\n", 15) > 0)
			;
		_exit(0);
	}
	close(peer);
	peer = -1;
	for (int i = 0; i < 50; i++)
		assert_int_equal(qmp_drain(&qmp), 0);
	assert_int_equal(ask(&answer), -ETIMEDOUT);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void test_end(void **state)
{
	(void)state;
	say("{\"event\"");
	close(peer);
	peer = -1;
	assert_int_equal(qmp_drain(&qmp), -ECHILD);
	assert_int_equal(ask(NULL), -ECHILD);
}

static void test_descriptor(void **state)
{
	char text[200], room[CMSG_SPACE(sizeof(int))];
	struct iovec part = {.iov_base = text, .iov_len = sizeof(text)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = room,
				 .msg_controllen = sizeof(room)};
	struct json_object *arguments = json_object_new_object();
	int fds[2], got;
	char byte;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	json_object_object_add(arguments, "fdname", json_object_new_string("vnc"));
	say("{\"return\": {}}\n");
	assert_int_equal(qmp_command(&qmp, "getfd", arguments, fds[1], 200, -1, NULL), 0);
	assert_true(recvmsg(peer, &message, 0) > 0);
	assert_non_null(strstr(text, "\"fdname\":\"vnc\""));
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(got));
	assert_int_equal(write(got, "y", 1), 1);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(got);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refusal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nonsense, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_endless_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_deep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_descriptor, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
