/* SPDX-License-Identifier: BSD-2-Clause */
/* zl top: its arguments, and the mode that prints line by line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "zl/commands.h"
#include "zl/json.h"
#include "zl/top.h"
#include "zl/zl.h"

#define DELAY_MS 3000

struct top_arguments {
	bool batch;
	bool as_json;
	unsigned int delay_ms;
	long long iterations; /* 0: no end */
};

static int batch_show(const struct top *top, bool as_json)
{
	if (as_json)
		return json_print_line(top_to_json(top, time(NULL)), stdout) ? -EIO : 0;
	top_print(top, stdout);
	return fflush(stdout) ? -errno : 0;
}

static int batch_run(struct zl *zl, const struct top_arguments *args)
{
	struct timespec delay = {args->delay_ms / 1000, args->delay_ms % 1000 * 1000000L};
	struct top top = {.zl = zl};
	int rc = 0;

	for (long long i = 0; !rc && (!args->iterations || i < args->iterations); i++) {
		if (i)
			nanosleep(&delay, NULL);
		rc = top_next(&top);
		if (!rc)
			rc = batch_show(&top, args->as_json);
	}
	top_free(&top);
	return rc;
}

static int top_run(const struct top_arguments *args)
{
	const char *type = getenv("TERM");
	struct zl zl;
	int rc;

	if (zl_open(&zl, ZL_HYP_AND_NAMES))
		return ZL_FAILED;
	rc = args->batch ? batch_run(&zl, args)
			 : top_screen(&zl, args->delay_ms, (unsigned long)args->iterations);
	zl_close(&zl);
	if (rc == -ENOTTY)
		return zl_error("top: nothing is known about terminals of type \"%s\" (TERM); -b "
				"prints lines",
				type ? type : "");
	return rc ? zl_error("top: %s", strerror(-rc)) : ZL_OK;
}

int cmd_top(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"batch", no_argument, NULL, 'b'},
						{"iterations", required_argument, NULL, 'i'},
						{"delay", required_argument, NULL, 'd'},
						{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	struct top_arguments args = {.delay_ms = DELAY_MS};
	int option, status = ZL_OK;

	while ((option = command_next_option(command, argc, argv, "bi:d:", options, &status)) > 0) {
		args.as_json |= option == 'j';
		args.batch |= option == 'b' || option == 'j';
		if (option == 'i' &&
		    (zl_parse_number(optarg, &args.iterations) || !args.iterations))
			return command_usage(command, "top: expected how many times, found \"%s\"",
					     optarg);
		if (option == 'd' && top_parse_delay(optarg, &args.delay_ms))
			return command_usage(command,
					     "top: expected 0.1 to 86400 seconds, found \"%s\"",
					     optarg);
	}
	if (!option)
		return status;
	if (optind < argc)
		return command_usage(command, "top: too many arguments");
	if (!args.batch && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return zl_error("top: input and output are not a terminal; -b prints lines");
	return top_run(&args);
}
