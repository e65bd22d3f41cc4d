/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How domains are shown: the columns that scripts made for xl cut by, the state letters, reasons,
 * JSON, the record of ended domains; and how a domain is found by name or number.
 *
 * Tools: zl/domains.c zl/domains_show.c zl/lifecycle.c zl/uuid.c zl/json.c zl/reason.c
 * Tools: zl/context.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "zl/domains.h"
#include "zl/json.h"
#include "zl/reason.h"

static struct zl zl;

static int set_up(void **state)
{
	(void)state;
	fake_reset(&zl);
	return 0;
}

static void test_state_letters(void **state)
{
	struct xen_domctl_getdomaininfo info = {.flags = XEN_DOMINF_running};
	char text[7];

	(void)state;
	domain_format_state(&info, text);
	assert_string_equal(text, "r-----");
	info.flags = XEN_DOMINF_blocked | XEN_DOMINF_paused;
	domain_format_state(&info, text);
	assert_string_equal(text, "-bp---");
	info.flags = XEN_DOMINF_shutdown | SHUTDOWN_poweroff << XEN_DOMINF_shutdownshift;
	domain_format_state(&info, text);
	assert_string_equal(text, "---s--");
	assert_string_equal(domain_reason(&info), "poweroff");
	info.flags = XEN_DOMINF_shutdown | SHUTDOWN_crash << XEN_DOMINF_shutdownshift;
	domain_format_state(&info, text);
	assert_string_equal(text, "---sc-");
	assert_string_equal(domain_reason(&info), "crash");
	/* The code says nothing while the domain runs. */
	info.flags = XEN_DOMINF_dying | SHUTDOWN_crash << XEN_DOMINF_shutdownshift;
	domain_format_state(&info, text);
	assert_string_equal(text, "-----d");
	assert_string_equal(domain_reason(&info), "-");
}

static char *print(struct domain_view *views, size_t nr, bool verbose)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	domains_print(views, nr, verbose, out);
	fclose(out);
	return text;
}

static void test_columns(void **state)
{
	struct domain_view views[2] = {
		{.domid = 3,
		 .name = "guest",
		 .info = {.tot_pages = 49152,
			  .nr_online_vcpus = 2,
			  .flags = XEN_DOMINF_blocked,
			  .cpu_time = 12345678901}},
		{.domid = 1234, .info = {.flags = XEN_DOMINF_dying}},
	};
	char *text = print(views, 2, false);

	(void)state;
	assert_string_equal(
		text,
		"Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
		"guest                                        3   192     2     -b----      12.3\n"
		"(null)                                    1234     0     0     -----d       "
		"0.0\n");
	free(text);
}

static void test_verbose(void **state)
{
	struct domain_view view = {.domid = 3,
				   .name = "guest",
				   .reason_text = "triple fault",
				   .info = {.flags = XEN_DOMINF_shutdown |
						     SHUTDOWN_crash << XEN_DOMINF_shutdownshift}};
	char *text = print(&view, 1, true);

	(void)state;
	assert_non_null(
		strstr(text, " 00000000-0000-0000-0000-000000000000 crash       triple fault\n"));
	free(text);
}

static const char *json_string(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : "";
}

static void test_json(void **state)
{
	struct domain_view views[2] = {
		{.domid = 3, .name = "guest", .info = {.tot_pages = 256, .cpu_time = 1500000000}},
		{.domid = 4,
		 .name = "dead",
		 .reason_text = "triple fault",
		 .info = {.flags = XEN_DOMINF_shutdown | SHUTDOWN_crash
								 << XEN_DOMINF_shutdownshift}},
	};
	struct json_object *list = domains_to_json(views, 2), *item, *part;

	(void)state;
	assert_int_equal(json_object_array_length(list), 2);
	item = json_object_array_get_idx(list, 0);
	assert_string_equal(json_string(item, "name"), "guest");
	assert_string_equal(json_string(item, "memory_kib"), "1024");
	assert_string_equal(json_string(item, "cpu_seconds"), "1.500");
	assert_false(json_object_object_get_ex(item, "reason", &part));
	/* Where `xl list -l` has the name. */
	assert_true(json_object_object_get_ex(item, "config", &part));
	assert_true(json_object_object_get_ex(part, "c_info", &part));
	assert_string_equal(json_string(part, "name"), "guest");
	item = json_object_array_get_idx(list, 1);
	assert_string_equal(json_string(item, "reason"), "crash");
	assert_string_equal(json_string(item, "reason_text"), "triple fault");
	json_object_put(list);
}

static void test_many_domains(void **state)
{
	struct domain_view *views;
	size_t nr;

	(void)state;
	/* More than one batch, and exactly two batches. */
	for (domid_t i = 1; i < 128; i++)
		fake_domain_add(i, (uint8_t)i);
	assert_int_equal(domains_get(&zl, &views, &nr), 0);
	assert_int_equal(nr, 128);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(views[i].domid, i);
	assert_string_equal(views[0].name, "Domain-0");
	domains_free(views, nr);
}

static void test_reason_is_asked(void **state)
{
	struct domain_view *view;

	(void)state;
	fake_domain_add(66, 1)->flags = XEN_DOMINF_shutdown | SHUTDOWN_crash
								      << XEN_DOMINF_shutdownshift;
	assert_int_equal(domains_get_one(&zl, 66, &view), 0);
	assert_string_equal(view->reason_text, "triple fault");
	domains_free(view, 1);
	assert_int_equal(domains_get_one(&zl, 67, &view), -ESRCH);
}

static void test_finding(void **state)
{
	const uint8_t uuid[16] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
	const uint8_t other[16] = {9};
	domid_t domid = 0;

	(void)state;
	fake_domain_add(5, 9);
	fake_store_set("/local/domain/5/name", "guest");
	/* A name whose domain is gone is no name. */
	fake_store_set("/local/domain/6/name", "ghost");
	assert_int_equal(zl_find_domain(&zl, "guest", &domid), 0);
	assert_int_equal(domid, 5);
	assert_int_equal(zl_find_domain(&zl, "5", &domid), 0);
	assert_int_equal(zl_find_domain(&zl, "6", &domid), ZL_FAILED);
	assert_int_equal(zl_find_domain(&zl, "ghost", &domid), ZL_FAILED);
	assert_int_equal(zl_find_domain(&zl, "65541", &domid), ZL_FAILED);
	assert_int_equal(zl_find_domain(&zl, "Domain-0", &domid), 0);
	assert_int_equal(domid, 0);
	assert_int_equal(domains_find_uuid(&zl, uuid, &domid), 0);
	assert_int_equal(domid, 5);
	assert_int_equal(domains_find_uuid(&zl, other, &domid), -ENOENT);
}

static void test_numbers(void **state)
{
	long long number;

	(void)state;
	assert_int_equal(zl_parse_number("12", &number), 0);
	assert_int_equal(number, 12);
	assert_int_equal(zl_parse_number("", &number), -EINVAL);
	assert_int_equal(zl_parse_number("-1", &number), -EINVAL);
	assert_int_equal(zl_parse_number("12a", &number), -EINVAL);
	assert_int_equal(zl_parse_number("99999999999999999999", &number), -EINVAL);
}

static const struct command tested = {"tested", NULL, "[-a] [-n NUMBER]", "A test", NULL};

/* Returns the options found, as letters, and the status that getting them gave (-1: none). */
static int parse(int argc, char **argv, char *letters)
{
	static const struct option options[] = {{"number", required_argument, NULL, 'n'},
						{NULL, 0, NULL, 0}};
	int option, status = -1;

	optind = 0;
	*letters = '\0';
	while ((option = command_next_option(&tested, argc, argv, "an:", options, &status)) > 0)
		letters[strlen(letters) + 1] = '\0', letters[strlen(letters)] = (char)option;
	return option ? -1 : status;
}

static void test_options(void **state)
{
	char *good[] = {"tested", "-a", "--number", "5", "word", "-a", NULL};
	char *unknown[] = {"tested", "--none", NULL};
	char *missing[] = {"tested", "-n", NULL};
	char letters[16];

	(void)state;
	/* Options end at the first word: what follows may be another's. */
	assert_int_equal(parse(6, good, letters), -1);
	assert_string_equal(letters, "an");
	assert_string_equal(good[optind], "word");
	assert_int_equal(parse(2, unknown, letters), ZL_USAGE);
	assert_int_equal(parse(2, missing, letters), ZL_USAGE);
}

static void test_ended(void **state)
{
	char path[] = "/tmp/zl-ended-XXXXXX", old[64];
	struct ended_domain ended = {.name = "guest \"x\"",
				     .domid = 4,
				     .reason = "crash",
				     .text = "triple fault",
				     .action = "destroy",
				     .time = 1000};
	struct json_object *list;
	char *text = NULL;
	struct stat st;
	size_t size;
	FILE *out;
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	assert_int_equal(ended_add(path, &ended), 0);
	ended.text = NULL;
	assert_int_equal(ended_add(path, &ended), 0);
	out = open_memstream(&text, &size);
	assert_int_equal(ended_print(path, true, out), 0);
	fclose(out);
	list = json_tokener_parse(text);
	assert_int_equal(json_object_array_length(list), 2);
	assert_string_equal(json_string(json_object_array_get_idx(list, 0), "reason_text"),
			    "triple fault");
	assert_string_equal(json_string(json_object_array_get_idx(list, 1), "name"), "guest \"x\"");
	json_object_put(list);
	free(text);
	/* A full record makes room. */
	assert_int_equal(truncate(path, ENDED_BYTES_MAX), 0);
	assert_int_equal(ended_add(path, &ended), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 1000);
	snprintf(old, sizeof(old), "%s.old", path);
	assert_int_equal(unlink(old), 0);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_state_letters, set_up),
		cmocka_unit_test_setup(test_columns, set_up),
		cmocka_unit_test_setup(test_verbose, set_up),
		cmocka_unit_test_setup(test_json, set_up),
		cmocka_unit_test_setup(test_many_domains, set_up),
		cmocka_unit_test_setup(test_reason_is_asked, set_up),
		cmocka_unit_test_setup(test_finding, set_up),
		cmocka_unit_test_setup(test_numbers, set_up),
		cmocka_unit_test_setup(test_options, set_up),
		cmocka_unit_test_setup(test_ended, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
