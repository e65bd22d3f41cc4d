/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zstored: the xenstore daemon.  Options, becoming a daemon, and the order of
 * start: lock, journal, domains, socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/log.h"

#include "journal.h"
#include "server.h"

#define DEFAULT_SOCKET	  "/run/xenstored/socket"
#define DEFAULT_STATE_DIR "/run/zstored"
#define DEFAULT_LOG	  "/var/log/zendo/zstored.log"
#define BOOT_ID		  "/proc/sys/kernel/random/boot_id"

struct options {
	const char *socket_path;
	const char *state_dir;
	const char *log_path;
	const char *pid_path;
	bool is_foreground;
	bool has_domains;
	bool is_fresh;
	bool is_traced;
	int verbosity;
	struct quota quota;
};

static const char usage[] =
	"Usage: zstored [OPTION]...\n"
	"The xenstore daemon: serves the store to dom0 and to every introduced domain.\n"
	"\n"
	"  -F, --foreground        stay in the foreground, messages to stderr\n"
	"  -p, --pid-file FILE     write the process number to FILE\n"
	"  -s, --socket FILE       listen there (" DEFAULT_SOCKET ")\n"
	"  -d, --state-dir DIR     keep the journal there (" DEFAULT_STATE_DIR ")\n"
	"  -l, --log-file FILE     messages of the daemon (" DEFAULT_LOG ")\n"
	"  -q, --quota NAME=VALUE  limit per domain; --quota help lists them\n"
	"  -N, --no-domains        serve the socket only: needs no hypervisor\n"
	"      --fresh             forget the store that a former daemon left\n"
	"  -t, --trace             report each request\n"
	"  -v, --verbose           say more; twice: still more\n"
	"  -h, --help              print this and exit\n";

enum { OPTION_FRESH = 256 };

/* clang-format off */
static const struct option long_options[] = {
	{"foreground", no_argument, NULL, 'F'},
	{"pid-file", required_argument, NULL, 'p'},
	{"socket", required_argument, NULL, 's'},
	{"state-dir", required_argument, NULL, 'd'},
	{"log-file", required_argument, NULL, 'l'},
	{"quota", required_argument, NULL, 'q'},
	{"no-domains", no_argument, NULL, 'N'},
	{"fresh", no_argument, NULL, OPTION_FRESH},
	{"trace", no_argument, NULL, 't'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};
/* clang-format on */

static void list_quotas(const struct quota *quota)
{
	for (int i = 0; i < QUOTA_KINDS; i++)
		printf("%-18s %ld\n", quota_name((enum quota_kind)i), quota->limit[i]);
}

/* 0, or 1 after help was printed, or -EINVAL after a complaint. */
static int parse_quota(struct quota *quota, const char *text)
{
	char name[32];
	const char *equals = strchr(text, '=');

	if (!strcmp(text, "help")) {
		list_quotas(quota);
		return 1;
	}
	if (!equals || (size_t)(equals - text) >= sizeof(name))
		goto complain;
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = '\0';
	if (!quota_set(quota, name, equals + 1))
		return 0;
complain:
	fprintf(stderr, "zstored: --quota %s: expected NAME=NUMBER; --quota help lists them\n",
		text);
	return -EINVAL;
}

static int parse_options(struct options *options, int argc, char **argv)
{
	int c, ret;

	while ((c = getopt_long(argc, argv, "Fp:s:d:l:q:Ntvh", long_options, NULL)) != -1) {
		switch (c) {
		case 'F':
			options->is_foreground = true;
			break;
		case 'p':
			options->pid_path = optarg;
			break;
		case 's':
			options->socket_path = optarg;
			break;
		case 'd':
			options->state_dir = optarg;
			break;
		case 'l':
			options->log_path = optarg;
			break;
		case 'q':
			ret = parse_quota(&options->quota, optarg);
			if (ret)
				return ret;
			break;
		case 'N':
			options->has_domains = false;
			break;
		case OPTION_FRESH:
			options->is_fresh = true;
			break;
		case 't':
			options->is_traced = true;
			break;
		case 'v':
			options->verbosity++;
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			fputs("Try zstored --help.\n", stderr);
			return -EINVAL;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "zstored: unexpected argument %s\n", argv[optind]);
	return -EINVAL;
}

static void read_boot_id(char *id, size_t size)
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, size - 1);

	if (fd >= 0)
		close(fd);
	id[n > 0 ? n : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
}

static int start_journal(struct server *server, const struct options *options)
{
	char path[4096], boot_id[48];
	bool torn = false;
	int ret = 0;

	snprintf(path, sizeof(path), "%s/journal", options->state_dir);
	read_boot_id(boot_id, sizeof(boot_id));
	if (!options->is_fresh)
		ret = journal_load(&server->store, path, boot_id, &torn);
	if (ret < 0) {
		log_error("%s: %s; --fresh starts without it", path, strerror(-ret));
		return ret;
	}
	if (torn)
		log_error("%s is damaged: what came after the damage is lost", path);
	if (ret)
		log_info("goes on with the store of a former daemon");
	else
		ret = store_populate(&server->store);
	if (ret < 0)
		return ret;
	ret = journal_start(&server->store, path, boot_id);
	if (ret)
		log_error("%s: %s", path, strerror(-ret));
	return ret;
}

static int start(struct server *server, const struct options *options)
{
	int ret = start_journal(server, options);

	if (ret)
		return ret;
	if (options->has_domains) {
		ret = xen_start(server);
		if (ret) {
			log_error("the hypervisor's devices: %s (--no-domains does without)",
				  strerror(-ret));
			return ret;
		}
	}
	daemon_make_directory_of(options->socket_path);
	ret = socket_listen(server, options->socket_path);
	if (ret) {
		log_error("%s: %s", options->socket_path, strerror(-ret));
		return ret;
	}
	ret = options->pid_path ? daemon_write_pid(options->pid_path) : 0;
	if (ret)
		log_error("%s: %s", options->pid_path, strerror(-ret));
	return ret;
}

static int serve(const struct options *options, int ready_fd)
{
	struct server server;
	int ret = server_init(&server);

	if (ret) {
		log_error("%s", strerror(-ret));
		return ret;
	}
	server.store.quota = options->quota;
	server.store.is_traced = options->is_traced;
	ret = start(&server, options);
	if (!ret) {
		if (!options->is_foreground)
			daemon_report_ready(ready_fd, options->log_path);
		ret = server_run(&server);
	}
	server_fini(&server);
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = {
		.socket_path = DEFAULT_SOCKET,
		.state_dir = DEFAULT_STATE_DIR,
		.log_path = DEFAULT_LOG,
		.has_domains = true,
	};
	int ret, lock_fd, ready_fd = -1;

	quota_init(&options.quota);
	ret = parse_options(&options, argc, argv);
	if (ret)
		return ret < 0 ? 2 : 0;
	log_set_name("zstored");
	log_set_level(LOG_LEVEL_ERROR + options.verbosity + (options.is_traced ? 1 : 0));
	lock_fd = daemon_enter(options.state_dir, options.is_foreground ? NULL : &ready_fd);
	if (lock_fd < 0)
		return 1;
	ret = serve(&options, ready_fd);
	close(lock_fd);
	return ret ? 1 : 0;
}
