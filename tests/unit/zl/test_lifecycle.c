/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done when a domain ends: the words of the configuration, and which of them counts.
 *
 * Tools: zl/lifecycle.c zl/uuid.c
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#include "hyp/abi.h"
#include "zl/lifecycle.h"
#include "zl/spec.h"

static void test_words(void **state)
{
	static const char *const words[] = {"destroy", "restart", "rename-restart", "preserve"};
	enum lifecycle_action action;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(lifecycle_parse_action(words[i], &action), 0);
		assert_string_equal(lifecycle_action_name(action), words[i]);
	}
}

static void test_words_refused(void **state)
{
	enum lifecycle_action action = ACTION_PRESERVE;

	(void)state;
	assert_int_equal(lifecycle_parse_action("coredump-destroy", &action), -EOPNOTSUPP);
	assert_int_equal(lifecycle_parse_action("coredump-restart", &action), -EOPNOTSUPP);
	assert_int_equal(lifecycle_parse_action("soft-reset", &action), -EOPNOTSUPP);
	assert_int_equal(lifecycle_parse_action("Destroy", &action), -EINVAL);
	assert_int_equal(lifecycle_parse_action("", &action), -EINVAL);
	/* "ignore" is an outcome, not a word to choose. */
	assert_int_equal(lifecycle_parse_action("ignore", &action), -EINVAL);
	assert_int_equal(action, ACTION_PRESERVE);
}

static void test_decision(void **state)
{
	const struct lifecycle_actions actions = {
		.on_poweroff = ACTION_DESTROY,
		.on_reboot = ACTION_RESTART,
		.on_watchdog = ACTION_RENAME_RESTART,
		.on_crash = ACTION_PRESERVE,
	};

	(void)state;
	assert_int_equal(lifecycle_decide(&actions, SHUTDOWN_poweroff), ACTION_DESTROY);
	assert_int_equal(lifecycle_decide(&actions, SHUTDOWN_reboot), ACTION_RESTART);
	assert_int_equal(lifecycle_decide(&actions, SHUTDOWN_watchdog), ACTION_RENAME_RESTART);
	assert_int_equal(lifecycle_decide(&actions, SHUTDOWN_crash), ACTION_PRESERVE);
	assert_int_equal(lifecycle_decide(&actions, SHUTDOWN_suspend), ACTION_IGNORE);
	/* A guest may give any number: none may go unanswered. */
	assert_int_equal(lifecycle_decide(&actions, 200), ACTION_PRESERVE);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(lifecycle_defaults.on_poweroff, ACTION_DESTROY);
	assert_int_equal(lifecycle_defaults.on_reboot, ACTION_RESTART);
	assert_int_equal(lifecycle_defaults.on_watchdog, ACTION_DESTROY);
	assert_int_equal(lifecycle_defaults.on_crash, ACTION_DESTROY);
}

static void test_code_names(void **state)
{
	(void)state;
	assert_string_equal(shutdown_code_name(SHUTDOWN_poweroff), "poweroff");
	assert_string_equal(shutdown_code_name(SHUTDOWN_crash), "crash");
	assert_string_equal(shutdown_code_name(SHUTDOWN_soft_reset), "soft-reset");
	assert_string_equal(shutdown_code_name(6), "unknown");
	assert_string_equal(shutdown_code_name(255), "unknown");
}

static void test_uuid(void **state)
{
	const char *text = "1b4e28ba-2fa1-41d2-883f-0016d3cca427";
	uint8_t uuid[16], other[16];
	char back[37];

	(void)state;
	assert_int_equal(uuid_parse(text, uuid), 0);
	uuid_format(uuid, back);
	assert_string_equal(back, text);
	assert_int_equal(uuid_parse("1B4E28BA2FA141D2883F0016D3CCA427", other), 0);
	assert_memory_equal(uuid, other, 16);
	assert_int_equal(uuid_parse("1b4e28ba-2fa1-41d2-883f-0016d3cca42", other), -EINVAL);
	assert_int_equal(uuid_parse("1b4e28ba-2fa1-41d2-883f-0016d3cca4277", other), -EINVAL);
	assert_int_equal(uuid_parse("1b4e28ba-2fa1-41d2-883f-0016d3cca42x", other), -EINVAL);
	assert_int_equal(uuid_parse("", other), -EINVAL);
}

static void test_uuid_choice(void **state)
{
	uint8_t a[16], b[16];

	(void)state;
	assert_int_equal(uuid_choose(a), 0);
	assert_int_equal(uuid_choose(b), 0);
	assert_int_equal(a[6] >> 4, 4);
	assert_int_equal(a[8] >> 6, 2);
	assert_memory_not_equal(a, b, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	    cmocka_unit_test(test_words_refused),
		cmocka_unit_test(test_decision),    cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_code_names),  cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_uuid_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
