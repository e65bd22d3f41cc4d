/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device model's life, with a shell script in QEMU's place: started, asked for its ports, given
 * viewers, and its end seen, whichever way it comes. Needs root, to give rights up; skipped else.
 *
 * Tools: model device lib/config lib/store
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/model.h"

static char dir[] = "/tmp/zl-model-XXXXXX", program[64], log_path[64], listen_on[] = "127.0.0.1";
static char pty[] = "pty", *serials[] = {pty};
static struct domain_devices devices;
static struct model_config config;
static struct model_domain domain;
static struct model model;

/* It answers each command; what it does at a "getfd" is the test's to choose. */
static void write_program(const char *begin, const char *at_getfd)
{
	FILE *file = fopen(program, "w");

	assert_non_null(file);
	fprintf(file,
		"#!/bin/sh\n%s\necho '{\"QMP\":{}}' >&3\n"
		"while read -r line <&3; do\n"
		"\tcase $line in\n"
		"\t*query-chardev*) echo '{\"return\":[{\"label\":\"serial0\",\"filename\":"
		"\"pty:/dev/pts/9\"},{\"label\":\"serial7\",\"filename\":\"pty:/dev/pts/8\"},"
		"{\"label\":\"qmp\"},{\"label\":null,\"filename\":null},5]}' >&3 ;;\n"
		"\t*getfd*) %s ;;\n"
		"\t*) echo '{\"return\":{}}' >&3 ;;\n"
		"\tesac\ndone\n",
		begin, at_getfd);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(program, 0755), 0);
}

static int set_up(void **state)
{
	(void)state;
	if (getuid())
		return 0;
	config = (struct model_config){.program = program,
				       .boot = "c",
				       .vnc_listen = listen_on,
				       .vnc_display = 55,
				       .has_vnc_unused = true,
				       .has_vnc = true,
				       .serials = serials,
				       .nr_serials = 1};
	domain = (struct model_domain){
		.domid = 30011, .name = "x", .boot_fd = -1, .cmdline = "", .devices = &devices};
	model_init(&model);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	model_stop(&model);
	model_kill(30011);
	return 0;
}

static int start(struct device_error *error)
{
	return model_start(&model, &config, &domain, log_path, 5000, -1, error);
}

/* Wait for something to serve, and serve it. */
static int serve(char *reason)
{
	struct pollfd fds[MODEL_FDS];
	int numbers[MODEL_FDS];

	model_get_fds(&model, numbers);
	for (int i = 0; i < MODEL_FDS; i++)
		fds[i] = (struct pollfd){.fd = numbers[i], .events = POLLIN};
	assert_true(poll(fds, MODEL_FDS, 5000) > 0);
	return model_serve(&model, reason, 96);
}

/* Its descriptors do not close all at once. */
static int serve_to_end(char *reason)
{
	int rc = 0;

	for (int i = 0; i < 100 && !rc; i++)
		rc = serve(reason);
	return rc;
}

static void test_start(void **state)
{
	struct device_error error;
	struct store_entries list;
	char path[96];

	(void)state;
	if (getuid())
		skip();
	write_program("echo hello", "exit 3");
	if (start(&error))
		fail_msg("%s", error.text);
	assert_string_equal(model.serials[0], "/dev/pts/9");
	assert_true(model.vnc_port >= 5955);
	entries_init(&list);
	model_add_entries(&list, &model, &config, 30011);
	assert_string_equal(entries_find(&list, "/local/domain/30011/serial/0/tty"), "/dev/pts/9");
	assert_string_equal(entries_find(&list, "/local/domain/30011/console/vnc-listen"),
			    "127.0.0.1");
	entries_fini(&list);
	snprintf(path, sizeof(path), "%s/model/30011", dir);
	assert_int_equal(access(path, F_OK), 0);
	model_stop(&model);
	model_kill(30011);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void test_killed(void **state)
{
	struct device_error error;
	char reason[96] = "";

	(void)state;
	if (getuid())
		skip();
	write_program("", "exit 3");
	assert_int_equal(start(&error), 0);
	assert_int_equal(model_serve(&model, reason, sizeof(reason)), 0);
	kill(model.pid, SIGSEGV);
	assert_int_equal(serve_to_end(reason), -ECHILD);
	assert_string_equal(reason, "the device model died: Segmentation fault");
	assert_int_equal(model.pid, 0);
	assert_int_equal(model_serve(&model, reason, sizeof(reason)), 0);
}

static void connect_viewer(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)model.vnc_port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	close(fd);
}

static void test_viewers(void **state)
{
	struct device_error error;
	char reason[96] = "";

	(void)state;
	if (getuid())
		skip();
	write_program("", "echo '{\"return\":{}}' >&3");
	assert_int_equal(start(&error), 0);
	connect_viewer();
	assert_int_equal(serve(reason), 0);
	model_stop(&model);
	/* A refusal costs one viewer; nonsense, the domain. */
	write_program("", "echo '{\"error\":{}}' >&3");
	assert_int_equal(start(&error), 0);
	connect_viewer();
	assert_int_equal(serve(reason), 0);
	model_stop(&model);
	write_program("", "echo nonsense >&3");
	assert_int_equal(start(&error), 0);
	connect_viewer();
	assert_int_equal(serve_to_end(reason), -ECHILD);
	assert_string_equal(reason, "the device model does not answer");
	write_program("", "exit 3");
	assert_int_equal(start(&error), 0);
	connect_viewer();
	assert_int_equal(serve_to_end(reason), -ECHILD);
	assert_string_equal(reason, "the device model ended with status 3");
}

static void test_not_started(void **state)
{
	struct device_error error;

	(void)state;
	if (getuid())
		skip();
	write_program("echo one; echo no such disk >&2; exit 1", "");
	assert_int_not_equal(start(&error), 0);
	assert_string_equal(error.text, "the device model did not start: no such disk");
	assert_int_equal(model.pid, 0);
	write_program("exec sleep 100", "");
	assert_int_equal(model_start(&model, &config, &domain, log_path, 300, -1, &error),
			 -ETIMEDOUT);
	assert_non_null(strstr(error.text, "not ready after 0 s"));
	unlink(program);
	assert_int_not_equal(start(&error), 0);
	assert_non_null(strstr(error.text, "No such file"));
}

static void test_log_is_bounded(void **state)
{
	struct device_error error;
	char reason[96] = "";
	struct stat st;

	(void)state;
	if (getuid())
		skip();
	write_program("yes 0123456789 | head -c 2000000 &", "exit 3");
	assert_int_equal(start(&error), 0);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(model_serve(&model, reason, sizeof(reason)), 0);
		usleep(20000);
	}
	assert_int_equal(stat(log_path, &st), 0);
	assert_true(st.st_size > 4096 && st.st_size <= MODEL_LOG_MAX);
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(program, sizeof(program), "%s/qemu", dir);
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	return setenv("ZENDO_STATE_DIR", dir, 1);
}

static int remove_dir(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_viewers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_started, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_log_is_bounded, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
