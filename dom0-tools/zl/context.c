/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl: connections, reporting and option parsing for the subcommands. Nothing about domains but
 * finding the one that a person named.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hyp/domain.h"
#include "hyp/hyp.h"
#include "store/zstore.h"
#include "zl/domains.h"
#include "zl/zl.h"

#define OPTIONS_MAX 16

static void report(const char *prefix, const char *format, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof(text), format, args);
	fprintf(stderr, "zl: %s%s\n", prefix, text);
}

int zl_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report("", format, args);
	va_end(args);
	return ZL_FAILED;
}

void zl_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report("warning: ", format, args);
	va_end(args);
}

static void command_help(const struct command *command)
{
	printf("Usage: zl %s %s\n\n%s.\n\nOptions:\n", command->name, command->arguments,
	       command->summary);
	if (command->options)
		printf("%s", command->options);
	printf("  -h, --help            show this text\n\n"
	       "Exit status: 0 done, 1 failed, 2 wrong arguments. See zl(1).\n");
}

int command_usage(const struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report("", format, args);
	va_end(args);
	fprintf(stderr, "usage: zl %s %s\n", command->name, command->arguments);
	return ZL_USAGE;
}

int command_next_option(const struct command *command, int argc, char **argv,
			const char *short_options, const struct option *long_options, int *status)
{
	struct option all[OPTIONS_MAX + 2] = {{"help", no_argument, NULL, 'h'}};
	char letters[64];
	int i, option;

	for (i = 0; long_options && long_options[i].name && i < OPTIONS_MAX; i++)
		all[i + 1] = long_options[i];
	snprintf(letters, sizeof(letters), "+:h%s", short_options);
	option = getopt_long(argc, argv, letters, all, NULL);
	switch (option) {
	case 'h':
		command_help(command);
		*status = ZL_OK;
		return 0;
	case ':':
		*status = command_usage(command, "%s: %s wants a value", command->name,
					argv[optind - 1]);
		return 0;
	case '?':
		*status = command_usage(command, "%s: unknown option %s", command->name,
					argv[optind - 1]);
		return 0;
	default:
		return option;
	}
}

int command_plain(const struct command *command, int argc, char **argv, int min, int max,
		  int *status)
{
	if (command_next_option(command, argc, argv, "", NULL, status) != -1)
		return -1;
	if (argc - optind < min || argc - optind > max) {
		*status = command_usage(command, "%s: too %s arguments", command->name,
					argc - optind < min ? "few" : "many");
		return -1;
	}
	return 0;
}

static const char *explain_hyp(int rc)
{
	switch (rc) {
	case -ENOENT:
		return "no /dev/xen/privcmd: not in dom0 of a hypervisor, or xen-privcmd not "
		       "loaded";
	case -EACCES:
		return "/dev/xen/privcmd: permission denied; zl needs root";
	default:
		return strerror(-rc);
	}
}

int zl_open(struct zl *zl, enum zl_need need)
{
	int rc;

	memset(zl, 0, sizeof(*zl));
	rc = hyp_open(&zl->hyp);
	if (rc)
		return zl_error("%s", explain_hyp(rc));
	if (need == ZL_HYP)
		return 0;
	rc = zstore_open(&zl->store, ZSTORE_RECONNECT);
	if (!rc)
		return 0;
	zl->store = NULL;
	if (need == ZL_HYP_AND_NAMES) {
		zl_warn("no answer from the store (%s): domains have no names", strerror(-rc));
		return 0;
	}
	zl_close(zl);
	return zl_error("no answer from the store (%s): is zstored running?", strerror(-rc));
}

void zl_close(struct zl *zl)
{
	if (zl->store)
		zstore_close(zl->store);
	hyp_close(zl->hyp);
	memset(zl, 0, sizeof(*zl));
}

int zl_parse_number(const char *text, long long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return *end || errno ? -EINVAL : 0;
}

int zl_find_domain(struct zl *zl, const char *text, domid_t *domid)
{
	struct xen_domctl_getdomaininfo info;
	long long number;
	int rc;

	if (!zl_parse_number(text, &number)) {
		*domid = (domid_t)number;
		if (number >= DOMID_FIRST_RESERVED || hyp_domain_get_info(zl->hyp, *domid, &info))
			return zl_error("%s: no domain has this number", text);
		return 0;
	}
	rc = domains_find_name(zl, text, domid);
	if (rc == -ENOENT)
		return zl_error("%s: no domain has this name", text);
	if (rc)
		return zl_error("%s: %s", text, strerror(-rc));
	return 0;
}
