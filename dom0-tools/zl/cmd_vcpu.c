/* SPDX-License-Identifier: BSD-2-Clause */
/* zl vcpu-list, vcpu-pin, vcpu-set: where vCPUs run, may run, and how many there are. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/cpulist.h"
#include "hyp/domain.h"
#include "hyp/system.h"
#include "store/zstore.h"
#include "zl/commands.h"
#include "zl/domains.h"
#include "zl/json.h"
#include "zl/zl.h"

struct vcpu_lister {
	struct zl *zl;
	uint32_t nr_cpus;
	struct json_object *json; /* NULL: print columns */
};

static int vcpu_nr_cpus(struct zl *zl, uint32_t *nr_cpus)
{
	struct xen_sysctl_physinfo machine;
	int rc = hyp_system_get_physinfo(zl->hyp, &machine);

	if (rc)
		return rc;
	*nr_cpus = machine.max_cpu_id + 1 < CPULIST_MAX ? machine.max_cpu_id + 1 : CPULIST_MAX;
	return 0;
}

static void vcpu_print(const struct domain_view *view, const struct xen_domctl_getvcpuinfo *info,
		       const char *hard, const char *soft)
{
	printf("%-32s %5u %5u", view->name ? view->name : "(null)", view->domid, info->vcpu);
	if (info->online)
		printf(" %5u   %c%c- ", info->cpu, info->running ? 'r' : '-',
		       info->blocked ? 'b' : '-');
	else
		printf(" %5c   --p ", '-');
	printf("%9.1f  %s / %s\n", (double)info->cpu_time / 1e9, hard, soft);
}

static struct json_object *vcpu_to_json(const struct domain_view *view,
					const struct xen_domctl_getvcpuinfo *info, const char *hard,
					const char *soft)
{
	struct json_object *out = json_object_new_object();

	json_add_int(out, "domid", view->domid);
	json_add_string(out, "name", view->name);
	json_add_int(out, "vcpu", info->vcpu);
	json_add_bool(out, "online", info->online);
	if (info->online)
		json_add_int(out, "cpu", info->cpu);
	json_add_bool(out, "running", info->running);
	json_add_bool(out, "blocked", info->blocked);
	json_add_double(out, "cpu_seconds", (double)info->cpu_time / 1e9);
	json_add_string(out, "hard_affinity", hard);
	json_add_string(out, "soft_affinity", soft);
	return out;
}

static void vcpu_list_one(struct vcpu_lister *lister, const struct domain_view *view, uint32_t vcpu)
{
	struct xen_domctl_getvcpuinfo info;
	struct cpulist hard, soft;
	char hard_text[256], soft_text[256];

	/* A number without a vCPU, or a domain that ended just now: nothing to show. */
	if (hyp_vcpu_get_info(lister->zl->hyp, view->domid, vcpu, &info))
		return;
	memset(&hard, 0, sizeof(hard));
	memset(&soft, 0, sizeof(soft));
	if (hyp_vcpu_get_affinity(lister->zl->hyp, view->domid, vcpu, hard.bits, soft.bits,
				  lister->nr_cpus))
		return;
	cpulist_format(&hard, lister->nr_cpus, hard_text, sizeof(hard_text));
	cpulist_format(&soft, lister->nr_cpus, soft_text, sizeof(soft_text));
	if (lister->json)
		json_object_array_add(lister->json,
				      vcpu_to_json(view, &info, hard_text, soft_text));
	else
		vcpu_print(view, &info, hard_text, soft_text);
}

static void vcpu_list_domain(struct vcpu_lister *lister, const struct domain_view *view)
{
	uint32_t i;

	if (view->info.max_vcpu_id == XEN_INVALID_MAX_VCPU_ID)
		return;
	for (i = 0; i <= view->info.max_vcpu_id; i++)
		vcpu_list_one(lister, view, i);
}

static int vcpu_list_named(struct vcpu_lister *lister, int argc, char **argv)
{
	struct domain_view *view;
	int i, status = ZL_OK;
	domid_t domid;

	for (i = 0; i < argc; i++) {
		if (zl_find_domain(lister->zl, argv[i], &domid) ||
		    domains_get_one(lister->zl, domid, &view)) {
			status = ZL_FAILED;
			continue;
		}
		vcpu_list_domain(lister, view);
		domains_free(view, 1);
	}
	return status;
}

static int vcpu_list_all(struct vcpu_lister *lister)
{
	struct domain_view *views;
	size_t i, nr;
	int rc = domains_get(lister->zl, &views, &nr);

	if (rc)
		return zl_error("listing the domains: %s", strerror(-rc));
	for (i = 0; i < nr; i++)
		vcpu_list_domain(lister, &views[i]);
	domains_free(views, nr);
	return ZL_OK;
}

static int vcpu_list_run(struct zl *zl, bool as_json, int argc, char **argv)
{
	struct vcpu_lister lister = {.zl = zl};
	int status, rc = vcpu_nr_cpus(zl, &lister.nr_cpus);

	if (rc)
		return zl_error("asking the hypervisor for its CPUs: %s", strerror(-rc));
	if (as_json)
		lister.json = json_object_new_array();
	else
		printf("%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State",
		       "Time(s)", "Affinity (Hard / Soft)");
	status = argc ? vcpu_list_named(&lister, argc, argv) : vcpu_list_all(&lister);
	if (lister.json && json_print(lister.json, stdout))
		status = ZL_FAILED;
	return status;
}

int cmd_vcpu_list(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	int option, status = ZL_OK;
	bool as_json = false;
	struct zl zl;

	while ((option = command_next_option(command, argc, argv, "", options, &status)) > 0)
		as_json = true;
	if (!option)
		return status;
	if (zl_open(&zl, ZL_HYP_AND_NAMES))
		return ZL_FAILED;
	status = vcpu_list_run(&zl, as_json, argc - optind, argv + optind);
	zl_close(&zl);
	return status;
}

/* "-" leaves a map as it is: *list becomes NULL. */
static int pin_parse(const char *text, uint32_t nr_cpus, struct cpulist *room,
		     struct cpulist **list)
{
	struct config_error error;

	*list = NULL;
	if (!text || !strcmp(text, "-"))
		return 0;
	if (cpulist_parse(text, nr_cpus, room, &error))
		return zl_error("vcpu-pin: %s", error.text);
	*list = room;
	return 0;
}

static int pin_vcpus(struct zl *zl, domid_t domid, uint32_t first, uint32_t last, char **maps,
		     uint32_t nr_cpus)
{
	struct cpulist hard_room, soft_room, *hard, *soft;
	uint32_t i;
	int rc;

	for (i = first; i <= last; i++) {
		/* Parsed anew each time: setting writes the effective map over it. */
		if (pin_parse(maps[0], nr_cpus, &hard_room, &hard) ||
		    pin_parse(maps[1], nr_cpus, &soft_room, &soft))
			return ZL_FAILED;
		rc = hyp_vcpu_set_affinity(zl->hyp, domid, i, hard ? hard->bits : NULL,
					   soft ? soft->bits : NULL, nr_cpus);
		if (rc)
			return zl_error("vcpu-pin: vCPU %u: %s", i, strerror(-rc));
	}
	return ZL_OK;
}

static int pin_domain(struct zl *zl, char **argv, char **maps)
{
	struct xen_domctl_getdomaininfo info;
	uint32_t nr_cpus, first = 0, last;
	long long number;
	domid_t domid;
	int rc;

	if (zl_find_domain(zl, argv[0], &domid))
		return ZL_FAILED;
	rc = hyp_domain_get_info(zl->hyp, domid, &info);
	if (!rc)
		rc = vcpu_nr_cpus(zl, &nr_cpus);
	if (rc)
		return zl_error("%s: %s", argv[0], strerror(-rc));
	if (info.max_vcpu_id == XEN_INVALID_MAX_VCPU_ID)
		return zl_error("%s: has no vCPUs", argv[0]);
	last = info.max_vcpu_id;
	if (strcmp(argv[1], "all")) {
		if (zl_parse_number(argv[1], &number) || number > last)
			return zl_error("vcpu-pin: expected \"all\" or a vCPU from 0 to %u, found "
					"\"%s\"",
					last, argv[1]);
		first = last = (uint32_t)number;
	}
	return pin_vcpus(zl, domid, first, last, maps, nr_cpus);
}

int cmd_vcpu_pin(const struct command *command, int argc, char **argv)
{
	char *maps[2] = {NULL, NULL};
	struct zl zl;
	int status;

	if (command_plain(command, argc, argv, 3, 4, &status))
		return status;
	if (zl_open(&zl, ZL_HYP_AND_NAMES))
		return ZL_FAILED;
	maps[0] = argv[optind + 2];
	maps[1] = argc - optind == 4 ? argv[optind + 3] : NULL;
	status = pin_domain(&zl, argv + optind, maps);
	zl_close(&zl);
	return status;
}

static int set_domain(struct zl *zl, const char *text, const char *count)
{
	struct xen_domctl_getdomaininfo info;
	long long number;
	char path[64];
	domid_t domid;
	uint32_t i;
	int rc;

	if (zl_find_domain(zl, text, &domid))
		return ZL_FAILED;
	rc = hyp_domain_get_info(zl->hyp, domid, &info);
	if (rc)
		return zl_error("%s: %s", text, strerror(-rc));
	/* Its vCPUs would come by ACPI; kernels do not read the store for them. */
	if (domain_has_model(&info))
		return zl_error("vcpu-set: %s is HVM: the number of its vCPUs is fixed", text);
	if (zl_parse_number(count, &number) || number < 1 ||
	    number > (long long)info.max_vcpu_id + 1)
		return zl_error("vcpu-set: expected a number from 1 to %u, found \"%s\"",
				info.max_vcpu_id + 1, count);
	for (i = 0; !rc && i <= info.max_vcpu_id; i++) {
		snprintf(path, sizeof(path), "/local/domain/%u/cpu/%u/availability", domid, i);
		rc = zstore_write_string(zl->store, ZSTORE_NO_TX, path,
					 i < number ? "online" : "offline");
	}
	return rc ? zl_error("%s: %s", path, strerror(-rc)) : ZL_OK;
}

int cmd_vcpu_set(const struct command *command, int argc, char **argv)
{
	struct zl zl;
	int status;

	if (command_plain(command, argc, argv, 2, 2, &status))
		return status;
	if (zl_open(&zl, ZL_HYP_AND_STORE))
		return ZL_FAILED;
	status = set_domain(&zl, argv[optind], argv[optind + 1]);
	zl_close(&zl);
	return status;
}
