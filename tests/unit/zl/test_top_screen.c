/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen of zl top, on a pseudo-terminal of 24 lines and 80 columns that this test types at and
 * reads. The samples are made up: three domains, the last with exits.
 *
 * Tools: zl/top.c zl/top_show.c zl/top_screen.c zl/exits.c zl/json.c zl/uuid.c
 * Tools: zl/domains.c zl/domains_show.c zl/lifecycle.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "hyp/hvm.h"
#include "zl/domains.h"
#include "zl/top.h"

#define PATIENCE_MS 20000

static const char *const names[] = {"zero", "one", "two"};
static struct zl zl;
static int terminal;
static pid_t child;
static char seen[1 << 16];
static size_t nr_seen;

int hyp_hvm_get_exits(struct hyp *hyp, domid_t domid, uint32_t vcpu, struct zendo_exits *exits)
{
	(void)hyp;
	(void)domid;
	(void)vcpu;
	(void)exits;
	return -ENOSYS;
}

int top_sample_read(struct zl *from, struct top_sample *sample)
{
	static unsigned int calls;

	(void)from;
	*sample = (struct top_sample){.ns = ++calls * 1000000000ull, .total_pages = 1024, .nr = 3};
	sample->views = calloc(3, sizeof(*sample->views));
	sample->exits = calloc(3, sizeof(*sample->exits));
	for (unsigned int i = 0; i < 3; i++) {
		sample->views[i].domid = (domid_t)i;
		sample->views[i].name = strdup(names[i]);
	}
	sample->exits[2] = (struct top_exits){.kinds = ZENDO_EXIT_KINDS, .counts = {calls * 7777}};
	return 0;
}

void top_sample_free(struct top_sample *sample)
{
	domains_free(sample->views, sample->nr);
	free(sample->exits);
	*sample = (struct top_sample){.views = NULL};
}

static void start(const char *type, unsigned int delay_ms, unsigned long iterations)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};

	nr_seen = 0;
	child = forkpty(&terminal, NULL, NULL, &size);
	assert_true(child >= 0);
	if (child)
		return;
	setenv("TERM", type, 1);
	/* What ncurses keeps is not lost: no leaks are looked for. */
	_exit(-top_screen(&zl, delay_ms, iterations));
}

/* Reads on until this comes after what was found last. */
static void expect(const char *text)
{
	struct pollfd in = {.fd = terminal, .events = POLLIN};
	char *found;
	ssize_t got;

	for (;;) {
		seen[nr_seen] = '\0';
		found = strstr(seen, text);
		if (found) {
			found += strlen(text);
			nr_seen -= (size_t)(found - seen);
			memmove(seen, found, nr_seen);
			return;
		}
		if (poll(&in, 1, PATIENCE_MS) != 1)
			fail_msg("\"%s\" did not come", text);
		got = read(terminal, seen + nr_seen, sizeof(seen) - 1 - nr_seen);
		if (got <= 0)
			fail_msg("\"%s\" had not come when it ended", text);
		nr_seen += (size_t)got;
	}
}

static void type(const char *keys)
{
	assert_int_equal(write(terminal, keys, strlen(keys)), strlen(keys));
}

/* It ends by itself; returns its status. */
static int end(void)
{
	char rest[4096];
	int status;

	while (read(terminal, rest, sizeof(rest)) > 0)
		;
	assert_int_equal(waitpid(child, &status, 0), child);
	close(terminal);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_keys(void **state)
{
	(void)state;
	start("vt100", 86400000, 0);
	expect("3 domains");
	expect("CPU(%)");
	expect("zero");
	expect("two");
	expect("d delay (86400.0 s)");
	type("e");
	expect("hypercall");
	type("e");
	expect("VCPUs");
	type("\033OC");
	expect("State");
	type("d0.1\n");
	/* The first rates come only now: the delay is obeyed. */
	expect("7777.0");
	type("q");
	assert_int_equal(end(), 0);
}

static void test_iterations(void **state)
{
	(void)state;
	start("vt100", 100, 2);
	expect("7777.0");
	assert_int_equal(end(), 0);
}

static void test_unknown_terminal(void **state)
{
	(void)state;
	start("no-such-terminal", 100, 1);
	assert_int_equal(end(), ENOTTY);
}

/* Nobody is left to press a key, and no signal tells of it. */
static void test_hangup(void **state)
{
	int status;

	(void)state;
	signal(SIGHUP, SIG_IGN);
	start("vt100", 86400000, 0);
	signal(SIGHUP, SIG_DFL);
	expect("zero");
	close(terminal);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_iterations),
		cmocka_unit_test(test_unknown_terminal),
		cmocka_unit_test(test_hangup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
