/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: what every subcommand uses: the table entry, the connections to hypervisor and store, and
 * the one way to report. Only cmd_* functions and what they call here print; the rest of zl
 * returns codes.
 */
#ifndef ZENDO_ZL_ZL_H
#define ZENDO_ZL_ZL_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "hyp/abi.h"

struct hyp;
struct zstore;

/* Exit statuses, as documented in zl(1). */
enum zl_status {
	ZL_OK = 0,
	ZL_FAILED = 1,
	ZL_USAGE = 2,
};

struct command {
	const char *name;
	int (*run)(const struct command *command, int argc, char **argv);
	const char *arguments; /* "[OPTIONS] DOMAIN" */
	const char *summary;
	const char *options; /* text for --help, one option a line; NULL: none but --help */
};

extern const struct command zl_commands[];

/*
 * getopt_long() over `short_options` and `long_options` (NULL: none); -h and --help are added.
 * Returns the option, -1 at the end, or 0 when the caller must return *status at once: help was
 * asked for and printed, or the option is wrong and was reported.
 */
int command_next_option(const struct command *command, int argc, char **argv,
			const char *short_options, const struct option *long_options, int *status);
/* Report that the arguments are wrong; returns ZL_USAGE. */
int command_usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Parse the options of a command that has none, and check the number of arguments. 0 or -1. */
int command_plain(const struct command *command, int argc, char **argv, int min, int max,
		  int *status);

/* "zl: ..." on stderr; zl_error() returns ZL_FAILED. */
int zl_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void zl_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct zl {
	struct hyp *hyp;
	struct zstore *store; /* NULL when not asked for, or not there */
};

enum zl_need {
	ZL_HYP,		  /* the hypervisor alone */
	ZL_HYP_AND_NAMES, /* and the store when it runs; else a warning */
	ZL_HYP_AND_STORE,
};

/* Returns 0, or ZL_FAILED when that was reported. */
int zl_open(struct zl *zl, enum zl_need need);
void zl_close(struct zl *zl);

/*
 * The domain that a person wrote: a number or a name. Reports what is wrong with it; returns 0 or
 * ZL_FAILED.
 */
int zl_find_domain(struct zl *zl, const char *text, domid_t *domid);

/* A whole decimal number, nothing after it: 0 or -EINVAL. */
int zl_parse_number(const char *text, long long *number);

#endif
