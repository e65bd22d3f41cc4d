/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A console without a hypervisor: the page is ours, the terminal is real.
 * Tools: consoled
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "consoled/console.h"

static const struct console_limits limits = {
	.rate = 5000,
	.period_ms = 100,
	.buffer = 8192,
	.log = 20000,
};

static struct xencons_interface page;
static struct console console;
static char dir[64], log_path[96], link_path[96];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test-console-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	memset(&page, 0, sizeof(page));
	assert_int_equal(console_init(&console, 5, &limits, log_path, link_path), 0);
	console.page = &page;
	console.has_work = true;
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	console_fini(&console);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static size_t guest_prints(const char *data, size_t len)
{
	size_t done = 0;

	while (done < len && page.out_prod - page.out_cons < sizeof(page.out))
		page.out[MASK_XENCONS_IDX(page.out_prod++, page.out)] = data[done++];
	return done;
}

static int open_client(void)
{
	int fd = open(link_path, O_RDWR | O_NOCTTY | O_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static void assert_client_reads(int fd, const char *expected)
{
	char data[256] = "";
	size_t have = 0;

	for (int i = 0; i < 100 && have < strlen(expected); i++) {
		ssize_t n = read(fd, data + have, sizeof(data) - 1 - have);

		if (n > 0)
			have += (size_t)n;
		else
			usleep(1000);
	}
	assert_string_equal(data, expected);
}

static char *read_file(const char *path)
{
	static char data[65536];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, data, sizeof(data) - 1);
	assert_true(n >= 0);
	data[n] = '\0';
	close(fd);
	return data;
}

static void output_goes_to_terminal_and_log(void **state)
{
	int client = open_client();

	(void)state;
	guest_prints("hello\r\n", 7);
	assert_int_equal(console_pump_output(&console, 1), CONSOLE_MOVED);
	assert_int_equal(page.out_cons, page.out_prod);
	assert_false(console.has_work);
	assert_client_reads(client, "hello\r\n");
	assert_string_equal(read_file(log_path), "hello\r\n");
	console.has_work = true;
	assert_int_equal(console_pump_output(&console, 2), CONSOLE_IDLE);
	close(client);
}

static void input_goes_to_the_guest(void **state)
{
	int client = open_client();
	char big[2000];

	(void)state;
	assert_int_equal(write(client, "ls\n", 3), 3);
	assert_int_equal(console_pump_input(&console), CONSOLE_MOVED);
	assert_int_equal(page.in_prod, 3);
	assert_memory_equal(page.in, "ls\n", 3);
	/* No more than there is room for; the rest waits in the terminal. */
	memset(big, 'x', sizeof(big));
	assert_int_equal(write(client, big, sizeof(big)), sizeof(big));
	for (int i = 0; i < 10; i++)
		console_pump_input(&console);
	assert_int_equal(page.in_prod, sizeof(page.in));
	assert_false(console_wants_input(&console));
	page.in_cons += 100;
	assert_true(console_wants_input(&console));
	assert_int_equal(console_pump_input(&console), CONSOLE_MOVED);
	assert_int_equal(page.in_prod, sizeof(page.in) + 100);
	close(client);
}

/* The terminal is raw: what the guest prints does not come back as its input. */
static void nothing_is_echoed(void **state)
{
	(void)state;
	guest_prints("prompt> \n", 9);
	console_pump_output(&console, 1);
	usleep(10000);
	console_pump_input(&console);
	assert_int_equal(page.in_prod, 0);
}

static void positions_wrap(void **state)
{
	int client = open_client();

	(void)state;
	page.out_cons = page.out_prod = UINT32_MAX - 2;
	page.in_cons = page.in_prod = UINT32_MAX - 1;
	guest_prints("abcdef", 6);
	console_pump_output(&console, 1);
	assert_client_reads(client, "abcdef");
	assert_int_equal(page.out_cons, 3);
	assert_int_equal(write(client, "1234", 4), 4);
	console_pump_input(&console);
	assert_int_equal(page.in_prod, 2);
	assert_int_equal(page.in[1023], '2');
	assert_int_equal(page.in[0], '3');
	close(client);
}

static void impossible_positions_do_no_harm(void **state)
{
	(void)state;
	page.out_prod = page.out_cons + sizeof(page.out) + 1;
	assert_int_equal(console_pump_output(&console, 1), CONSOLE_IDLE);
	/* Skipped: the guest may go on from where it says it is. */
	assert_int_equal(page.out_cons, page.out_prod);
	guest_prints("x", 1);
	console.has_work = true;
	assert_int_equal(console_pump_output(&console, 1), CONSOLE_MOVED);
	page.in_cons = page.in_prod + 1;
	assert_int_equal(ring_room(&page), 0);
	page.in_cons = page.in_prod - sizeof(page.in) - 1;
	assert_int_equal(ring_room(&page), 0);
	assert_int_equal(console_pump_input(&console), CONSOLE_IDLE);
	assert_int_equal(ring_give(&page, "x", 1), 0);
}

/* With nobody reading the guest goes on, and the last of it is kept. */
static void a_guest_never_waits_for_a_client(void **state)
{
	const char *tail;
	char line[32];
	uint64_t now = 1;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(line, sizeof(line), "line %06d\n", i);
		assert_int_equal(guest_prints(line, 12), 12);
		console.has_work = true;
		now += 10;
		assert_int_equal(console_pump_output(&console, now), CONSOLE_MOVED);
	}
	assert_int_equal(console.buffer.used, limits.buffer);
	assert_true(console.is_stalled);
	assert_false(console_is_read(&console));
	buffer_drop(&console.buffer, console.buffer.used - 3);
	assert_int_equal(buffer_peek(&console.buffer, &tail), 3);
	assert_memory_equal(tail, "99\n", 3);
}

static void a_flood_is_slowed_down(void **state)
{
	char flood[2048];
	size_t total = 0;

	(void)state;
	memset(flood, 'f', sizeof(flood));
	for (int i = 0; i < 100; i++) {
		total += guest_prints(flood, sizeof(flood));
		console.has_work = true;
		console_pump_output(&console, 1000);
	}
	/* One period's rate, and what still stands in the page. */
	assert_int_equal(total, limits.rate + sizeof(page.out));
	assert_true(console_is_throttled(&console, 1000));
	assert_true(console.has_work);
	assert_false(console_is_throttled(&console, 1100));
	assert_int_equal(console_pump_output(&console, 1100), CONSOLE_MOVED);
}

/* One turn is short, however much there is. */
static void a_turn_is_bounded(void **state)
{
	char flood[2048];

	(void)state;
	memset(flood, 'f', sizeof(flood));
	guest_prints(flood, sizeof(flood));
	console_pump_output(&console, 1);
	assert_true(page.out_cons <= CONSOLE_TURN);
}

static void the_last_words_are_kept(void **state)
{
	int client = open_client();
	char byte;

	(void)state;
	console.budget = 0;
	console.period_end_ms = UINT64_MAX;
	guest_prints("bye\n", 4);
	console_drain(&console);
	console.page = NULL;
	/* The kernel takes its time from one side of the pty to the other. */
	usleep(50000);
	assert_false(console_is_read(&console));
	assert_client_reads(client, "bye\n");
	assert_true(console_is_read(&console));
	assert_string_equal(read_file(log_path), "bye\n");
	/* Then the client learns that there is no more. */
	tty_close(&console.tty);
	assert_true(read(client, &byte, 1) <= 0 && errno != EAGAIN);
	assert_int_equal(access(link_path, F_OK), -1);
	close(client);
	assert_int_equal(tty_open(&console.tty, link_path), 0);
}

static void clients_come_and_go(void **state)
{
	int client = open_client();

	(void)state;
	close(client);
	guest_prints("one", 3);
	assert_int_equal(console_pump_output(&console, 1), CONSOLE_MOVED);
	client = open_client();
	assert_client_reads(client, "one");
	close(client);
	client = open_client();
	guest_prints("two", 3);
	console.has_work = true;
	console_pump_output(&console, 2);
	assert_client_reads(client, "two");
	close(client);
}

static void a_link_is_replaced(void **state)
{
	char target[64] = "";

	(void)state;
	/* Left by a daemon that was killed. */
	unlink(link_path);
	assert_int_equal(symlink("/dev/pts/999999", link_path), 0);
	free(console.tty.link);
	console.tty.link = NULL;
	tty_close(&console.tty);
	assert_int_equal(tty_open(&console.tty, link_path), 0);
	assert_true(readlink(link_path, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, console.tty.name);
}

static void logs_are_rotated(void **state)
{
	char chunk[1000], old[128];
	struct stat st;

	(void)state;
	memset(chunk, 'l', sizeof(chunk));
	for (int i = 0; i < 200; i++)
		logfile_write(&console.log, chunk, sizeof(chunk));
	for (int i = 0; i <= LOGFILE_KEPT + 1; i++) {
		if (i)
			snprintf(old, sizeof(old), "%s.%d", log_path, i);
		else
			snprintf(old, sizeof(old), "%s", log_path);
		assert_int_equal(stat(old, &st), i <= LOGFILE_KEPT ? 0 : -1);
		if (i <= LOGFILE_KEPT)
			assert_true((uint64_t)st.st_size <= limits.log);
	}
}

static void a_log_is_not_a_link(void **state)
{
	struct logfile log;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/evil", dir);
	assert_int_equal(symlink("/tmp/somewhere-else", path), 0);
	assert_int_equal(logfile_open(&log, path, 1000), -ELOOP);
	/* Without a file nothing happens. */
	logfile_write(&log, "x", 1);
	assert_int_equal(access("/tmp/somewhere-else", F_OK), -1);
}

static void a_buffer_forgets_the_oldest(void **state)
{
	struct buffer buffer;
	const char *data;

	(void)state;
	assert_int_equal(buffer_init(&buffer, 8), 0);
	assert_int_equal(buffer_peek(&buffer, &data), 0);
	buffer_add(&buffer, "abcdef", 6);
	buffer_add(&buffer, "ghij", 4);
	assert_int_equal(buffer.used, 8);
	assert_int_equal(buffer_peek(&buffer, &data), 6);
	assert_memory_equal(data, "cdefgh", 6);
	buffer_drop(&buffer, 6);
	assert_int_equal(buffer_peek(&buffer, &data), 2);
	assert_memory_equal(data, "ij", 2);
	buffer_add(&buffer, "0123456789", 10);
	assert_int_equal(buffer.used, 8);
	while (buffer.used) {
		size_t len = buffer_peek(&buffer, &data);

		assert_memory_equal(data, "23456789" + 8 - buffer.used, len);
		buffer_drop(&buffer, len);
	}
	buffer_fini(&buffer);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(output_goes_to_terminal_and_log),
		TEST(input_goes_to_the_guest),
		TEST(nothing_is_echoed),
		TEST(positions_wrap),
		TEST(impossible_positions_do_no_harm),
		TEST(a_guest_never_waits_for_a_client),
		TEST(a_flood_is_slowed_down),
		TEST(a_turn_is_bounded),
		TEST(the_last_words_are_kept),
		TEST(clients_come_and_go),
		TEST(a_link_is_replaced),
		TEST(logs_are_rotated),
		TEST(a_log_is_not_a_link),
		TEST(a_buffer_forgets_the_oldest),
	};

	return cmocka_run_group_tests_name("consoled/console", tests, NULL, NULL);
}
