/* SPDX-License-Identifier: BSD-2-Clause */
/* zl uptime: how long domains have been running, from the start times in the store. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/zstore.h"
#include "zl/commands.h"
#include "zl/domains.h"
#include "zl/json.h"
#include "zl/spec.h"
#include "zl/zl.h"

struct uptime_lister {
	struct zl *zl;
	bool is_short;
	struct json_object *json; /* NULL: print */
};

/* Seconds since a domain was made, or dom0 booted; -1: nobody knows. */
static long long uptime_read(struct zl *zl, const struct domain_view *view)
{
	struct timespec up;
	char path[64], uuid[37];
	long long start;

	if (!view->domid)
		return clock_gettime(CLOCK_BOOTTIME, &up) ? -1 : (long long)up.tv_sec;
	uuid_format(view->info.handle, uuid);
	snprintf(path, sizeof(path), "/vm/%s/start_time", uuid);
	if (zstore_read_number(zl->store, ZSTORE_NO_TX, path, &start))
		return -1;
	start = (long long)time(NULL) - start;
	return start < 0 ? 0 : start;
}

static void uptime_format(long long seconds, char *text, size_t size)
{
	long long days = seconds / 86400, hours = seconds / 3600 % 24;
	int len = 0;

	if (days)
		len = snprintf(text, size, "%lld day%s, ", days, days == 1 ? "" : "s");
	snprintf(text + len, size - (size_t)len, "%2lld:%02lld:%02lld", hours, seconds / 60 % 60,
		 seconds % 60);
}

static void uptime_show(struct uptime_lister *lister, const struct domain_view *view)
{
	long long seconds = uptime_read(lister->zl, view);
	const char *name = view->name ? view->name : "(null)";
	struct json_object *out;
	char text[64] = "-";

	if (lister->json) {
		out = json_object_new_object();
		json_add_int(out, "domid", view->domid);
		json_add_string(out, "name", view->name);
		if (seconds >= 0)
			json_add_int(out, "uptime_seconds", seconds);
		json_object_array_add(lister->json, out);
		return;
	}
	if (seconds >= 0)
		uptime_format(seconds, text, sizeof(text));
	if (lister->is_short)
		printf("up %s, %s (%u)\n", text, name, view->domid);
	else
		printf("%-32s %4u %s\n", name, view->domid, text);
}

static int uptime_run(struct uptime_lister *lister, int argc, char **argv)
{
	struct domain_view *views;
	int i, rc, status = ZL_OK;
	domid_t domid;
	size_t j, nr;

	for (i = 0; i < argc; i++) {
		if (zl_find_domain(lister->zl, argv[i], &domid) ||
		    domains_get_one(lister->zl, domid, &views)) {
			status = ZL_FAILED;
			continue;
		}
		uptime_show(lister, views);
		domains_free(views, 1);
	}
	if (argc)
		return status;
	rc = domains_get(lister->zl, &views, &nr);
	if (rc)
		return zl_error("listing the domains: %s", strerror(-rc));
	for (j = 0; j < nr; j++)
		uptime_show(lister, &views[j]);
	domains_free(views, nr);
	return ZL_OK;
}

int cmd_uptime(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"short", no_argument, NULL, 's'},
						{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	struct uptime_lister lister = {.is_short = false};
	int option, status = ZL_OK;
	bool as_json = false;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "s", options, &status)) > 0) {
		lister.is_short |= option == 's';
		as_json |= option == 'j';
	}
	if (!option)
		return status;
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	lister.zl = &zl;
	if (as_json)
		lister.json = json_object_new_array();
	else if (!lister.is_short)
		printf("%-33s %4s %s\n", "Name", "ID", "Uptime");
	status = uptime_run(&lister, argc - optind, argv + optind);
	if (lister.json && json_print(lister.json, stdout))
		status = ZL_FAILED;
	zl_close(&zl);
	return status;
}
