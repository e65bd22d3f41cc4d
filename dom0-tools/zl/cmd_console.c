/* SPDX-License-Identifier: BSD-2-Clause */
/* zl console: attach to the console of a domain that is there already. */
#include <string.h>

#include "zl/commands.h"
#include "zl/console.h"
#include "zl/zl.h"

static int parse_kind(const char *text, enum console_kind *kind)
{
	*kind = strcmp(text, "serial") ? CONSOLE_PV : CONSOLE_SERIAL;
	return strcmp(text, "serial") && strcmp(text, "pv") ? -1 : 0;
}

int cmd_console(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"type", required_argument, NULL, 't'},
						{"num", required_argument, NULL, 'n'},
						{NULL, 0, NULL, 0}};
	int option, status = ZL_OK;
	enum console_kind kind = CONSOLE_ANY;
	long long number = 0;
	struct console console;
	domid_t domid;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "t:n:", options, &status)) > 0) {
		if (option == 'n' ? zl_parse_number(optarg, &number) || number > 3
				  : parse_kind(optarg, &kind))
			return command_usage(command,
					     "console: expected -t pv or serial, and -n of 0 to 3, "
					     "found \"%s\"",
					     optarg);
	}
	if (number && kind != CONSOLE_SERIAL)
		return command_usage(command, "console: -n %lld is there with -t serial only",
				     number);
	if (!option)
		return status;
	if (argc - optind != 1)
		return command_usage(command, "console: expected one domain");
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = zl_find_domain(&zl, argv[optind], &domid);
	if (!status && !domid)
		status = zl_error("console: dom0's console is the machine's");
	if (!status &&
	    !(status = console_open(&console, &zl, domid, kind, (uint32_t)number, 10000))) {
		status = console_run(&console);
		console_close(&console);
	}
	zl_close(&zl);
	return status;
}
