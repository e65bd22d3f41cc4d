/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: the words for what happens at a domain's end, and which of them applies. No I/O.
 */
#include "zl/lifecycle.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "hyp/abi.h"

const struct lifecycle_actions lifecycle_defaults = {
	.on_poweroff = ACTION_DESTROY,
	.on_reboot = ACTION_RESTART,
	.on_watchdog = ACTION_DESTROY,
	.on_crash = ACTION_DESTROY,
};

static const char *const action_names[] = {
	[ACTION_DESTROY] = "destroy",
	[ACTION_RESTART] = "restart",
	[ACTION_RENAME_RESTART] = "rename-restart",
	[ACTION_PRESERVE] = "preserve",
	[ACTION_IGNORE] = "ignore",
};

static const char *const shutdown_names[] = {
	[SHUTDOWN_poweroff] = "poweroff", [SHUTDOWN_reboot] = "reboot",
	[SHUTDOWN_suspend] = "suspend",	  [SHUTDOWN_crash] = "crash",
	[SHUTDOWN_watchdog] = "watchdog", [SHUTDOWN_soft_reset] = "soft-reset",
};

int lifecycle_parse_action(const char *word, enum lifecycle_action *action)
{
	static const char *const refused[] = {"coredump-destroy", "coredump-restart", "soft-reset"};
	size_t i;

	for (i = 0; i < ACTION_IGNORE; i++) {
		if (!strcmp(word, action_names[i])) {
			*action = (enum lifecycle_action)i;
			return 0;
		}
	}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (!strcmp(word, refused[i]))
			return -EOPNOTSUPP;
	return -EINVAL;
}

const char *lifecycle_action_name(enum lifecycle_action action)
{
	return action_names[action];
}

enum lifecycle_action lifecycle_decide(const struct lifecycle_actions *actions, unsigned int code)
{
	switch (code) {
	case SHUTDOWN_poweroff:
		return actions->on_poweroff;
	case SHUTDOWN_reboot:
		return actions->on_reboot;
	case SHUTDOWN_suspend:
		return ACTION_IGNORE;
	case SHUTDOWN_watchdog:
		return actions->on_watchdog;
	default:
		return actions->on_crash;
	}
}

const char *shutdown_code_name(unsigned int code)
{
	if (code >= sizeof(shutdown_names) / sizeof(shutdown_names[0]))
		return "unknown";
	return shutdown_names[code];
}
