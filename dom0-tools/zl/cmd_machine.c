/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl trigger, vncviewer, exits: what only domains have whose machine is virtual: buttons, a screen,
 * and exits into the hypervisor.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hyp/domain.h"
#include "store/zstore.h"
#include "zendo.h"
#include "zl/commands.h"
#include "zl/domains.h"
#include "zl/exits.h"
#include "zl/json.h"
#include "zl/zl.h"

#define VNC_PORT 5900

/* A reset is the end of this domain and the beginning of the next, as on_reboot says. */
static int send_trigger(struct zl *zl, domid_t domid, const char *word, uint32_t vcpu)
{
	static const struct {
		const char *word;
		uint32_t trigger;
	} triggers[] = {
		{"nmi", XEN_DOMCTL_SENDTRIGGER_NMI},
		{"power", XEN_DOMCTL_SENDTRIGGER_POWER},
		{"sleep", XEN_DOMCTL_SENDTRIGGER_SLEEP},
	};

	if (!strcmp(word, "reset"))
		return hyp_domain_shutdown(zl->hyp, domid, SHUTDOWN_reboot);
	for (size_t i = 0; i < sizeof(triggers) / sizeof(triggers[0]); i++)
		if (!strcmp(word, triggers[i].word))
			return hyp_domain_send_trigger(zl->hyp, domid, triggers[i].trigger, vcpu);
	return -EINVAL;
}

int cmd_trigger(const struct command *command, int argc, char **argv)
{
	long long vcpu = 0;
	int rc, status;
	domid_t domid;
	struct zl zl;

	if (command_plain(command, argc, argv, 2, 3, &status))
		return status;
	argv += optind;
	if (strcmp(argv[1], "nmi") && strcmp(argv[1], "reset") && strcmp(argv[1], "power") &&
	    strcmp(argv[1], "sleep"))
		return command_usage(command,
				     "trigger: expected nmi, reset, power or sleep, found \"%s\"",
				     argv[1]);
	if (argc - optind == 3 && (zl_parse_number(argv[2], &vcpu) || vcpu > UINT16_MAX))
		return command_usage(command, "trigger: expected a vCPU, found \"%s\"", argv[2]);
	if (zl_open(&zl, ZL_HYP_AND_NAMES))
		return ZL_FAILED;
	status = zl_find_domain(&zl, argv[0], &domid);
	if (!status && !domid)
		status = zl_error("trigger: not for dom0");
	rc = status ? 0 : send_trigger(&zl, domid, argv[1], (uint32_t)vcpu);
	if (rc)
		status = zl_error("%s: %s: %s", argv[0], argv[1],
				  rc == -ESRCH || rc == -EINVAL
					  ? "no such vCPU, or not a machine that has this"
					  : strerror(-rc));
	zl_close(&zl);
	return status;
}

/* "ADDRESS:DISPLAY", as viewers take it. */
static int find_screen(struct zl *zl, domid_t domid, char *place, size_t size)
{
	char path[64], *address = NULL;
	long long port;
	int rc;

	snprintf(path, sizeof(path), "/local/domain/%u/console/vnc-port", domid);
	rc = zstore_read_number(zl->store, ZSTORE_NO_TX, path, &port);
	snprintf(path, sizeof(path), "/local/domain/%u/console/vnc-listen", domid);
	if (!rc)
		rc = zstore_read(zl->store, ZSTORE_NO_TX, path, &address, NULL);
	if (rc)
		return zl_error("domain %u has no screen: is it HVM, with vnc = 1?", domid);
	/* What listens everywhere is reached here. */
	snprintf(place, size, "%s:%lld", strcmp(address, "0.0.0.0") ? address : "127.0.0.1",
		 port - VNC_PORT);
	free(address);
	return ZL_OK;
}

int cmd_vncviewer(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"print", no_argument, NULL, 'p'},
						{NULL, 0, NULL, 0}};
	int option, status = ZL_OK;
	bool print_only = false;
	char place[300];
	domid_t domid;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "p", options, &status)) > 0)
		print_only = true;
	if (!option)
		return status;
	if (argc - optind != 1)
		return command_usage(command, "vncviewer: expected one domain");
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = zl_find_domain(&zl, argv[optind], &domid);
	if (!status)
		status = find_screen(&zl, domid, place, sizeof(place));
	zl_close(&zl);
	if (status)
		return status;
	if (print_only) {
		printf("%s\n", place);
		return ZL_OK;
	}
	execlp("vncviewer", "vncviewer", place, NULL);
	return zl_error("vncviewer: %s; the screen is at %s", strerror(errno), place);
}

/* Reports. Free vcpus in any case. */
static int read_exits(struct zl *zl, domid_t domid, struct exits *exits)
{
	struct xen_domctl_getdomaininfo info;
	int rc = hyp_domain_get_info(zl->hyp, domid, &info);

	if (!rc)
		rc = exits_read(zl->hyp, &info, exits);
	if (rc == -ENOSYS)
		return zl_error("exits: this hypervisor does not count them");
	if (rc == -EINVAL)
		return zl_error("exits: domain %u is PV: it has none", domid);
	return rc ? zl_error("exits: domain %u: %s", domid, strerror(-rc)) : ZL_OK;
}

/* Leaves in *now what has come since. Both are in the order of the vCPUs, which may be more now. */
static void subtract(struct exits *now, const struct exits *before)
{
	for (uint32_t i = 0, j = 0; i < now->nr && j < before->nr; i++) {
		if (now->vcpus[i].vcpu != before->vcpus[j].vcpu)
			continue;
		for (uint32_t kind = 0; kind < now->vcpus[i].kinds; kind++)
			now->vcpus[i].counts[kind] -= before->vcpus[j].counts[kind];
		j++;
	}
}

static int show_json(const struct exits *exits)
{
	struct json_object *all = json_object_new_array();
	char number[EXIT_KIND_NAME_SIZE];

	for (uint32_t i = 0; i < exits->nr; i++) {
		struct json_object *one = json_object_new_object();

		json_add_int(one, "vcpu", exits->vcpus[i].vcpu);
		for (uint32_t kind = 0; kind < exits->vcpus[i].kinds; kind++)
			json_add_int(one, exit_kind_name(kind, number),
				     (int64_t)exits->vcpus[i].counts[kind]);
		json_object_array_add(all, one);
	}
	return json_print(all, stdout) ? ZL_FAILED : ZL_OK;
}

static void show_row(const struct exits *exits, uint32_t kind, const char *name, long long seconds)
{
	uint64_t sum = 0;

	printf("%-12s", name);
	for (uint32_t i = 0; i < exits->nr; i++) {
		uint64_t count = exits->vcpus[i].counts[kind];

		sum += count;
		printf(" %12llu", (unsigned long long)count);
	}
	printf(" %12llu", (unsigned long long)sum);
	if (seconds)
		printf(" %12.1f", (double)sum / (double)seconds);
	putchar('\n');
}

static void show_table(const struct exits *exits, long long seconds)
{
	char number[EXIT_KIND_NAME_SIZE];

	printf("%-12s", "Exit");
	for (uint32_t i = 0; i < exits->nr; i++)
		printf(" %7s %4u", "vCPU", exits->vcpus[i].vcpu);
	printf(" %12s%s\n", "all", seconds ? "   per second" : "");
	for (uint32_t kind = 0; exits->nr && kind < exits->vcpus[0].kinds; kind++)
		show_row(exits, kind, exit_kind_name(kind, number), seconds);
}

static int show_exits(struct zl *zl, domid_t domid, long long seconds, bool as_json)
{
	struct exits before = {.vcpus = NULL}, now = {.vcpus = NULL};
	int status = seconds ? read_exits(zl, domid, &before) : ZL_OK;

	if (!status && seconds)
		sleep((unsigned int)seconds);
	if (!status)
		status = read_exits(zl, domid, &now);
	if (!status) {
		subtract(&now, &before);
		if (as_json)
			status = show_json(&now);
		else
			show_table(&now, seconds);
	}
	free(before.vcpus);
	free(now.vcpus);
	return status;
}

int cmd_exits(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"interval", required_argument, NULL, 'i'},
						{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	int option, status = ZL_OK;
	long long seconds = 0;
	bool as_json = false;
	domid_t domid;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "i:", options, &status)) > 0) {
		as_json |= option == 'j';
		if (option == 'i' &&
		    (zl_parse_number(optarg, &seconds) || seconds < 1 || seconds > 86400))
			return command_usage(command, "exits: expected seconds, found \"%s\"",
					     optarg);
	}
	if (!option)
		return status;
	if (argc - optind != 1)
		return command_usage(command, "exits: expected one domain");
	if (zl_open(&zl, ZL_HYP_AND_NAMES))
		return ZL_FAILED;
	status = zl_find_domain(&zl, argv[optind], &domid);
	if (!status)
		status = show_exits(&zl, domid, seconds, as_json);
	zl_close(&zl);
	return status;
}
