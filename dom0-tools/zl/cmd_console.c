/* SPDX-License-Identifier: BSD-2-Clause */
/* zl console: attach to the console of a domain that is there already. */
#include <string.h>

#include "zl/commands.h"
#include "zl/console.h"
#include "zl/zl.h"

int cmd_console(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"type", required_argument, NULL, 't'},
						{"num", required_argument, NULL, 'n'},
						{NULL, 0, NULL, 0}};
	int option, status = ZL_OK;
	struct console console;
	domid_t domid;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "t:n:", options, &status)) > 0) {
		if (strcmp(optarg, option == 't' ? "pv" : "0"))
			return command_usage(command, "console: there is only -t pv -n 0");
	}
	if (!option)
		return status;
	if (argc - optind != 1)
		return command_usage(command, "console: expected one domain");
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = zl_find_domain(&zl, argv[optind], &domid);
	if (!status && !domid)
		status = zl_error("console: dom0's console is the machine's");
	if (!status && !(status = console_open(&console, &zl, domid, 10000))) {
		status = console_run(&console);
		console_close(&console);
	}
	zl_close(&zl);
	return status;
}
