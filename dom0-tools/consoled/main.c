/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zconsoled: the console daemon.  Options and the order of start.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/log.h"

#include "server.h"

#define DEFAULT_LOG_DIR	  "/var/log/zendo"
#define DEFAULT_STATE_DIR "/run/zconsoled"
/* A second of flood is a megabyte of log at most. */
#define DEFAULT_RATE	 (1u << 20)
#define PERIOD_MS	 100u
#define DEFAULT_BUFFER	 (1u << 20)
#define DEFAULT_LOG_SIZE (4u << 20)

struct options {
	const char *log_dir;
	const char *state_dir;
	const char *pid_path;
	bool is_foreground;
	int verbosity;
	uint64_t rate; /* bytes per second */
	uint64_t buffer;
	uint64_t log_size;
};

static const char usage[] =
	"Usage: zconsoled [OPTION]...\n"
	"The console daemon: a terminal and a log for every guest, and the hypervisor's log.\n"
	"\n"
	"  -F, --foreground       stay in the foreground, messages to stderr\n"
	"  -p, --pid-file FILE    write the process number to FILE\n"
	"  -l, --log-dir DIR      DIR/console/NAME.log, DIR/hypervisor.log (" DEFAULT_LOG_DIR ");\n"
	"                         \"none\": no logs\n"
	"  -d, --state-dir DIR    DIR/domain-N: link to the terminal (" DEFAULT_STATE_DIR ")\n"
	"  -s, --log-size BYTES   size at which a log is put aside (4194304)\n"
	"  -r, --rate BYTES       output of one guest per second (1048576)\n"
	"  -b, --buffer BYTES     kept of each guest for a client that does not read (1048576)\n"
	"  -v, --verbose          say more; twice: still more\n"
	"  -h, --help             print this and exit\n";

/* clang-format off */
static const struct option long_options[] = {
	{"foreground", no_argument, NULL, 'F'},
	{"pid-file", required_argument, NULL, 'p'},
	{"log-dir", required_argument, NULL, 'l'},
	{"state-dir", required_argument, NULL, 'd'},
	{"log-size", required_argument, NULL, 's'},
	{"rate", required_argument, NULL, 'r'},
	{"buffer", required_argument, NULL, 'b'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};
/* clang-format on */

static int parse_bytes(const char *option, const char *text, uint64_t least, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (!errno && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *value >= least &&
	    *value <= 1u << 30)
		return 0;
	fprintf(stderr, "zconsoled: --%s %s: expected a number from %llu to %u\n", option, text,
		(unsigned long long)least, 1u << 30);
	return -EINVAL;
}

static int parse_options(struct options *options, int argc, char **argv)
{
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "Fp:l:d:s:r:b:vh", long_options, NULL)) != -1) {
		switch (c) {
		case 'F':
			options->is_foreground = true;
			break;
		case 'p':
			options->pid_path = optarg;
			break;
		case 'l':
			options->log_dir = strcmp(optarg, "none") ? optarg : NULL;
			break;
		case 'd':
			options->state_dir = optarg;
			break;
		case 's':
			ret = parse_bytes("log-size", optarg, 4096, &options->log_size);
			break;
		case 'r':
			ret = parse_bytes("rate", optarg, 1000, &options->rate);
			break;
		case 'b':
			ret = parse_bytes("buffer", optarg, 4096, &options->buffer);
			break;
		case 'v':
			options->verbosity++;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			fputs("Try zconsoled --help.\n", stderr);
			return -EINVAL;
		}
	}
	if (ret || optind == argc)
		return ret;
	fprintf(stderr, "zconsoled: unexpected argument %s\n", argv[optind]);
	return -EINVAL;
}

static void make_directories(const struct options *options)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/x", options->state_dir);
	daemon_make_directory_of(path);
	if (!options->log_dir)
		return;
	snprintf(path, sizeof(path), "%s/console/x", options->log_dir);
	daemon_make_directory_of(path);
}

static int serve(const struct options *options, int ready_fd)
{
	struct server server = {
		.limits =
			{
				.rate = (uint32_t)(options->rate * PERIOD_MS / 1000),
				.period_ms = PERIOD_MS,
				.buffer = (uint32_t)options->buffer,
				.log = options->log_size,
			},
		.log_dir = options->log_dir,
		.state_dir = options->state_dir,
		.virq_port = -1,
	};
	char log_path[4096];
	int ret;

	server.hyplog.index_fd = server.hyplog.file.fd = -1;
	make_directories(options);
	ret = server_init(&server);
	if (!ret && options->pid_path) {
		ret = daemon_write_pid(options->pid_path);
		if (ret)
			log_error("%s: %s", options->pid_path, strerror(-ret));
	}
	if (!ret) {
		snprintf(log_path, sizeof(log_path), "%s/zconsoled.log",
			 options->log_dir ? options->log_dir : DEFAULT_LOG_DIR);
		if (!options->is_foreground)
			daemon_report_ready(ready_fd, log_path);
		ret = server_run(&server);
	}
	server_fini(&server);
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = {
		.log_dir = DEFAULT_LOG_DIR,
		.state_dir = DEFAULT_STATE_DIR,
		.rate = DEFAULT_RATE,
		.buffer = DEFAULT_BUFFER,
		.log_size = DEFAULT_LOG_SIZE,
	};
	int ret, lock_fd, ready_fd = -1;

	ret = parse_options(&options, argc, argv);
	if (ret)
		return ret < 0 ? 2 : 0;
	log_set_name("zconsoled");
	log_set_level(LOG_LEVEL_ERROR + options.verbosity);
	lock_fd = daemon_enter(options.state_dir, options.is_foreground ? NULL : &ready_fd);
	if (lock_fd < 0)
		return 1;
	ret = serve(&options, ready_fd);
	close(lock_fd);
	return ret ? 1 : 0;
}
