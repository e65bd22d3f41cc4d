/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration parser: what it accepts, and each thing it refuses with the place and the
 * expectation named.
 *
 * Tools: lib/config
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "config/config.h"

static struct config *parse(const char *text)
{
	struct config_error error;
	struct config *config = NULL;

	if (config_parse_text("a.cfg", text, strlen(text), &config, &error) != 0)
		fail_msg("refused: %s", error.text);
	return config;
}

/* `text` must be refused with `code` at line and column, and the message must say `what`. */
static void refuse(const char *text, int code, unsigned int line, unsigned int column,
		   const char *what)
{
	struct config_error error = {0};
	struct config *config = NULL;
	char place[32];

	assert_int_equal(config_parse_text("a.cfg", text, strlen(text), &config, &error), code);
	assert_null(config);
	snprintf(place, sizeof(place), "a.cfg:%u:%u: ", line, column);
	if (strncmp(error.text, place, strlen(place)) != 0 || !strstr(error.text, what))
		fail_msg("message \"%s\" is not \"%s...%s...\"", error.text, place, what);
	assert_int_equal(error.line, line);
	assert_int_equal(error.column, column);
}

static void check_string(struct config *config, const char *key, const char *expected)
{
	struct config_error error;
	const char *value = NULL;

	assert_int_equal(config_get_string(config, key, &value, &error), 0);
	assert_string_equal(value, expected);
}

static long long number(struct config *config, const char *key)
{
	struct config_error error;
	long long value;

	assert_int_equal(config_get_number(config, key, -1000000, 1000000, &value, &error), 0);
	return value;
}

static void strings_take_both_quotes_and_escapes(void **state)
{
	struct config *config = parse("a = \"x'y\"\nb = 'x\"y' # comment\n"
				      "c = \"\\\"\\\\\\n\\x41\\101\\q\"\nd=''\n");

	(void)state;
	check_string(config, "a", "x'y");
	check_string(config, "b", "x\"y");
	check_string(config, "c", "\"\\\nAAq");
	check_string(config, "d", "");
	config_free(config);
}

static void numbers_take_bases_and_signs(void **state)
{
	struct config *config = parse("a=12;b=0x1F ; c = 010\nd=-3\ne='42'\n");

	(void)state;
	assert_int_equal(number(config, "a"), 12);
	assert_int_equal(number(config, "b"), 31);
	assert_int_equal(number(config, "c"), 8);
	assert_int_equal(number(config, "d"), -3);
	assert_int_equal(number(config, "e"), 42);
	check_string(config, "b", "0x1F");
	config_free(config);
}

static void lists_nest_and_span_lines(void **state)
{
	struct config *config =
		parse("disk = [ 'a,b', # first\n  \"c\",\n ]\nnest=[[1,[2]],'x',[]]\n"
		      "one = 'single'\n");
	const struct config_value *value, *inner;
	struct config_error error;
	const char **strings;
	size_t nr;

	(void)state;
	assert_int_equal(config_get_strings(config, "disk", &strings, &nr, &error), 0);
	assert_int_equal(nr, 2);
	assert_string_equal(strings[0], "a,b");
	assert_string_equal(strings[1], "c");
	free(strings);
	assert_int_equal(config_get_strings(config, "one", &strings, &nr, &error), 0);
	assert_int_equal(nr, 1);
	assert_string_equal(strings[0], "single");
	free(strings);
	assert_int_equal(config_get_value(config, "nest", &value), 0);
	assert_int_equal(config_value_kind(value), CONFIG_LIST);
	assert_int_equal(config_value_count(value), 3);
	assert_int_equal(config_value_line(value), 4);
	inner = config_value_item(config_value_item(value, 0), 1);
	assert_string_equal(config_value_text(config_value_item(inner, 0)), "2");
	assert_null(config_value_item(inner, 1));
	assert_int_equal(config_value_count(config_value_item(value, 2)), 0);
	assert_int_equal(config_get_strings(config, "nest", &strings, &nr, &error), -EINVAL);
	assert_non_null(strstr(error.text, "a.cfg:4:7: 'nest' must be a list of strings"));
	config_free(config);
}

static void plus_equals_appends(void **state)
{
	struct config *config =
		parse("extra='a'\nextra += ' b'\nd=['1']\nd+=['2','3']\nnew += 'x'\n");
	struct config_error error;
	const char **strings;
	size_t nr;

	(void)state;
	check_string(config, "extra", "a b");
	check_string(config, "new", "x");
	assert_int_equal(config_get_strings(config, "d", &strings, &nr, &error), 0);
	assert_int_equal(nr, 3);
	assert_string_equal(strings[2], "3");
	free(strings);
	config_free(config);
	refuse("a='x'\na += ['y']\n", -EINVAL, 2, 6, "expected a string after '+='");
	refuse("a=['x']\na += 'y'\n", -EINVAL, 2, 6, "expected a list after '+='");
}

static void last_value_counts(void **state)
{
	struct config *config = parse("a='1'\na=['2']\na='3'\n");

	(void)state;
	check_string(config, "a", "3");
	config_free(config);
}

static void odd_layouts_are_accepted(void **state)
{
	struct config *config = parse("\r\n;; a\t=\t1 ;\r\n b='x';c=[\n\n1\n,\n2\n]# end");

	(void)state;
	assert_int_equal(number(config, "a"), 1);
	check_string(config, "b", "x");
	config_free(config);
	config_free(parse(""));
	config_free(parse("# only a comment"));
	config = parse("a = \\\n 5\n");
	assert_int_equal(number(config, "a"), 5);
	config_free(config);
}

static void syntax_errors_name_place_and_expectation(void **state)
{
	(void)state;
	refuse("a = \n", -EINVAL, 1, 5, "expected a value");
	refuse("a = word\n", -EINVAL, 1, 5, "found 'w'");
	refuse("a\n", -EINVAL, 1, 2, "expected '=' or '+='");
	refuse("a + 1\n", -EINVAL, 1, 4, "expected '=' after '+'");
	refuse("1 = 2\n", -EINVAL, 1, 1, "expected the name of a setting, found '1'");
	refuse("\n\n  =\n", -EINVAL, 3, 3, "expected the name of a setting");
	refuse("a = 'x\nb = 'y'\n", -EINVAL, 1, 7, "expected ' to end the string");
	refuse("a = \"x", -EINVAL, 1, 7, "line 1, column 5");
	refuse("a = 'x\\", -EINVAL, 1, 8, "expected a character after '\\'");
	refuse("a = '\\xg'", -EINVAL, 1, 8, "hexadecimal digit");
	refuse("a = '\\0'", -EINVAL, 1, 8, "1 to 255");
	refuse("a = '\\777'", -EINVAL, 1, 10, "1 to 255");
	refuse("a = 1 2\n", -EINVAL, 1, 7, "';' or the end of the line");
	refuse("a = 'x' b = 'y'", -EINVAL, 1, 9, "';' or the end of the line");
	refuse("a = 12k\n", -EINVAL, 1, 7, "end of the number");
	refuse("a = 0x\n", -EINVAL, 1, 7, "hexadecimal digit");
	refuse("a = -\n", -EINVAL, 1, 6, "a digit");
	refuse("a = [1 2]\n", -EINVAL, 1, 8, "',' or ']'");
	refuse("a = [1,\n", -EINVAL, 2, 1, "the end of the file");
	refuse("a = [,]\n", -EINVAL, 1, 6, "expected a value");
	refuse("a = ]\n", -EINVAL, 1, 5, "expected a value");
	refuse("\x01\n", -EINVAL, 1, 1, "byte 0x01");
}

static void nul_bytes_are_refused(void **state)
{
	static const char text[] = "a = 'x\0y'\n";
	struct config_error error;
	struct config *config;

	(void)state;
	assert_int_equal(config_parse_text("a.cfg", text, sizeof(text) - 1, &config, &error),
			 -EINVAL);
	assert_non_null(strstr(error.text, "a.cfg:1:7: "));
}

static void bounds_hold(void **state)
{
	size_t size = CONFIG_FILE_MAX + 1;
	struct config_error error;
	struct config *config;
	char *text = malloc(size), *at = text;

	(void)state;
	memset(text, ' ', size);
	assert_int_equal(config_parse_text("a.cfg", text, size, &config, &error), -E2BIG);
	at += sprintf(at, "a=");
	for (int i = 0; i < CONFIG_DEPTH_MAX + 1; i++)
		*at++ = '[';
	assert_int_equal(config_parse_text("a.cfg", text, (size_t)(at - text), &config, &error),
			 -E2BIG);
	assert_non_null(strstr(error.text, "nested"));
	at = text + sprintf(text, "a=[");
	for (int i = 0; i < CONFIG_ITEMS_MAX; i++)
		at += sprintf(at, "1,");
	*at++ = ']';
	assert_int_equal(config_parse_text("a.cfg", text, (size_t)(at - text), &config, &error),
			 -E2BIG);
	assert_non_null(strstr(error.text, "more than"));
	free(text);
}

static void deepest_nesting_is_accepted(void **state)
{
	char text[2 * CONFIG_DEPTH_MAX + 3] = "a=", *at = text + 2;

	(void)state;
	for (int i = 0; i < CONFIG_DEPTH_MAX; i++)
		*at++ = '[';
	for (int i = 0; i < CONFIG_DEPTH_MAX; i++)
		*at++ = ']';
	*at = '\0';
	config_free(parse(text));
}

static void getters_check_kind_and_range(void **state)
{
	struct config *config =
		parse("n = 5\ns = 'text'\nl = [1]\nbig = 99999999999999999999\nb=2\n");
	struct config_error error;
	long long value = 77;
	const char *text = "untouched";
	bool flag;

	(void)state;
	assert_int_equal(config_get_number(config, "none", 0, 9, &value, &error), -ENOENT);
	assert_int_equal(value, 77);
	assert_string_equal(error.text, "");
	assert_int_equal(config_get_string(config, "none", &text, &error), -ENOENT);
	assert_string_equal(text, "untouched");
	assert_int_equal(config_get_number(config, "n", 6, 9, &value, &error), -ERANGE);
	assert_string_equal(error.text, "a.cfg:1:5: 'n' must be from 6 to 9, not 5");
	assert_int_equal(config_get_number(config, "n", 0, 4, &value, &error), -ERANGE);
	assert_int_equal(config_get_number(config, "big", 0, 9, &value, &error), -ERANGE);
	assert_int_equal(config_get_number(config, "s", 0, 9, &value, &error), -EINVAL);
	assert_string_equal(error.text, "a.cfg:2:5: 's' must be a number, not \"text\"");
	assert_int_equal(config_get_number(config, "l", 0, 9, &value, &error), -EINVAL);
	assert_int_equal(config_get_string(config, "l", &text, &error), -EINVAL);
	assert_string_equal(error.text, "a.cfg:3:5: 'l' must be a string, not a list");
	assert_int_equal(config_get_bool(config, "b", &flag, &error), -ERANGE);
	config_free(config);
}

static void collect(const char *file, unsigned int line, const char *key, void *arg)
{
	char *to = arg;

	sprintf(to + strlen(to), "%s:%u:%s ", file, line, key);
}

static void unknown_keys_are_listed(void **state)
{
	struct config *config = parse("name='x'\nfoo=1\nmemory=3\nbar=[1]\n");
	char unknown[128] = "";

	(void)state;
	check_string(config, "name", "x");
	config_mark_key(config, "memory");
	config_mark_key(config, "absent");
	config_visit_unknown(config, collect, unknown);
	assert_string_equal(unknown, "a.cfg:2:foo a.cfg:4:bar ");
	config_free(config);
}

static void files_are_read_and_missing_ones_named(void **state)
{
	char path[] = "/tmp/zendo-config-XXXXXX";
	int fd = mkstemp(path);
	struct config_error error;
	struct config *config;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a='b'\n", 6), 6);
	close(fd);
	assert_int_equal(config_parse_file(path, &config, &error), 0);
	check_string(config, "a", "b");
	config_free(config);
	unlink(path);
	assert_int_equal(config_parse_file(path, &config, &error), -ENOENT);
	assert_non_null(strstr(error.text, path));
	assert_int_equal(config_parse_file("/tmp", &config, &error), -EISDIR);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_take_both_quotes_and_escapes),
		cmocka_unit_test(numbers_take_bases_and_signs),
		cmocka_unit_test(lists_nest_and_span_lines),
		cmocka_unit_test(plus_equals_appends),
		cmocka_unit_test(last_value_counts),
		cmocka_unit_test(odd_layouts_are_accepted),
		cmocka_unit_test(syntax_errors_name_place_and_expectation),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(deepest_nesting_is_accepted),
		cmocka_unit_test(getters_check_kind_and_range),
		cmocka_unit_test(unknown_keys_are_listed),
		cmocka_unit_test(files_are_read_and_missing_ones_named),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
