/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl create: from a file and words of the command line to a running domain. Reads and checks the
 * configuration, hands it to the supervisor, and attaches the console when asked to.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zl/commands.h"
#include "zl/console.h"
#include "zl/json.h"
#include "zl/overrides.h"
#include "zl/spec.h"
#include "zl/state.h"
#include "zl/supervise.h"
#include "zl/teardown.h"
#include "zl/zl.h"

#define CONSOLE_WAIT_MS 10000

struct create_arguments {
	const char *file;
	char *const *overrides;
	int nr_overrides;
	bool console;
	bool dry_run;
	struct supervise_options supervise;
};

static void warn_unknown_key(const char *file, unsigned int line, const char *key, void *arg)
{
	struct source_text *source = arg;

	if (line > source->file_lines)
		zl_warn("command line: unknown key \"%s\" is ignored", key);
	else
		zl_warn("%s:%u: unknown key \"%s\" is ignored", file, line, key);
}

/* The specification; `config` must outlive nothing, all is copied. */
static int create_read(const struct create_arguments *args, struct domain_spec *spec)
{
	struct config_error error = {.line = 0};
	struct source_text source;
	struct config *config = NULL;
	int rc = source_read(args->file, args->overrides, args->nr_overrides, &source);

	if (rc)
		return zl_error("%s: %s", args->file ? args->file : "command line", strerror(-rc));
	rc = config_parse_text(source.name, source.text, source.size, &config, &error);
	if (!rc)
		rc = spec_read(config, spec, &error);
	if (!rc && !args->supervise.quiet)
		config_visit_unknown(config, warn_unknown_key, &source);
	if (rc)
		zl_error("%s", source_place_error(&source, &error));
	config_free(config);
	source_free(&source);
	return rc ? ZL_FAILED : ZL_OK;
}

/* The child is gone without a word: killed. Clean up after it, here and now. */
static int create_clean_up(void)
{
	struct zl zl;
	int lock;

	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	lock = state_init() ? -1 : state_lock_creation();
	if (lock >= 0) {
		if (sweep_orphans(&zl, NULL) < 0)
			zl_warn("could not clean up; the next create will try again");
		close(lock);
	}
	zl_close(&zl);
	return ZL_FAILED;
}

static int create_with_console(struct supervisor *supervisor)
{
	struct console console;
	struct zl zl;
	int status;

	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = console_open(&console, &zl, supervisor->domid, CONSOLE_ANY, 0, CONSOLE_WAIT_MS);
	if (!status && supervisor_go(supervisor))
		status = create_clean_up();
	if (!status)
		status = console_run(&console);
	console_close(&console);
	zl_close(&zl);
	return status;
}

static int create_run(const struct create_arguments *args, const struct domain_spec *spec)
{
	struct supervisor supervisor;
	int status = ZL_OK;
	int rc = supervisor_start(&supervisor, spec, &args->supervise);

	if (rc)
		return zl_error("starting a process: %s", strerror(-rc));
	if (supervisor_wait_built(&supervisor))
		status = create_clean_up();
	else if (args->console)
		status = create_with_console(&supervisor);
	else if (supervisor_go(&supervisor))
		status = create_clean_up();
	supervisor_end(&supervisor);
	return status;
}

static int create_parse(const struct command *command, int argc, char **argv,
			struct create_arguments *args, int *status)
{
	static const struct option options[] = {
		{"console", no_argument, NULL, 'c'},	     {"paused", no_argument, NULL, 'p'},
		{"dryrun", no_argument, NULL, 'n'},	     {"quiet", no_argument, NULL, 'q'},
		{"defconfig", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
	int option;

	while ((option = command_next_option(command, argc, argv, "cpnqef:", options, status)) >
	       0) {
		switch (option) {
		case 'c':
			args->console = true;
			break;
		case 'p':
			args->supervise.paused = true;
			break;
		case 'n':
			args->dry_run = true;
			break;
		case 'q':
			args->supervise.quiet = true;
			break;
		case 'e':
			args->supervise.unwatched = true;
			break;
		case 'f':
			args->file = optarg;
			break;
		}
	}
	if (!option)
		return -1;
	if (!args->file && optind < argc && !source_is_override(argv[optind]))
		args->file = argv[optind++];
	args->overrides = argv + optind;
	args->nr_overrides = argc - optind;
	for (; optind < argc; optind++) {
		if (source_is_override(argv[optind]))
			continue;
		*status = command_usage(command, "create: expected KEY=VALUE, found \"%s\"",
					argv[optind]);
		return -1;
	}
	if (args->file || args->nr_overrides)
		return 0;
	*status = command_usage(command, "create: expected a configuration file or KEY=VALUE");
	return -1;
}

int cmd_create(const struct command *command, int argc, char **argv)
{
	struct create_arguments args = {.file = NULL};
	struct domain_spec spec;
	int status = ZL_FAILED;

	if (create_parse(command, argc, argv, &args, &status))
		return status;
	status = create_read(&args, &spec);
	if (status)
		return status;
	if (args.dry_run)
		status = json_print(spec_to_json(&spec), stdout) ? ZL_FAILED : ZL_OK;
	else {
		if (!args.supervise.quiet)
			printf("Parsing config from %s\n", args.file ? args.file : "command line");
		status = create_run(&args, &spec);
	}
	spec_free(&spec);
	return status;
}
