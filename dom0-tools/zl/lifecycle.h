/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: what is done when a domain ends: the words of on_poweroff and its kin, and the decision.
 * Pure logic, no I/O; the monitor carries it out.
 */
#ifndef ZENDO_ZL_LIFECYCLE_H
#define ZENDO_ZL_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

enum lifecycle_action {
	ACTION_DESTROY,
	ACTION_RESTART,
	ACTION_RENAME_RESTART,
	ACTION_PRESERVE,
	ACTION_IGNORE, /* not an end: the domain only suspended */
};

struct lifecycle_actions {
	enum lifecycle_action on_poweroff;
	enum lifecycle_action on_reboot;
	enum lifecycle_action on_watchdog;
	enum lifecycle_action on_crash;
};

/* destroy, restart, destroy, destroy: as xl. */
extern const struct lifecycle_actions lifecycle_defaults;

/* 0; -EOPNOTSUPP: a word of xl that zl refuses (coredump-*, soft-reset); -EINVAL: no such word. */
int lifecycle_parse_action(const char *word, enum lifecycle_action *action);
const char *lifecycle_action_name(enum lifecycle_action action);

/* `code` is a SHUTDOWN_* of xen/sched.h; a code that nobody knows counts as a crash. */
enum lifecycle_action lifecycle_decide(const struct lifecycle_actions *actions, unsigned int code);

/* "poweroff", "reboot", "suspend", "crash", "watchdog", "soft-reset", or "unknown". */
const char *shutdown_code_name(unsigned int code);

#endif
