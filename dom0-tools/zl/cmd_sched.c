/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zl sched-credit, sched-credit2: weight and cap of domains, whichever of the two schedulers the
 * hypervisor has: their parameters are the same.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "hyp/domain.h"
#include "hyp/system.h"
#include "zl/commands.h"
#include "zl/domains.h"
#include "zl/json.h"
#include "zl/zl.h"

struct sched_arguments {
	const char *domain; /* NULL: all */
	long long weight;   /* -1: leave it */
	long long cap;	    /* -1: leave it */
	bool as_json;
};

static int sched_show_one(struct zl *zl, uint32_t sched_id, const struct domain_view *view,
			  struct json_object *json)
{
	struct json_object *out;
	uint16_t weight, cap;
	int rc = hyp_domain_get_sched(zl->hyp, view->domid, sched_id, &weight, &cap);

	if (rc)
		return zl_error("domain %u: %s", view->domid, strerror(-rc));
	if (!json) {
		printf("%-33s %4u %6u %4u\n", view->name ? view->name : "(null)", view->domid,
		       weight, cap);
		return ZL_OK;
	}
	out = json_object_new_object();
	json_add_int(out, "domid", view->domid);
	json_add_string(out, "name", view->name);
	json_add_int(out, "weight", weight);
	json_add_int(out, "cap", cap);
	json_object_array_add(json, out);
	return ZL_OK;
}

static int sched_show(struct zl *zl, uint32_t sched_id, const struct sched_arguments *args)
{
	struct json_object *json = args->as_json ? json_object_new_array() : NULL;
	struct domain_view *views = NULL;
	int rc, status = ZL_OK;
	size_t i, nr = 1;
	domid_t domid;

	if (args->domain && zl_find_domain(zl, args->domain, &domid))
		rc = status = ZL_FAILED;
	else
		rc = args->domain ? domains_get_one(zl, domid, &views)
				  : domains_get(zl, &views, &nr);
	if (rc < 0)
		status = zl_error("listing the domains: %s", strerror(-rc));
	if (!json && !rc)
		printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
	for (i = 0; !rc && i < nr; i++)
		status |= sched_show_one(zl, sched_id, &views[i], json);
	if (!rc)
		domains_free(views, nr);
	if (json && json_print(json, stdout))
		status = ZL_FAILED;
	return status;
}

static int sched_set(struct zl *zl, uint32_t sched_id, const struct sched_arguments *args)
{
	uint16_t weight, cap;
	domid_t domid;
	int rc;

	if (zl_find_domain(zl, args->domain, &domid))
		return ZL_FAILED;
	rc = hyp_domain_get_sched(zl->hyp, domid, sched_id, &weight, &cap);
	if (!rc)
		rc = hyp_domain_set_sched(zl->hyp, domid, sched_id,
					  args->weight < 0 ? weight : (uint16_t)args->weight,
					  args->cap < 0 ? cap : (uint16_t)args->cap);
	return rc ? zl_error("%s: %s", args->domain, strerror(-rc)) : ZL_OK;
}

static int sched_parse(const struct command *command, int argc, char **argv,
		       struct sched_arguments *args, int *status)
{
	static const struct option options[] = {{"domain", required_argument, NULL, 'd'},
						{"weight", required_argument, NULL, 'w'},
						{"cap", required_argument, NULL, 'c'},
						{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	int option;

	while ((option = command_next_option(command, argc, argv, "d:w:c:", options, status)) > 0) {
		if (option == 'd')
			args->domain = optarg;
		else if (option == 'j')
			args->as_json = true;
		else if (zl_parse_number(optarg, option == 'w' ? &args->weight : &args->cap) ||
			 args->weight > 65535 || args->weight == 0 || args->cap > 65535) {
			*status = command_usage(command,
						"%s: expected a number up to 65535, found \"%s\"",
						command->name, optarg);
			return -1;
		}
	}
	if (!option)
		return -1;
	if (optind < argc || (!args->domain && (args->weight >= 0 || args->cap >= 0))) {
		*status = command_usage(command, "%s: expected -d DOMAIN with -w or -c",
					command->name);
		return -1;
	}
	return 0;
}

int cmd_sched_credit(const struct command *command, int argc, char **argv)
{
	struct sched_arguments args = {.weight = -1, .cap = -1};
	int rc, status = ZL_OK;
	uint32_t sched_id;
	struct zl zl;

	if (sched_parse(command, argc, argv, &args, &status))
		return status;
	if (zl_open(&zl, ZL_HYP_AND_NAMES))
		return ZL_FAILED;
	rc = hyp_system_get_sched_id(zl.hyp, &sched_id);
	if (rc)
		status = zl_error("asking for the scheduler: %s", strerror(-rc));
	else if (args.weight >= 0 || args.cap >= 0)
		status = sched_set(&zl, sched_id, &args);
	else
		status = sched_show(&zl, sched_id, &args);
	zl_close(&zl);
	return status;
}
